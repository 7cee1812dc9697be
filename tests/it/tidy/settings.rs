//! That the program, `.env.example` and the README's table know the same settings.

use elora_chat::config::{self, Config};

use super::source::scan;

/// The heading above the names that old files may still set.
const UNREAD: &str = "### Read by nobody, or by others";

/// What the README says of a setting.
struct Row {
    line: usize,
    name: String,
    default: String,
    also: Vec<String>,
}

/// Where the three disagree, as `file:line: reason`. `keys` is the source of the table of keys.
pub fn offences(keys: &str, example: &str, readme: &str) -> Vec<String> {
    let known = known(keys);
    let shown = shown(example);
    let rows = rows(readme);
    let is_known = |name: &String| known.iter().any(|names| names[0] == *name);
    let mut wrong = Vec::new();
    for (name, line) in shown.iter().map(|(name, _, line)| (name, line)) {
        if !is_known(name) {
            wrong.push(format!(".env.example:{line}: no section reads {name}, or it has a better name"));
        }
    }
    for names in &known {
        let name = &names[0];
        let Some((_, default, _)) = shown.iter().find(|(shown, _, _)| shown == name) else {
            wrong.push(format!(".env.example:1: {name} is missing"));
            continue;
        };
        let Some(row) = rows.iter().find(|row| row.name == *name) else {
            wrong.push(format!("README.md:1: {name} is not in the table"));
            continue;
        };
        if row.default != *default {
            wrong.push(format!("README.md:{}: {name} defaults to `{default}`, not `{}`", row.line, row.default));
        }
        if row.also != names[1..] {
            wrong.push(format!("README.md:{}: {name} is also read as {}", row.line, names[1..].join(", ")));
        }
    }
    let stray = rows.iter().filter(|row| !is_known(&row.name));
    wrong.extend(stray.map(|row| format!("README.md:{}: no section reads {}", row.line, row.name)));
    wrong
}

/// The names of every key: after each field, which is in lower case, come its names, the preferred one first.
fn known(keys: &str) -> Vec<Vec<String>> {
    let begin = keys.find("pub const KEYS").unwrap_or(0);
    let end = keys[begin..].find("\n];").map_or(keys.len(), |at| begin + at);
    let mut known: Vec<Vec<String>> = Vec::new();
    for (_, literal) in scan(&keys[begin..end]).strings {
        match known.last_mut() {
            Some(names) if is_name(&literal) => names.push(literal),
            _ => known.push(Vec::new()),
        }
    }
    known.retain(|names| !names.is_empty());
    known
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The names and values of `.env.example`, commented out or not, with their lines.
fn shown(example: &str) -> Vec<(String, String, usize)> {
    let settings = example.lines().zip(1..).filter_map(|(text, line)| {
        let (name, value) = text.trim_start_matches(['#', ' ']).split_once('=')?;
        is_name(name).then(|| (name.to_owned(), value.trim().to_owned(), line))
    });
    settings.collect()
}

/// The fields of the program's sections that no key sets.
pub fn unreachable(keys: &str) -> Vec<String> {
    let document = config::everything(&Config::default());
    let sections = [
        "http",
        "store",
        "feed",
        "socket",
        "ingest",
        "twitch",
        "youtube",
        "tailer",
        "harvester",
        "gnasty",
        "handoff",
        "exec",
        "replay",
        "log",
        "ui",
        "dev",
        "images",
    ];
    let fields = sections.iter().flat_map(|section| {
        let fields = document[section].as_object().unwrap();
        fields.keys().map(move |field| format!("{section}_{field}"))
    });
    fields.filter(|field| !keys.contains(&format!("\"{field}\""))).collect()
}

/// Names of old that are neither read nor listed as read by nobody, and names that are listed although they are read.
pub fn forgotten(keys: &str, legacy: &str, runbook: &str) -> Vec<String> {
    let known: Vec<String> = known(keys).concat();
    let (from, names) = unread(runbook);
    let legacy = legacy.lines().map(str::trim).zip(1..).filter(|(name, _)| is_name(name));
    let lost = legacy.filter(|(name, _)| !known.iter().chain(&names).any(|found| found == name));
    let lost =
        lost.map(|(name, line)| format!("legacy-settings.txt:{line}: {name} is neither read nor listed as unread"));
    let read = names.iter().filter(|name| known.contains(name));
    let read =
        read.map(|name| format!("RUNBOOK.md:{from}: {name} is listed as read by nobody, and a section reads it"));
    lost.chain(read).collect()
}

/// The names in the RUNBOOK's list of what nothing reads, and the line where it begins.
fn unread(runbook: &str) -> (usize, Vec<String>) {
    let from = runbook.lines().position(|line| line == UNREAD).map_or(0, |line| line + 1);
    let listed = runbook.lines().skip(from).take_while(|line| !line.starts_with('#'));
    let names = listed.filter(|_| from > 0).flat_map(|line| line.split('`').skip(1).step_by(2));
    (from, names.filter(|name| is_name(name)).map(str::to_owned).collect())
}

/// The rows of the README whose first cell is a setting: name, default (empty for none), other names, meaning.
fn rows(readme: &str) -> Vec<Row> {
    let rows = readme.lines().zip(1..).filter_map(|(text, line)| {
        let mut cells = text.strip_prefix("| ")?.split('|').map(|cell| cell.replace('`', "").trim().to_owned());
        let (name, default, also) = (cells.next()?, cells.next()?, cells.next()?);
        let also = also.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        (is_name(&name) && name.contains('_')).then_some(Row { line, name, default, also })
    });
    rows.collect()
}

#[test]
fn a_setting_that_one_of_the_three_does_not_know_is_told() {
    let keys =
        "pub const KEYS: &[Key] = &[\n key(\"a_b\", &[\"A_B\", \"OLD\"]),\n key(\"c_d\", &[\"C_D\"]),\n];\nx(\"E_F\")";
    let readme = "| `A_B` | `1` | `OLD` | what |\n| `C_D` |  |  | what |\n";

    assert_eq!(offences(keys, "# A_B=1\nC_D=\n# not a setting = 1", readme), [""; 0]);
    assert_eq!(
        offences(keys, "# A_B=2\nOLD=1", "| `A_B` | `1` | | |\n| `G_H` | | | |"),
        [
            ".env.example:2: no section reads OLD, or it has a better name",
            "README.md:1: A_B defaults to `2`, not `1`",
            "README.md:1: A_B is also read as OLD",
            ".env.example:1: C_D is missing",
            "README.md:2: no section reads G_H",
        ]
    );
}

#[test]
fn a_name_of_old_that_nobody_answers_for_is_told() {
    let keys = "pub const KEYS: &[Key] = &[\n key(\"a_b\", &[\"A_B\", \"OLD\"]),\n];";
    let legacy = "# names\nOLD\nLOST\nGONE\n";

    assert_eq!(
        forgotten(keys, legacy, "x\n### Read by nobody, or by others\n`GONE`, `A_B`\n## Next\n`LOST`"),
        [
            "legacy-settings.txt:3: LOST is neither read nor listed as unread",
            "RUNBOOK.md:2: A_B is listed as read by nobody, and a section reads it",
        ]
    );
    assert_eq!(
        forgotten(keys, legacy, "### Read by nobody, or by others\n| `GONE` | why |\n| `LOST` | why |\n"),
        [""; 0]
    );
}
