//! The house rules that a program can check, over the project's own files. CONTRIBUTING.md says why each is there.
//! Every failure names the file and the line. Each check is itself tried on a few lines that break its rule.

mod imports;
mod settings;
mod source;

use source::{File, files, line, places, scan};

/// Longer than this, a file has a seam that was not cut.
const FILE_LINES: usize = 500;

/// The same for a function, its signature and closing brace included.
const FUNCTION_LINES: usize = 70;

/// Crates of which a second version would mean a second TLS stack, socket codec or database in the binary.
const ONCE: &[&str] = &["libsqlite3-sys", "ring", "rusqlite", "rustls", "tokio", "tokio-tungstenite", "tungstenite"];

/// Crates that must not come in through a dependency's default features.
const NEVER: &[&str] = &["aws-lc-sys", "native-tls", "openssl-sys"];

#[test]
fn rooms_import_only_what_the_table_allows() {
    let sources = files(&["src"], &[".rs"]);
    let mut modules: Vec<String> = sources.iter().map(|file| imports::module(&file.path).join("::")).collect();
    modules.retain(|module| module != "main");

    none(sources.iter().flat_map(|file| imports::offences(&file.path, &file.text, &modules)));
}

#[test]
fn the_black_box_kit_knows_nothing_of_the_program() {
    none(files(&["tests/it/support"], &[".rs"]).iter().flat_map(inside_knowledge));
}

#[test]
fn sql_stands_only_where_the_queries_live() {
    none(files(&["src"], &[".rs"]).iter().flat_map(stray_sql));
}

#[test]
fn tasks_are_spawned_only_where_they_are_waited_for() {
    none(files(&["src"], &[".rs"]).iter().flat_map(bare_spawns));
}

#[test]
fn files_and_functions_stay_short() {
    let rust = files(&["src", "tests", "benches"], &[".rs"]);
    none(rust.iter().flat_map(long_functions));
    none(rust.iter().chain(&files(&["frontend"], &[".svelte", ".ts"])).filter_map(long_file));
}

#[test]
fn every_module_says_what_it_is_for() {
    let headless = |file: &File| !file.text.starts_with("//!");
    let sources = files(&["src", "tests/it", "benches"], &[".rs"]);
    none(sources.iter().filter(|file| headless(file)).map(|file| format!("{}:1: no //! line", file.path)));
}

#[test]
fn nothing_is_left_for_later() {
    let written = files(
        &["src", "tests", "benches", "migrations", "frontend", "scripts"],
        &[".rs", ".sql", ".svelte", ".ts", ".css", ".html"],
    );
    none(written.iter().flat_map(unfinished));
}

#[test]
fn components_neither_fetch_nor_connect_nor_write_raw_html() {
    none(files(&["frontend"], &[".svelte"]).iter().flat_map(side_doors));
}

#[test]
fn a_merged_migration_is_never_edited() {
    let recorded = include_str!("../fixtures/migrations.sha256");
    none(changed_migrations(&files(&["migrations"], &[".sql"]), recorded));
}

#[test]
fn program_example_and_readme_know_the_same_settings() {
    let (example, readme) = (include_str!("../../.env.example"), include_str!("../../README.md"));
    none(settings::offences(include_str!("../../src/config/keys.rs"), example, readme));
}

#[test]
fn every_name_of_old_is_read_or_listed_as_read_by_nobody() {
    let (legacy, runbook) = (include_str!("../fixtures/legacy-settings.txt"), include_str!("../../RUNBOOK.md"));
    none(settings::forgotten(include_str!("../../src/config/keys.rs"), legacy, runbook));
}

#[test]
fn every_field_of_the_configuration_can_be_set() {
    none(settings::unreachable(include_str!("../../src/config/keys.rs")));
}

#[test]
fn one_tls_stack_one_socket_codec_one_database() {
    none(unwanted_crates(include_str!("../../Cargo.lock")));
}

/// Fails with every offence, one a line.
fn none(offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

/// Stand-ins and clients that shared the program's code would share its mistakes.
fn inside_knowledge(file: &File) -> Vec<String> {
    let code: String = scan(&file.text).code.into_iter().collect();
    let named = |line: &str| {
        line.contains("elora_chat") || line.split("crate::").skip(1).any(|path| !path.starts_with("support"))
    };
    let lines = code.lines().enumerate().filter(|(_, line)| named(line));
    lines.map(|(n, _)| format!("{}:{}: the kit uses what it is there to test", file.path, n + 1)).collect()
}

fn stray_sql(file: &File) -> Vec<String> {
    if file.path.starts_with("src/store/") || file.path.ends_with("/sql.rs") {
        return Vec::new();
    }
    let strings = scan(&file.text).strings;
    let stray = strings.into_iter().filter(|(_, text)| is_sql(text));
    stray.map(|(line, text)| format!("{}:{line}: SQL outside sql.rs: {}", file.path, head(&text))).collect()
}

/// Whether a literal reads as a statement: its first words are those of one, in either case.
fn is_sql(text: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["select", rest @ ..] => rest.contains(&"from") || rest.iter().any(|word| word.ends_with(')')),
        ["insert", "into" | "or", ..] | ["replace", "into", ..] | ["delete", "from", ..] => true,
        ["update", _, "set", ..] => true,
        [
            "create" | "drop" | "alter",
            "table" | "index" | "unique" | "trigger" | "view" | "virtual" | "temp",
            _,
            ..,
        ] => true,
        ["begin", "immediate" | "exclusive" | "deferred"] => true,
        [first, ..] => *first == "pragma" && words.len() > 1,
        [] => false,
    }
}

fn bare_spawns(file: &File) -> Vec<String> {
    let spawner = ["stages.rs", "supervisor.rs"].iter().any(|name| file.path.ends_with(name));
    if spawner {
        return Vec::new();
    }
    let code = source::without_tests(&scan(&file.text).code);
    let bare = places(&code, "spawn").into_iter().filter(|at| {
        let before: String = code[at.saturating_sub(7)..*at].iter().collect();
        before.ends_with("tokio::") || before.ends_with("task::")
    });
    bare.map(|at| format!("{}:{}: a task that nobody waits for", file.path, line(&code, at))).collect()
}

fn long_file(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > FILE_LINES).then(|| format!("{}:{lines}: more than {FILE_LINES} lines", file.path))
}

fn long_functions(file: &File) -> Vec<String> {
    let code = scan(&file.text).code;
    let mut long = Vec::new();
    for at in places(&code, "fn") {
        let Some(open) = body(&code, at) else { continue };
        let (first, last) = (line(&code, at), line(&code, source::closing(&code, open)));
        if last - first >= FUNCTION_LINES {
            long.push(format!("{}:{first}: a function of {} lines", file.path, 1 + last - first));
        }
    }
    long
}

/// The opening brace of the function at `at`; None for a signature or a function type.
fn body(code: &[char], at: usize) -> Option<usize> {
    if !code.get(at + 3).is_some_and(|c| c.is_alphabetic() || *c == '_') {
        return None;
    }
    let mut depth = 0;
    (at..code.len()).find_map(|i| {
        match code[i] {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(Some(i)),
            ';' if depth == 0 => return Some(None),
            _ => {}
        }
        None
    })?
}

fn unfinished(file: &File) -> Vec<String> {
    // In two halves, so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let macros = [concat!("to", "do!("), concat!("unimpl", "emented!(")];
    let text: Vec<char> = file.text.chars().collect();
    let marked = marks.iter().flat_map(|mark| places(&text, mark)).map(|at| line(&text, at));
    let called = file.text.lines().zip(1..).filter(|(text, _)| macros.iter().any(|m| text.contains(m))).map(|(_, n)| n);
    marked.chain(called).map(|line| format!("{}:{line}: left for later", file.path)).collect()
}

fn side_doors(file: &File) -> Vec<String> {
    let doors = ["fetch(", "new WebSocket", "new EventSource", "XMLHttpRequest", "{@html", "innerHTML"];
    let text: Vec<char> = file.text.chars().collect();
    let own_word = |at: usize| at == 0 || !(text[at - 1].is_alphanumeric() || matches!(text[at - 1], '_' | '.' | '#'));
    let opened = doors.iter().flat_map(|door| {
        let letters: Vec<char> = door.chars().collect();
        let found: Vec<usize> = (0..text.len()).filter(|at| text[*at..].starts_with(&letters)).collect();
        found.into_iter().filter(|at| own_word(*at) || *door == "innerHTML").map(move |at| (at, *door))
    });
    opened.map(|(at, door)| format!("{}:{}: {door} in a component", file.path, line(&text, at))).collect()
}

/// Compares each migration with its recorded sum; `recorded` has the lines that `sha256sum` prints.
fn changed_migrations(migrations: &[File], recorded: &str) -> Vec<String> {
    use sha2::{Digest, Sha256};

    let sums: Vec<(&str, &str)> = recorded.lines().filter_map(|line| line.split_once("  ")).collect();
    let mut wrong = Vec::new();
    for file in migrations {
        let hash: String = Sha256::digest(&file.text).iter().map(|byte| format!("{byte:02x}")).collect();
        match sums.iter().find(|(_, path)| *path == file.path) {
            None => wrong
                .push(format!("{0}:1: not recorded; add to tests/fixtures/migrations.sha256: {hash}  {0}", file.path)),
            Some((sum, _)) if *sum != hash => wrong.push(format!("{}:1: edited after it was recorded", file.path)),
            Some(_) => {}
        }
    }
    let gone = sums.iter().filter(|(_, path)| !migrations.iter().any(|file| file.path == *path));
    wrong.extend(gone.map(|(_, path)| format!("{path}:1: recorded, but not there")));
    wrong
}

fn unwanted_crates(lock: &str) -> Vec<String> {
    let versions = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    let twice =
        ONCE.iter().filter(|name| versions(name) > 1).map(|name| format!("Cargo.lock:1: two versions of {name}"));
    let present = NEVER.iter().filter(|name| versions(name) > 0).map(|name| format!("Cargo.lock:1: {name} came in"));
    twice.chain(present).collect()
}

fn head(text: &str) -> String {
    text.split_whitespace().take(4).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_statement_is_told_from_a_sentence() {
        for sql in ["select id from events", "INSERT INTO a values (1)", " update a set b = 1", "pragma user_version"] {
            assert!(is_sql(sql), "{sql}");
        }
        for prose in ["", "select a channel", "update: nothing to do", "create a link with elora-chat token", "begin"] {
            assert!(!is_sql(prose), "{prose}");
        }
        assert_eq!(
            stray_sql(&file("src/feed/hub.rs", "f();\nq(\"delete from events\")")),
            ["src/feed/hub.rs:2: SQL outside sql.rs: delete from events"]
        );
        assert!(stray_sql(&file("src/features/archive/sql.rs", "q(\"delete from events\")")).is_empty());
    }

    #[test]
    fn a_kit_that_uses_the_program_is_told() {
        let kit = |text: &str| inside_knowledge(&file("tests/it/support/x.rs", text)).len();

        assert_eq!(kit("use elora_chat::chat;\nuse crate::twitch;\nuse crate::support::soon;"), 2);
        assert_eq!(kit("// elora_chat\nlet program = \"elora_chat\";"), 0);
    }

    #[test]
    fn a_bare_spawn_is_found_and_a_tracked_one_is_not() {
        assert_eq!(
            bare_spawns(&file("src/a.rs", "\ntokio::spawn(f());")),
            ["src/a.rs:2: a task that nobody waits for"]
        );
        assert_eq!(bare_spawns(&file("src/a.rs", "use tokio::task; task::spawn(f());")).len(), 1);
        let fine = "tracker.spawn(f()); spawn_blocking(g); // tokio::spawn(x)\n#[cfg(test)] mod t { fn a() { tokio::spawn(f()) } }";
        assert!(bare_spawns(&file("src/a.rs", fine)).is_empty());
        assert!(bare_spawns(&file("src/stages.rs", "tokio::spawn(f())")).is_empty());
    }

    #[test]
    fn length_is_counted_from_signature_to_closing_brace() {
        let function = |lines: usize| format!("type F = fn(u8);\nfn long() {{\n{}}}\n", "a();\n".repeat(lines - 2));

        assert!(long_functions(&file("a.rs", &function(FUNCTION_LINES))).is_empty());
        assert_eq!(long_functions(&file("a.rs", &function(FUNCTION_LINES + 1))), ["a.rs:2: a function of 71 lines"]);
        assert!(long_file(&file("a.rs", &"\n".repeat(FILE_LINES))).is_none());
        assert!(long_file(&file("a.rs", &"\n".repeat(FILE_LINES + 1))).is_some());
    }

    #[test]
    fn marks_of_unfinished_work_are_found_as_words() {
        let text = format!("a\n// {}: later\n{}\nmethod_{}", concat!("TO", "DO"), concat!("to", "do!()"), "TODOS");

        assert_eq!(unfinished(&file("a.rs", &text)), ["a.rs:2: left for later", "a.rs:3: left for later"]);
    }

    #[test]
    fn a_component_may_not_open_a_side_door() {
        let text = "<p>{@html text}</p>\n<script>const a = fetch('/x'); prefetch(); feed.fetch()</script>";

        assert_eq!(
            side_doors(&file("a.svelte", text)),
            ["a.svelte:2: fetch( in a component", "a.svelte:1: {@html in a component"]
        );
    }

    #[test]
    fn an_edited_a_new_and_a_lost_migration_are_told() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let migrations = [file("migrations/1.sql", ""), file("migrations/2.sql", "x"), file("migrations/3.sql", "")];
        let recorded = format!("{empty}  migrations/1.sql\n{empty}  migrations/2.sql\n{empty}  migrations/4.sql\n");

        let told = changed_migrations(&migrations, &recorded);

        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].starts_with("migrations/2.sql:1: edited")
                && told[1].starts_with("migrations/3.sql:1: not recorded")
        );
        assert!(told[2].starts_with("migrations/4.sql:1: recorded"));
    }

    #[test]
    fn a_second_tls_stack_is_told() {
        let lock = "name = \"rustls\"\nname = \"rustls\"\nname = \"openssl-sys\"\nname = \"tokio\"";

        assert_eq!(
            unwanted_crates(lock),
            ["Cargo.lock:1: two versions of rustls", "Cargo.lock:1: openssl-sys came in"]
        );
    }
}
