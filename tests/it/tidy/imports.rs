//! Which room may import which: the table of CONTRIBUTING.md, and the paths that a source names.

use super::source::{closing, line, places, scan};

/// A room of `src/` and what it may name besides itself. `web::problem` means that module alone, in either spelling.
const TABLE: &[(&str, &[&str])] = &[
    ("chat", &[]),
    ("config", &["chat"]),
    ("telemetry", &["config"]),
    ("stages", &[]),
    ("store", &["chat", "config", "stages"]),
    ("ingest", &["chat", "store", "config", "stages"]),
    ("feed", &["chat", "store", "config", "stages"]),
    ("web", &["chat", "store", "feed", "config", "stages"]),
    ("dialects", &["chat", "platforms::twitch"]),
    ("platforms", &["chat", "dialects", "ingest", "config", "stages", "web::problem"]),
    (
        "features",
        &[
            "chat",
            "dialects",
            "store",
            "feed",
            "ingest",
            "web",
            "config",
            "stages",
            "platforms::actions",
            "platforms::harvester",
            "platforms::login",
        ],
    ),
    ("cli", &["chat", "config", "app", "features::import", "store", "web", "platforms::exec"]),
];

/// The rooms that see everyone.
const ROOF: &[&str] = &["app", "lib"];

/// What `main.rs` may name of the library.
const MAIN: &[&str] = &["app", "config", "cli"];

/// Whatever the room, it may count and time what it does.
const EVERYWHERE: &str = "telemetry";

/// Rooms whose folders are strangers to each other.
const NEIGHBORS: &[&str] = &["features", "platforms"];

/// Every import of the source at `path` that the table does not allow, as `path:line: reason`.
///
/// `modules` are all modules of the crate, as `feed` and `feed::hub`: a first name that is none of them is an item of
/// lib.rs, which everyone may use.
pub fn offences(path: &str, text: &str, modules: &[String]) -> Vec<String> {
    let home = module(path);
    let room = home.first().map_or("lib", String::as_str);
    if ROOF.contains(&room) {
        return Vec::new();
    }
    if room != "main" && !TABLE.iter().any(|(name, _)| *name == room) {
        return vec![format!("{path}:1: {room} is in no line of the import table")];
    }
    named(text, &home)
        .into_iter()
        .filter(|(_, to)| to.first().is_some_and(|first| modules.contains(first)))
        .filter_map(|(line, to)| refusal(&home, &to, modules).map(|why| format!("{path}:{line}: {why}")))
        .collect()
}

/// Why `home` may not name `to`, if it may not.
fn refusal(home: &[String], to: &[String], modules: &[String]) -> Option<String> {
    let (room, other) = (home[0].as_str(), to[0].as_str());
    let target = to.join("::");
    if room == other {
        let folders =
            NEIGHBORS.contains(&room) && home.len() > 1 && to.len() > 1 && modules.contains(&to[..2].join("::"));
        return (folders && home[1] != to[1]).then(|| format!("{room}::{} may not name {target}", home[1]));
    }
    let allowed = match room {
        "main" => MAIN,
        _ => TABLE.iter().find(|(name, _)| *name == room)?.1,
    };
    let lower = to.iter().take(2).map(|part| part.to_lowercase()).collect::<Vec<_>>().join("::");
    let fits = allowed.iter().any(|name| *name == other || *name == lower) || other == EVERYWHERE;
    (!fits).then(|| format!("{room} may not name {target}"))
}

/// `src/feed/hub.rs` is module `feed::hub`; a `mod.rs` is its folder and `lib.rs` the root.
pub fn module(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// The paths of our own that a text names, from the crate's root, each with its line.
fn named(text: &str, home: &[String]) -> Vec<(usize, Vec<String>)> {
    let code = scan(text).code;
    let mut found = Vec::new();
    for root in ["crate", "elora_chat"] {
        for at in places(&code, root) {
            let after = at + root.len();
            if code[after..].starts_with(&[':', ':']) {
                extend(&code, after + 2, &[], line(&code, at), &mut found);
            }
        }
    }
    for at in places(&code, "super") {
        // Only the first `super` of a chain; the others are counted from it.
        if at >= 2 && code[at - 1] == ':' {
            continue;
        }
        let (after, count) = supers(&code, at);
        let mut base = home.to_vec();
        base.extend(enclosing(&code, at));
        base.truncate(base.len().saturating_sub(count));
        extend(&code, after, &base, line(&code, at), &mut found);
    }
    found
}

/// The place after a chain of `super::`, and its length.
fn supers(code: &[char], mut at: usize) -> (usize, usize) {
    let step: Vec<char> = "super::".chars().collect();
    let mut count = 0;
    while code[at..].starts_with(&step) {
        (at, count) = (at + step.len(), count + 1);
    }
    (at, count)
}

/// The inline modules around a place, outermost first.
fn enclosing(code: &[char], at: usize) -> Vec<String> {
    places(&code[..at], "mod")
        .into_iter()
        .filter_map(|start| {
            let name: String = code[start + 4..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
            let open = start + 4 + name.len() + 1;
            (code.get(open) == Some(&'{') && closing(code, open) > at).then_some(name)
        })
        .collect()
}

/// Adds the paths of the use tree that begins at `at`, each after `base`.
fn extend(code: &[char], at: usize, base: &[String], line: usize, found: &mut Vec<(usize, Vec<String>)>) {
    let at = skip_blanks(code, at);
    if code.get(at) == Some(&'{') {
        let end = closing(code, at);
        let mut begin = at + 1;
        for i in commas(code, at + 1, end).into_iter().chain([end]) {
            if code[begin..i].iter().any(|c| !c.is_whitespace()) {
                extend(code, begin, base, line + breaks(code, at, skip_blanks(code, begin)), found);
            }
            begin = i + 1;
        }
        return;
    }
    let name: String = code[at..].iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '*')).collect();
    let after = at + name.len();
    let path = [base, &[name]].concat();
    if code[after..].starts_with(&[':', ':']) && code.get(after + 2) != Some(&'<') {
        extend(code, after + 2, &path, line, found);
    } else {
        found.push((line, path));
    }
}

/// The commas between `from` and `to` that are in no inner brace.
fn commas(code: &[char], from: usize, to: usize) -> Vec<usize> {
    let mut depth = 0;
    (from..to)
        .filter(|i| {
            match code[*i] {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && code[*i] == ','
        })
        .collect()
}

fn skip_blanks(code: &[char], at: usize) -> usize {
    at + code[at.min(code.len())..].iter().take_while(|c| c.is_whitespace()).count()
}

fn breaks(code: &[char], from: usize, to: usize) -> usize {
    code[from..to].iter().filter(|c| **c == '\n').count()
}

#[cfg(test)]
mod tests {
    use super::offences;

    fn check(path: &str, text: &str) -> Vec<String> {
        let rooms = "app chat config feed features platforms store telemetry web features::archive features::votes";
        let modules: Vec<String> = rooms.split(' ').map(str::to_owned).collect();
        offences(path, text, &modules)
    }

    #[test]
    fn an_import_against_the_stream_is_named_with_its_line() {
        assert_eq!(
            check("src/chat/event.rs", "\nuse crate::store::Db;"),
            ["src/chat/event.rs:2: chat may not name store::Db"]
        );
        assert_eq!(
            check("src/store/writer.rs", "use crate::{\n    chat::Event,\n    feed::{Hub, Topic},\n};"),
            [
                "src/store/writer.rs:3: store may not name feed::Hub",
                "src/store/writer.rs:3: store may not name feed::Topic",
            ]
        );
        assert_eq!(
            check("src/feed/hub.rs", "fn a() { crate::web::serve() }"),
            ["src/feed/hub.rs:1: feed may not name web::serve"]
        );
        assert_eq!(
            check("src/store/mod.rs", "use super::feed::Hub;"),
            ["src/store/mod.rs:1: store may not name feed::Hub"]
        );
        assert_eq!(check("src/main.rs", "use elora_chat::store::Db;"), ["src/main.rs:1: main may not name store::Db"]);
        assert_eq!(check("src/stray.rs", ""), ["src/stray.rs:1: stray is in no line of the import table"]);
    }

    #[test]
    fn neighbors_do_not_name_each_other() {
        assert_eq!(
            check("src/features/archive/api.rs", "use crate::features::votes::tally;"),
            ["src/features/archive/api.rs:1: features::archive may not name features::votes::tally"]
        );
        assert!(check("src/features/archive/api.rs", "use crate::features::archive::sql;").is_empty());
        assert_eq!(check("src/features/votes/mod.rs", "use crate::platforms::twitch::Irc;").len(), 1);
        assert!(check("src/features/votes/mod.rs", "use crate::platforms::{Actions, Login};").is_empty());
    }

    #[test]
    fn what_the_table_allows_passes() {
        assert!(check("src/store/writer.rs", "use crate::chat::{Event, NewEvent as New};").is_empty());
        assert!(check("src/platforms/twitch/chat.rs", "use crate::web::problem::Problem;").is_empty());
        assert!(check("src/web/mod.rs", "// crate::features\nconst A: &str = \"crate::app\";").is_empty());
        assert!(check("src/feed/hub.rs", "mod tests { use super::super::Frame; use super::*; }").is_empty());
        assert!(check("src/feed/hub.rs", "pub(crate) fn a() { crate::telemetry::count() }").is_empty());
        assert!(check("src/app.rs", "use crate::{web, store};").is_empty());
    }
}
