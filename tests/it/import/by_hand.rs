//! `elora-chat import`: whatever file holds chat, once, and a wrong one changes nothing.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{NEW_YEAR, digest, finished, history, newest_first};
use crate::faults::unprivileged;
use crate::support::archive::{self, Maker, beside};
use crate::support::http::Request;
use crate::support::server::{Ended, Launch, Server, open_store};

/// Imports by hand into the launch's store.
async fn import(launch: &Launch, files: &[&Path]) -> Ended {
    let store = launch.db_path().to_str().unwrap();
    let mut args = vec!["import", "--db-path", store];
    args.extend(files.iter().map(|file| file.to_str().unwrap()));
    launch.run_command(&args).await
}

/// The last line, and that it went well.
fn outcome(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.said.lines().last().unwrap_or_default()
}

fn file(launch: &Launch, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = launch.dir().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn count(launch: &Launch) -> i64 {
    let messages = "select count(*) from events where kind = 'message'";
    // A run that was stopped at once has not even made the table.
    open_store(launch.db_path()).query_row(messages, [], |row| row.get(0)).unwrap_or(0)
}

#[tokio::test]
async fn files_of_every_maker_come_in_once_however_often_they_are_named() {
    let launch = Launch::new();
    let mut files = Vec::new();
    for (n, maker) in [Maker::Seed, Maker::Head, Maker::Gnasty].into_iter().enumerate() {
        let path = launch.dir().join(format!("{n}.db"));
        archive::write(&path, maker, &archive::rows(maker, NEW_YEAR + 1_000_000_000 * n as i64, 300));
        files.push(path);
    }
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let before: Vec<_> = files.iter().map(|file| digest(file)).collect();

    let first = import(&launch, &files).await;
    assert_eq!(outcome(&first), "imported 900, already there 0, unreadable 0");
    let again = import(&launch, &files).await;
    assert_eq!(outcome(&again), "imported 0, already there 900, unreadable 0");

    assert_eq!(files.iter().map(|file| digest(file)).collect::<Vec<_>>(), before);
    assert!(files.iter().all(|file| !beside(file, "-shm").exists() && !beside(file, "-wal").exists()));
    let server = launch.start().await;
    let expected: Vec<_> = [Maker::Gnasty, Maker::Head, Maker::Seed]
        .into_iter()
        .zip([2, 1, 0])
        .flat_map(|(maker, n)| newest_first(&archive::rows(maker, NEW_YEAR + 1_000_000_000 * n, 300)))
        .collect();
    assert_eq!(history(&server).await, expected);
}

#[tokio::test]
async fn an_export_and_a_backup_of_ours_bring_the_same_history() {
    let source = Launch::new();
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, 250);
    archive::write(source.db_path(), Maker::Gnasty, &rows);
    let server = source.start().await;
    finished(&server).await;
    let export = server.get("/api/messages/export?limit=1000").await.text();
    let launch = server.launch().clone();
    server.stop().await;
    let backup = launch.db_path().with_extension("events.db");

    for (name, from_backup) in [("export", false), ("backup", true)] {
        let target = Launch::new();
        let given = if from_backup { backup.clone() } else { file(&target, "export.ndjson", &export) };
        let before = digest(&given);
        assert_eq!(outcome(&import(&target, &[&given]).await), "imported 250, already there 0, unreadable 0", "{name}");
        assert_eq!(outcome(&import(&target, &[&given]).await), "imported 0, already there 250, unreadable 0", "{name}");
        assert_eq!(digest(&given), before, "{name}");
        let server = target.start().await;
        assert_eq!(history(&server).await, newest_first(&rows), "{name}");
    }
}

#[tokio::test]
async fn lines_of_any_dialect_come_in_and_those_nobody_can_read_are_counted() {
    let launch = Launch::new().env("TWITCH_CHANNELS", "lovelace");
    let lines = [
        json!({ "author": "Ada", "text": "plain", "at": "2026-01-01T00:00:01Z" }).to_string(),
        "@display-name=Ada;id=x1;room-id=7;tmi-sent-ts=1767225602000;user-id=9 :ada!ada@ada PRIVMSG #lovelace :raw"
            .into(),
        "not chat at all".into(),
        "x".repeat(3 * 1024 * 1024),
        json!({ "Platform": "Twitch", "Username": "Ada", "Text": "of gnasty", "Ts": "2026-01-01T00:00:03Z" })
            .to_string(),
        String::new(),
        "{}".into(),
    ];
    let given = file(&launch, "mixed.ndjson", lines.join("\n"));

    let ended = import(&launch, &[&given]).await;

    let expected = format!(
        "imported 3, already there 0, unreadable 3 (first: {} line 3: it is not a JSON object)",
        given.display()
    );
    assert_eq!(outcome(&ended), expected);
    let piped = ["sh", "-c", &format!("cat {} | \"$0\" \"$@\"", given.display())];
    let again = import(&launch.clone().wrapped(&piped), &[Path::new("-")]).await;
    assert!(
        outcome(&again).starts_with("imported 0, already there 3, unreadable 3 (first: stdin line 3"),
        "{}",
        again.said
    );
    let server = launch.start().await;
    let seen: Vec<_> = history(&server).await.into_iter().map(|seen| (seen.text, seen.at - NEW_YEAR)).collect();
    assert_eq!(seen, [("of gnasty".into(), 3000), ("raw".into(), 2000), ("plain".to_owned(), 1000)]);
}

#[tokio::test]
async fn a_wrong_file_is_told_and_changes_nothing() {
    let launch = Launch::new();
    let empty = launch.dir().join("empty.db");
    rusqlite::Connection::open(&empty).unwrap().execute_batch("create table other (a)").unwrap();
    let good = launch.dir().join("good.db");
    archive::write(&good, Maker::Gnasty, &archive::rows(Maker::Gnasty, NEW_YEAR, 3));
    let pipe = launch.dir().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let wrong = [
        (pipe, "what is piped in is named -"),
        (file(&launch, "picture.png", b"\x89PNG\r\n\x1a\n\0\0\0"), "none of its lines is chat"),
        (
            file(&launch, "export.csv", "id,ts,username,platform,text,emotes_json,raw_json\n1,2,a,b,c,[],\n"),
            "none of its lines",
        ),
        (file(&launch, "cut.db", b"SQLite format 3\0 and no more"), "cut.db"),
        (empty, "no table of messages"),
        (launch.dir().join("missing.db"), "missing.db cannot be read"),
        (launch.dir().to_owned(), "cannot be read"),
    ];
    for (path, what) in wrong {
        let ended = import(&launch, &[&good, &path]).await;
        assert_eq!(ended.code, Some(66), "{}: {}", path.display(), ended.said);
        assert!(ended.said.contains(what), "{}: {}", path.display(), ended.said);
        assert!(!launch.db_path().exists(), "{}", path.display());
    }
}

/// Imports by hand while this server has the store open.
async fn import_beside(server: &Server, files: &[&Path]) -> Ended {
    let (store, addr) = (server.launch().db_path().to_str().unwrap(), server.addr.to_string());
    let mut args = vec!["import", "--db-path", store, "--http-addr", &addr];
    args.extend(files.iter().map(|file| file.to_str().unwrap()));
    server.launch().run_command(&args).await
}

#[tokio::test]
async fn a_server_that_runs_takes_the_files_itself() {
    let launch = Launch::new();
    let given = launch.dir().join("old.db");
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, 700);
    archive::write(&given, Maker::Gnasty, &rows);
    let server = launch.start().await;

    let first = import_beside(&server, &[&given]).await;
    assert_eq!(outcome(&first), "imported 700, already there 0, unreadable 0");
    let export = server.get("/api/messages/export?limit=1000").await.text();
    let export = file(server.launch(), "export.ndjson", format!("{export}no chat\n"));
    let again = import_beside(&server, &[&given, &export]).await;

    let expected = format!(
        "imported 0, already there 1400, unreadable 1 (first: {} line 701: it is not a JSON object)",
        export.display()
    );
    assert_eq!(outcome(&again), expected);
    assert_eq!(history(&server).await, newest_first(&rows));
}

#[tokio::test]
async fn what_came_in_by_itself_is_known_when_it_comes_through_a_server() {
    let launch = Launch::new().env("TWITCH_CHANNELS", "lovelace");
    let lines = [
        json!({ "author": "Ada", "text": "no id https://example.com @ada", "at": "2026-01-01T00:00:01Z" }).to_string(),
        json!({ "Platform": "Kick", "Username": "Ada", "Text": "of gnasty", "Ts": "2026-01-01T00:00:03Z" }).to_string(),
        "@display-name=Ada;room-id=7;tmi-sent-ts=1767225602000;user-id=9 :ada!ada@ada PRIVMSG #lovelace :raw".into(),
        "@room-id=7;target-user-id=9;tmi-sent-ts=1700000000000 :tmi.twitch.tv CLEARCHAT #lovelace :ada".into(),
    ];
    let given = file(&launch, "lines.ndjson", lines.join("\n"));
    assert_eq!(outcome(&import(&launch, &[&given]).await), "imported 4, already there 0, unreadable 0");

    let server = launch.start().await;

    assert_eq!(outcome(&import_beside(&server, &[&given]).await), "imported 0, already there 4, unreadable 0");
}

#[tokio::test]
async fn a_store_whose_server_cannot_be_reached_is_left_alone() {
    let launch = Launch::new();
    let given = launch.dir().join("old.db");
    archive::write(&given, Maker::Gnasty, &archive::rows(Maker::Gnasty, NEW_YEAR, 3));
    let server = launch.start().await;

    let ended = import(&server.launch().clone().env("ELORA_HTTP_ADDR", "127.0.0.1:9"), &[&given]).await;

    assert_eq!(ended.code, Some(75), "{}", ended.said);
    assert!(ended.said.contains("stop") && ended.said.contains("127.0.0.1:9"), "{}", ended.said);
    assert!(history(&server).await.is_empty());
}

#[tokio::test]
async fn lines_are_taken_from_the_owner_alone() {
    let server = Launch::new().start().await;
    let lines = json!({ "platform": "twitch", "author": "Ada", "text": "hi" }).to_string() + "\nno chat\n";
    let post = || Request::new("POST", "/api/import").body("application/x-ndjson", lines.clone());

    assert_eq!(post().send(server.addr).await.status, 401);
    let answer = server.ask(post()).await;

    let expected = json!({ "imported": 1, "known": 0, "outdated": 0, "unreadable": 1, "first": "line 2: it is not a JSON object" });
    assert_eq!((answer.status, answer.json()), (200, expected));
}

#[tokio::test]
async fn what_was_stopped_goes_on_with_the_same_command() {
    const COUNT: usize = 30_000;
    let launch = Launch::new();
    let given = launch.dir().join("old.db");
    archive::write(&given, Maker::Gnasty, &archive::rows(Maker::Gnasty, NEW_YEAR, COUNT));

    let mut before = 0;
    // A machine that is busy has done nothing after half a second.
    for seconds in ["0.5", "1", "2", "4", "8"] {
        let hurried = launch.clone().wrapped(&["timeout", "-s", "INT", "--preserve-status", seconds]);
        let stopped = import(&hurried, &[&given]).await;
        assert_eq!(stopped.code, Some(130), "{}", stopped.said);
        before = if launch.db_path().exists() { count(&launch) } else { 0 };
        if before > 0 {
            assert!(stopped.said.contains(&format!("imported {before}, already there 0")), "{}", stopped.said);
            break;
        }
    }
    assert!(0 < before && before < COUNT as i64, "{before}");

    let rest = import(&launch, &[&given]).await;

    assert_eq!(outcome(&rest), format!("imported {}, already there 0, unreadable 0", COUNT as i64 - before));
    assert_eq!(count(&launch), COUNT as i64);
}

#[tokio::test]
async fn what_was_purged_does_not_come_back() {
    let launch = Launch::new();
    let given = launch.dir().join("old.db");
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, 20);
    archive::write(&given, Maker::Gnasty, &rows);
    let server = launch.start().await;
    let purge = Request::new("POST", "/api/messages/purge").json(&json!({ "before_ts": NEW_YEAR + 5_000 }));
    assert_eq!(server.ask(purge).await.status, 200);
    let launch = server.launch().clone();
    server.stop().await;

    let ended = import(&launch, &[&given]).await;

    let expected = "imported 15, already there 0, unreadable 0, older than the last purge and left out 5";
    assert_eq!(outcome(&ended), expected);
}

#[tokio::test]
async fn a_file_that_may_only_be_read_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let launch = unprivileged();
    let folder = launch.dir().join("locked");
    std::fs::create_dir(&folder).unwrap();
    let given = folder.join("old.db");
    archive::write(&given, Maker::Gnasty, &archive::rows(Maker::Gnasty, NEW_YEAR, 20));
    let open = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    open(&given, 0o444);
    open(&folder, 0o555);
    open(launch.dir(), 0o777);

    let ended = import(&launch, &[&given]).await;

    open(&folder, 0o755);
    assert_eq!(outcome(&ended), "imported 20, already there 0, unreadable 0");
}
