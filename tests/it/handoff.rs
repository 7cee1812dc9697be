//! Tokens for programs beside this one: which files get them, how they are written, and who is told.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use crate::faults::unprivileged;
use crate::support::server::Launch;
use crate::support::twitch::Twitch;
use crate::support::upstream::{Reply, Upstream};

const TOKEN: &str = "s3cr3tt0k3n";

fn fine() -> Reply {
    Reply::new(200, "application/json", "{}")
}

/// gnasty, and a server with a folder in common whose files it has not made yet.
async fn gnasty() -> (Upstream, Launch, PathBuf) {
    let gnasty = Upstream::start(|_| fine()).await;
    let launch = Launch::new();
    let folder = launch.dir().join("for/gnasty");
    let launch = launch
        .env("ELORA_GNASTY_RELOAD_URL", &format!("{}/reload", gnasty.origin()))
        .env("ELORA_DATA_DIR", &folder.display().to_string());
    (gnasty, launch, folder)
}

/// The same without gnasty being there.
fn launch() -> (Launch, PathBuf) {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "none").env("ELORA_TAILER_ENABLED", "1");
    let file = launch.dir().join("twitch_irc.pass");
    (launch, file)
}

fn with(launch: Launch, token: &str) -> Launch {
    launch.env("ELORA_TWITCH_OAUTH_TOKEN", token)
}

async fn starts(launch: &Launch) -> String {
    let ended = launch.clone().start().await.stop().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.said
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_token_is_its_owners_alone_and_gnasty_is_told_once() {
    let (gnasty, launch, folder) = gnasty().await;
    let server = with(launch, TOKEN).start().await;
    gnasty.until_asked(1).await;

    let file = folder.join("twitch_irc.pass");
    assert_eq!(names(&folder), ["twitch_irc.pass"], "nothing half-written, and no refresh token where there is none");
    assert_eq!((text(&file), mode(&file)), (format!("oauth:{TOKEN}\n"), 0o600));
    assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    let told = &gnasty.asked()[0];
    assert_eq!((told.method.as_str(), told.path.as_str(), told.body.as_str()), ("POST", "/reload", ""));
    let shown = server.get("/configz").await.json()["auth"]["twitch"].clone();
    assert_eq!(shown["write_gnasty_tokens"], true);
    assert_eq!(shown["access_token_path"], file.display().to_string());
    assert_eq!(shown["refresh_token_path"], folder.join("twitch_refresh.pass").display().to_string());
    let printed = server.launch().run_command(&["config"]).await;
    let ended = server.stop().await;
    for said in [ended.said, printed.said, shown.to_string()] {
        assert!(!said.contains(TOKEN), "{said}");
    }
}

#[tokio::test]
async fn the_same_token_is_not_written_again_and_another_one_is() {
    let (gnasty, launch, folder) = gnasty().await;
    let file = folder.join("twitch_irc.pass");
    let stamp = || file.metadata().map(|file| (file.ino(), file.mtime(), file.mtime_nsec())).unwrap();
    let server = with(launch.clone(), "one").start().await;
    gnasty.until_asked(1).await;
    server.stop().await;
    let before = stamp();

    starts(&with(launch.clone(), "oauth:one")).await;
    let after = stamp();
    // A new token that somebody else was quicker to write.
    fs::write(&file, "oauth:three\n").unwrap();
    let quicker = stamp();
    starts(&with(launch.clone(), "three")).await;
    let kept = stamp();
    let server = with(launch.clone(), "two").start().await;
    gnasty.until_asked(2).await;
    server.stop().await;

    assert_eq!((after, kept), (before, quicker));
    assert_eq!(text(&file), "oauth:two\n");
    assert_eq!(gnasty.asked().len(), 2, "what did not change is not told");
}

#[tokio::test]
async fn what_somebody_else_wrote_stays_until_another_token_is_configured() {
    let (launch, file) = launch();
    starts(&with(launch.clone(), "one")).await;
    fs::write(&file, "oauth:renewed-by-gnasty\n").unwrap();

    let said = starts(&with(launch.clone(), "one")).await;
    let kept = text(&file);
    starts(&with(launch.clone(), "two")).await;

    assert_eq!(kept, "oauth:renewed-by-gnasty\n");
    assert!(said.contains("another token stands there and stays"), "{said}");
    assert_eq!(text(&file), "oauth:two\n");
}

#[tokio::test]
async fn a_token_file_that_is_there_wins_over_a_token_that_is_configured() {
    let (launch, pass) = launch();
    let file = launch.dir().join("token");
    let launch = launch.env("ELORA_TWITCH_TOKEN_FILE", "token").env("ELORA_TWITCH_WRITE_GNASTY_TOKENS", "0");
    fs::write(&file, "from-the-file").unwrap();

    starts(&with(launch.clone(), "configured")).await;
    let kept = text(&file);
    // Whoever maintains it may have emptied it.
    fs::write(&file, "\n").unwrap();
    starts(&with(launch.clone(), "configured")).await;

    assert_eq!(kept, "from-the-file");
    assert_eq!(text(&file), "oauth:configured\n");
    assert!(!pass.exists(), "switched off");
}

#[tokio::test]
async fn our_own_listener_logs_in_once_with_a_token_that_was_handed_on() {
    let twitch = Twitch::start().await;
    let launch = Launch::new()
        .twitch(&twitch, &["room"])
        .env("TWITCH_USERNAME", "ada_l")
        .env("ELORA_TWITCH_TOKEN_FILE", "made/token");
    let file = launch.dir().join("made/token");
    let _server = with(launch, "fresh").start().await;

    twitch.joined("room").await;

    assert_eq!(text(&file), "oauth:fresh\n");
    twitch.read(|book| {
        assert_eq!(book.connections.len(), 1);
        assert_eq!(book.connections[0].token.as_deref(), Some("oauth:fresh"));
    });
}

#[tokio::test]
async fn nothing_is_left_where_nobody_would_read_it() {
    let launch = with(Launch::new().env("ELORA_INGEST_DRIVER", "none"), TOKEN);
    let folder = launch.dir().join("shared");
    fs::create_dir(&folder).unwrap();
    let launch = launch.env("ELORA_DATA_DIR", &folder.display().to_string());

    starts(&launch).await;
    starts(&launch.clone().env("ELORA_TAILER_ENABLED", "1").env("ELORA_TWITCH_WRITE_GNASTY_TOKENS", "off")).await;
    starts(&launch.clone().env("ELORA_TAILER_ENABLED", "1").env("ELORA_TWITCH_OAUTH_TOKEN", "")).await;
    let littered = names(&folder);
    starts(&launch.clone().env("ELORA_TAILER_ENABLED", "1")).await;

    assert_eq!(littered, [""; 0]);
    assert_eq!(names(&folder), ["twitch_irc.pass"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_finds_half_a_token() {
    let (launch, file) = launch();
    let (short, long) = ("a".repeat(8), "b".repeat(1000));
    starts(&with(launch.clone(), &short)).await;
    let is_over = AtomicBool::new(false);

    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                seen.insert(text(&file));
            }
            seen
        });
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            for token in [&long, &short, &long] {
                runtime.block_on(starts(&with(launch.clone(), token)));
            }
        });
        is_over.store(true, Ordering::Relaxed);
        let seen: Vec<String> = reader.join().unwrap().into_iter().collect();
        assert_eq!(seen, [format!("oauth:{short}\n"), format!("oauth:{long}\n")]);
    });
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_with_what_to_do() {
    let launch = unprivileged();
    let folder = launch.dir().join("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    let ours = launch.dir().join("ours");
    fs::create_dir(&ours).unwrap();
    fs::set_permissions(&ours, Permissions::from_mode(0o777)).unwrap();
    let launch = launch
        .db(ours.join("elora.db"))
        .env("ELORA_TAILER_ENABLED", "1")
        .env("ELORA_DATA_DIR", &folder.display().to_string());

    let server = with(launch, TOKEN).start().await;

    server.until_it_says("set ELORA_DATA_DIR to a folder that this user may write").await;
    assert_eq!(server.get("/readyz").await.status, 200);
    assert!(server.said().contains("Permission denied") && !server.said().contains(TOKEN), "{}", server.said());
    assert_eq!(names(&folder), [""; 0]);
}

#[tokio::test]
async fn what_is_no_token_file_is_left_as_it_is() {
    let (launch, pass) = launch();
    let other = launch.dir().join("other");
    fs::write(&other, "").unwrap();
    symlink(&other, &pass).unwrap();
    let letter = launch.dir().join("letter");
    fs::write(&letter, "dear all, this is no token").unwrap();
    starts(&with(launch.clone(), "one")).await;

    let launch = launch.env("ELORA_TWITCH_TOKEN_FILE", "letter");
    let said = starts(&with(launch.clone(), "two")).await;
    fs::create_dir(launch.dir().join("folder")).unwrap();
    let of_folder = starts(&with(launch.clone().env("ELORA_TWITCH_TOKEN_FILE", "folder"), "three")).await;

    assert!(said.contains("is a link") && said.contains("holds something else than a token"), "{said}");
    assert!(of_folder.contains("folder is no file"), "{of_folder}");
    assert_eq!((text(&other), text(&letter)), (String::new(), "dear all, this is no token".to_owned()));
    assert!(pass.symlink_metadata().unwrap().is_symlink());
    assert_eq!(names(&launch.dir().join("folder")), [""; 0]);
}

#[tokio::test]
async fn a_draft_of_somebody_else_is_not_written_through() {
    let (launch, file) = launch();
    let target = launch.dir().join("target");
    fs::write(&target, "precious").unwrap();
    symlink(&target, launch.dir().join(".twitch_irc.pass.tmp")).unwrap();

    starts(&with(launch.clone(), "one")).await;

    assert_eq!((text(&target), text(&file)), ("precious".to_owned(), "oauth:one\n".to_owned()));
}

#[tokio::test]
async fn a_harvester_that_is_away_or_refuses_does_not_matter() {
    let refusing = Upstream::start(|_| Reply::new(500, "text/plain", "reload failed: bad oauth:s3cr3tt0k3n")).await;
    let (launch, _) = launch();
    let away =
        with(launch.clone(), "one").env("ELORA_GNASTY_RELOAD_URL", "http://user:hidden@127.0.0.1:9/x").start().await;
    away.until_it_says("is away").await;
    assert_eq!(away.get("/readyz").await.status, 200);
    let said = away.stop().await.said;
    assert!(said.contains("WARN") && !said.contains("hidden"), "{said}");

    // Without a named address it is below the one where gnasty takes its configuration.
    let refused = with(launch, "two").env("ELORA_GNASTY_ADMIN_BASE", &refusing.origin()).start().await;

    refused.until_it_says("it answered 500").await;
    let told = refusing.asked().into_iter().filter(|asked| asked.path == "/admin/twitch/reload");
    assert_eq!(told.count(), 1);
    let said = refused.stop().await.said;
    assert!(said.lines().all(|line| !line.contains("was not told") || !line.contains(TOKEN)), "{said}");
}

const NOW: &str = "strftime('%s')";

/// A file as an elora-chat of old left it, with its log. `sessions` are rows of SQL: service, JSON, expiry, change.
fn old_file(path: &Path, sessions: &[(&str, &str, &str, &str)]) -> Connection {
    let connection = Connection::open(path).unwrap();
    let schema = "create table messages(id TEXT PRIMARY KEY, ts INTEGER NOT NULL, username TEXT NOT NULL,
            platform TEXT NOT NULL, text TEXT NOT NULL, emotes_json TEXT NOT NULL DEFAULT '[]', raw_json TEXT,
            badges_json TEXT NOT NULL DEFAULT '[]');
        create table sessions(token TEXT PRIMARY KEY, service TEXT NOT NULL, data_json TEXT NOT NULL,
            token_expiry INTEGER NOT NULL, updated_at INTEGER NOT NULL);";
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.execute_batch(schema).unwrap();
    for (number, (service, data, expiry, updated)) in sessions.iter().enumerate() {
        let row = format!("insert into sessions values ({number}, ?1, ?2, {expiry}, {updated})");
        connection.execute(&row, (service, data)).unwrap();
    }
    connection
}

#[tokio::test]
async fn an_elora_of_old_hands_on_its_newest_token_that_is_still_good() {
    let (launch, pass) = launch();
    let old = launch.dir().join("gnasty.db");
    let launch = launch.db(old.clone());
    let good = format!("{NOW} + 3600");
    let rows = [
        ("twitch", r#"{"twitch_token":"expired"}"#, "strftime('%s') - 5", NOW),
        ("twitch", r#"{"services":["twitch"],"twitch_token":"older","refresh_token":"r1"}"#, &good, "100"),
        ("service_token", r#"{"access_token":"newest","refresh_token":"r2"}"#, &good, "200"),
        ("oauth", r#"{"state":"valid"}"#, &good, NOW),
        ("youtube", r#"{"twitch_token":"of-another-service"}"#, &good, NOW),
    ];
    let writer = old_file(&old, &rows);
    let before = (fs::read(&old).unwrap(), fs::read(old.with_extension("db-wal")).unwrap());

    let said = starts(&launch).await;

    let refresh = pass.with_file_name("twitch_refresh.pass");
    assert_eq!((text(&pass), text(&refresh)), ("oauth:newest\n".to_owned(), "r2\n".to_owned()));
    assert_eq!(mode(&refresh), 0o600);
    assert!(!said.contains("newest\n") && !said.contains("r2\n"), "{said}");
    assert_eq!(before, (fs::read(&old).unwrap(), fs::read(old.with_extension("db-wal")).unwrap()), "it is only read");
    writer.execute("insert into sessions values ('x', 'twitch', '{}', 0, 0)", ()).expect("nothing is in its way");
}

#[tokio::test]
async fn a_stored_token_replaces_what_is_older_than_it_and_nothing_newer() {
    let (launch, pass) = launch();
    let old = launch.dir().join("gnasty.db");
    let launch = launch.db(old.clone());
    let hour = Duration::from_secs(3600);
    let updated = "strftime('%s') - 1800";
    drop(old_file(&old, &[("twitch", r#"{"providers":{"twitch":{"token":"stored"}}}"#, "0", updated)]));
    let written = |ago: Duration| {
        fs::write(&pass, "oauth:there\n").unwrap();
        fs::File::options().write(true).open(&pass).unwrap().set_modified(SystemTime::now() - ago).unwrap();
    };

    written(hour / 4);
    starts(&launch).await;
    let newer = text(&pass);
    written(hour);
    starts(&launch).await;
    let older = text(&pass);
    fs::remove_file(&pass).unwrap();
    starts(&with(launch.clone(), "configured")).await;

    assert_eq!((newer.as_str(), older.as_str()), ("oauth:there\n", "oauth:stored\n"));
    assert_eq!(text(&pass), "oauth:configured\n", "what is configured is stronger");
}
