//! Checks `rows.md`: that it has every row, that every test it names exists, and that what no test shows has a reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("rows.md");

/// The groups of rows, and how many each has.
const GROUPS: [(&str, usize); 16] = [
    ("M", 11),
    ("D", 1),
    ("S", 12),
    ("Z", 2),
    ("C", 13),
    ("G", 1),
    ("A", 8),
    ("T", 8),
    ("X", 1),
    ("P", 4),
    ("L", 3),
    ("R", 3),
    ("I", 1),
    ("K", 1),
    ("N", 31),
    ("TOK", 35),
];

/// Too short to be a reason.
const SHORTEST_REASON: usize = 20;

/// One line of the table: what is promised, and by which tests it is shown or why it is not.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    id: &'a str,
    promise: &'a str,
    tests: Vec<&'a str>,
    /// What the tests leave out, and why.
    reason: &'a str,
}

#[test]
fn every_row_is_shown_by_a_test_or_has_a_reason() {
    let rows = rows(TABLE);
    let wrong: Vec<String> = rows.iter().flat_map(offences).chain(gaps(&rows, &ids())).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));

    // Said aloud: what the program does not do yet is no secret of this file.
    for row in rows.iter().filter(|row| row.tests.is_empty()) {
        println!("not shown: {}: {}: {}", row.id, row.promise, row.reason);
    }
}

fn ids() -> BTreeSet<String> {
    GROUPS.iter().flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}{n}"))).collect()
}

/// The rows of the tables; what is between them is for readers. Their cells are id, promise, tests, reason.
fn rows(table: &str) -> Vec<Row<'_>> {
    let cells = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.trim_end().strip_suffix('|')?.split(" | ").collect();
        let [id, promise, tests, reason] = cells[..] else { panic!("not four cells: {line}") };
        let tests = tests.split('`').skip(1).step_by(2).collect();
        Some(Row { id: id.trim(), promise: promise.trim(), tests, reason: reason.trim() })
    });
    cells.filter(|row| row.id != "row" && !row.id.starts_with('-')).collect()
}

/// Ids that are missing, doubled or unknown.
fn gaps(rows: &[Row], ids: &BTreeSet<String>) -> Vec<String> {
    let mut missing: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let stray = rows.iter().filter(|row| !missing.remove(row.id)).map(|row| format!("{}: twice or unknown", row.id));
    let mut wrong: Vec<String> = stray.collect();
    wrong.extend(missing.iter().map(|id| format!("{id}: missing")));
    wrong
}

fn offences(row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    if row.tests.is_empty() && row.reason.len() < SHORTEST_REASON {
        wrong.push(format!("{}: neither a test nor a reason", row.id));
    }
    for test in &row.tests {
        let Some(source) = source(test) else {
            wrong.push(format!("{}: no file has {test}", row.id));
            continue;
        };
        // A line of the tokeniser's table must itself be in the table of the test.
        let line = row.promise.split('`').nth(1).filter(|_| row.id.starts_with("TOK"));
        if line.is_some_and(|line| !source.contains(&format!("\"{line}\""))) {
            wrong.push(format!("{}: {test} does not try {}", row.id, row.promise));
        }
    }
    wrong
}

/// The text of the file that has this test: `messages::name` below `tests/it`, `feed::tokens::tests::name` below `src`.
fn source(test: &str) -> Option<String> {
    let (module, name) = test.rsplit_once("::")?;
    let (root, module) = match module.strip_suffix("::tests") {
        Some(module) => (Path::new("src"), module),
        None => (Path::new("tests/it"), module),
    };
    let path = root.join(module.replace("::", "/"));
    let files = [path.with_extension("rs"), path.join("mod.rs"), path.join("tests.rs")];
    let texts =
        files.iter().filter(|file: &&PathBuf| file.exists()).filter_map(|file| std::fs::read_to_string(file).ok());
    texts.into_iter().find(|text| is_test(text, name))
}

/// Whether the text has a function of this name that a runner takes for a test.
fn is_test(text: &str, name: &str) -> bool {
    let function = format!("fn {name}(");
    let mut marks = text.match_indices(&function).map(|(at, _)| {
        let (above, _) = text[..at].rsplit_once('\n').unwrap_or_default();
        let marks = above.lines().rev().map(str::trim_start).take_while(|line| line.starts_with("#["));
        marks.filter(|mark| mark.contains("test")).count()
    });
    marks.any(|marks| marks > 0)
}

#[test]
fn a_table_with_holes_is_told() {
    let table = "# Head\n| row | promise | tests | reason |\n|---|---|---|---|\n| M1 | one | `contract::rows::a_table_with_holes_is_told` |  |\n\
        | M1 | again |  | because nobody can do that here |\n| M3 | three | `contract::rows::is_test`, `nowhere::x` |  |\n| Q1 | four |  | no |\n";
    let rows = rows(table);
    let ids = ["M1", "M2", "M3"].map(str::to_owned).into();

    let wrong: Vec<String> = rows.iter().flat_map(offences).chain(gaps(&rows, &ids)).collect();

    assert_eq!(
        wrong,
        [
            "M3: no file has contract::rows::is_test",
            "M3: no file has nowhere::x",
            "Q1: neither a test nor a reason",
            "M1: twice or unknown",
            "Q1: twice or unknown",
            "M2: missing",
        ]
    );
}
