//! What can be wrong on the machine: each time the message, the exit code or the 503 says so, and nothing is lost.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::support::http::Answer;
use crate::support::scene::{until_state, watching, watching_with};
use crate::support::server::{Ended, Launch, Server, asked_until};
use crate::support::skip::skipped;
use crate::support::twitch::{ADA, Twitch};
use crate::support::within;

const CONFIGURATION: i32 = 64;
const DATA: i32 = 65;
const UNAVAILABLE: i32 = 69;
const CANNOT_CREATE: i32 = 73;
const TEMPORARY: i32 = 75;

/// A user without any rights; root, who may run the tests, would be above permissions.
const NOBODY: u32 = 65_534;
/// Room on the small disk, and how much of it is taken when the server starts.
const DISK: &str = "12m";
const FILLER: &str = "9M";
/// Enough for the schema and some rows, and soon full.
const FEW_PAGES: &str = "max_page_count=60";
/// Far more changes than fit into the store's pages.
const MOST_CHANGES: usize = 2000;

fn assert_ends(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}", ended.said);
    for word in words {
        assert!(ended.said.contains(word), "`{word}` is not said:\n{}", ended.said);
    }
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me)).is_ok_and(|uid| uid == 0)
}

/// A launch as a user without rights, of a copy of the program that this user can reach.
pub fn unprivileged() -> Launch {
    let launch = Launch::new();
    std::fs::set_permissions(launch.dir(), PermissionsExt::from_mode(0o755)).unwrap();
    if !is_root() {
        return launch;
    }
    let copy = launch.dir().join("elora-chat");
    std::fs::copy(env!("CARGO_BIN_EXE_elora-chat"), &copy).unwrap();
    launch.program(copy).uid(NOBODY)
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn a_store_that_is_taken_away_is_told() {
    let server = Launch::new().start().await;
    let path = server.launch().db_path().to_owned();
    let elsewhere = path.with_extension("elsewhere");
    assert_eq!(server.get("/readyz").await.status, 200);

    std::fs::rename(&path, &elsewhere).unwrap();
    let away = server.get("/readyz").await;
    std::fs::rename(&elsewhere, &path).unwrap();

    assert_eq!(away.status, 503);
    assert!(away.text().contains("was moved, replaced or deleted"), "{}", away.text());
    assert_eq!(server.get("/readyz").await.status, 200, "it is back");
}

#[tokio::test]
async fn without_a_network_it_serves_and_says_what_it_waits_for() {
    for upstream in ["ws://127.0.0.1:9", "ws://no-such-host.invalid:80"] {
        let launch = Launch::new().env("TWITCH_IRC_URL", upstream).env("TWITCH_CHANNELS", "room");
        let server = launch.start().await;
        let mut feed = server.feed("?last=0").await;

        let state = until_state(&mut feed, "room", "backoff").await;

        assert!(state["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{upstream}: {state}");
        assert_eq!(server.get("/healthz").await.status, 200);
        assert_eq!(server.get("/readyz").await.status, 200, "the store is ready, whatever Twitch does");
        assert_eq!(server.stop().await.code, Some(0));
    }
}

#[tokio::test]
async fn a_read_only_folder_is_named_with_the_user_who_may_not_write() {
    let launch = unprivileged();
    let folder = launch.dir().join("data");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o555)).unwrap();

    let ended = launch.clone().db(folder.join("elora.db")).run().await;

    assert_ends(&ended, CANNOT_CREATE, &["data/elora.db", "not writable"]);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[tokio::test]
async fn a_read_only_store_is_refused_at_the_start() {
    let launch = unprivileged();
    let folder = launch.dir().join("data");
    std::fs::create_dir(&folder).unwrap();
    let launch = launch.db(folder.join("elora.db"));
    let store = launch.db_path().to_owned();
    let owner = Launch::new().db(store.clone()).start().await;
    assert_eq!(owner.stop().await.code, Some(0));
    std::fs::set_permissions(&store, PermissionsExt::from_mode(0o444)).unwrap();
    let before = bytes(&store);

    let ended = launch.clone().run().await;

    assert_ends(&ended, CANNOT_CREATE, &["elora.db", "not writable"]);
    assert_eq!(bytes(&store), before);
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_named_at_the_start() {
    let server = Launch::new().start().await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let log = launch.dir().join("elora.db-wal");
    if log.exists() {
        std::fs::remove_file(&log).unwrap();
    }
    std::fs::create_dir(log).unwrap();

    let ended = launch.run().await;

    assert_ends(&ended, CANNOT_CREATE, &["elora.db", "not writable"]);
}

#[tokio::test]
async fn a_store_that_is_full_at_the_start_is_told() {
    let server = Launch::new().start().await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let channels: Vec<String> = (0..500).map(|n| format!("somebody_with_a_name_{n}")).collect();

    let ended =
        launch.env("ELORA_DB_PRAGMAS_EXTRA", "max_page_count=1").env("TWITCH_CHANNELS", &channels.join(",")).run();

    assert_ends(&ended.await, CANNOT_CREATE, &["elora.db", "full"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let launch = Launch::new();
    let file = launch.dir().join("file");
    std::fs::write(&file, "not a folder").unwrap();

    let ended = launch.db(file.join("elora.db")).run().await;

    assert_ends(&ended, CANNOT_CREATE, &["file"]);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();

    let ended = Launch::new().arg("--http-addr").arg(&addr).run().await;

    assert_ends(&ended, UNAVAILABLE, &[&addr]);
}

#[tokio::test]
async fn an_address_of_another_machine_is_told_from_a_taken_port() {
    let ended = Launch::new().arg("--http-addr").arg("192.0.2.1:0").run().await;

    assert_ends(&ended, 1, &["192.0.2.1:0", "no such address"]);
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() {
    let server = Launch::new().start().await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let store = Connection::open(launch.db_path()).unwrap();
    store.pragma_update(None, "user_version", 9999).unwrap();
    store.close().unwrap();
    let before = bytes(launch.db_path());

    let ended = launch.clone().run().await;

    assert_ends(&ended, DATA, &["newer version", "9999"]);
    assert_eq!(bytes(launch.db_path()), before);
}

#[tokio::test]
async fn files_of_others_are_left_alone() {
    let text = Launch::new();
    std::fs::write(text.db_path(), "this is a letter, not a database. ".repeat(20)).unwrap();
    let other = Launch::new();
    let connection = Connection::open(other.db_path()).unwrap();
    connection
        .execute_batch("create table accounts (id integer primary key); insert into accounts values (1);")
        .unwrap();
    connection.close().unwrap();

    for launch in [text, other] {
        let before = bytes(launch.db_path());
        let ended = launch.clone().run().await;
        assert_ends(&ended, DATA, &["elora.db"]);
        assert_eq!(bytes(launch.db_path()), before);
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_turned_away() {
    let (twitch, first, mut feed) = watching(&["room"]).await;

    let second = first.launch().clone().run().await;

    assert_ends(&second, TEMPORARY, &[&first.pid().to_string()]);
    let said = twitch.say("room", &ADA, "the first goes on").await;
    feed.event(&said).await;
}

#[tokio::test]
async fn all_bad_settings_are_told_at_once() {
    let launch = Launch::new()
        .env("LOG_FORMAT", "xml")
        .env("ELORA_FEED_BATCH", "many")
        .env("ELORA_INGEST_DRIVER", "telepathy")
        .env("TWITCH_IRC_URL", "ftp://example.com");

    let ended = launch.run().await;

    let words = ["LOG_FORMAT", "xml", "ELORA_FEED_BATCH", "many", "ELORA_INGEST_DRIVER", "telepathy", "TWITCH_IRC_URL"];
    assert_ends(&ended, CONFIGURATION, &words);
    for driver in ["native", "gnasty", "chatdownloader", "exec", "replay", "none"] {
        assert!(ended.said.contains(driver), "the driver {driver} is not listed:\n{}", ended.said);
    }
}

/// A file as gnasty-chat makes it, with two lines of chat.
fn gnasty(path: &Path, journal: &str) -> Connection {
    let file = Connection::open(path).unwrap();
    file.pragma_update(None, "journal_mode", journal).unwrap();
    file.execute_batch(
        "create table messages (id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, platform_msg_id TEXT,
           ts INTEGER NOT NULL, username TEXT NOT NULL, text TEXT NOT NULL, emotes_json TEXT NOT NULL DEFAULT '[]',
           raw_json TEXT NOT NULL DEFAULT '', badges_json TEXT NOT NULL DEFAULT '[]', colour TEXT NOT NULL DEFAULT '');
         create unique index messages_uq_platform_msg on messages (platform, platform_msg_id);
         create unique index messages_upsert_key on messages (platform, ts, username, text);
         insert into messages (platform, platform_msg_id, ts, username, text)
           values ('Twitch', 'm-1', 1767225600000, 'ada', 'hello'), ('YouTube', 'm-2', 1767225601000, 'bob', 'hi');",
    )
    .unwrap();
    file
}

#[tokio::test]
async fn a_gnasty_file_at_the_path_keeps_every_byte() {
    for journal in ["delete", "wal"] {
        let twitch = Twitch::start().await;
        let launch = Launch::new().twitch(&twitch, &["room"]);
        gnasty(launch.db_path(), journal).close().unwrap();
        let (theirs, ours) = (launch.db_path().to_owned(), launch.dir().join("elora.events.db"));
        let before = bytes(&theirs);

        let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
        let said = twitch.say("room", &ADA, "kept beside it").await;
        feed.event(&said).await;
        let launch = server.launch().clone();
        assert_eq!(server.stop().await.code, Some(0));

        assert_eq!(bytes(&theirs), before, "journal mode {journal}");
        for suffix in ["-wal", "-shm", "-journal"] {
            assert!(!launch.dir().join(format!("elora.db{suffix}")).exists(), "{suffix} lies beside it");
        }
        // Below 1 lies what was brought in from their file.
        let heard: i64 = Connection::open(&ours)
            .unwrap()
            .query_row("select count(*) from events where kind = 'message' and id > 0", [], |row| row.get(0))
            .unwrap();
        assert_eq!(heard, 1);
    }
}

#[tokio::test]
async fn a_gnasty_file_in_use_is_not_disturbed() {
    let launch = Launch::new();
    let writer = gnasty(launch.db_path(), "wal");
    let before = bytes(launch.db_path());

    let server = launch.start().await;
    writer
        .execute("insert into messages (platform, ts, username, text) values ('Twitch', 1, 'eve', 'yo')", [])
        .unwrap();
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));

    assert_eq!(bytes(launch.db_path()), before, "it was checkpointed by somebody else");
    let rows: i64 = writer.query_row("select count(*) from messages", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn an_ephemeral_store_removes_only_itself() {
    let launch = Launch::new();
    let temporary = launch.dir().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    std::fs::write(temporary.join("elora-chat.db"), "somebody's file").unwrap();
    std::fs::write(launch.db_path(), "somebody's file").unwrap();
    let launch = launch.env("ELORA_DB_MODE", "ephemeral").env("TMPDIR", temporary.to_str().unwrap());

    let server = launch.start().await;
    let made: Vec<_> = folders(&temporary).collect();
    let [folder] = &made[..] else { panic!("one folder is made, not {made:?}") };
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "others can look into it");
    assert!(folder.join("elora.db").exists());
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));

    assert_eq!(folders(&temporary).count(), 0);
    assert_eq!(bytes(&temporary.join("elora-chat.db")), b"somebody's file");
    assert_eq!(bytes(launch.db_path()), b"somebody's file");
}

#[tokio::test]
async fn the_table_of_routes_leaves_nothing_behind() {
    let launch = Launch::new();
    let temporary = launch.dir().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let launch = launch.env("TMPDIR", temporary.to_str().unwrap());

    assert_eq!(launch.run_command(&["routes"]).await.code, Some(0));

    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

fn folders(within: &Path) -> impl Iterator<Item = PathBuf> {
    let found = std::fs::read_dir(within).unwrap().map(|entry| entry.unwrap().path());
    found.filter(|path| path.is_dir())
}

/// Says chat until the store has no room left, which `/readyz` must tell.
async fn fill(twitch: &Twitch, server: &Server) {
    let full = asked_until("/readyz tells of the full store", server, "/readyz", |answer| answer.status == 503);
    let flood = async {
        loop {
            twitch.burst("room", 200, 2000).await;
        }
    };
    let answer = tokio::select! {
        answer = full => answer,
        () = flood => unreachable!("the flood does not end"),
    };
    assert!(answer.text().to_lowercase().contains("full"), "the cause is not said: {}", answer.text());
}

/// A store without room for chat may still have some for a small change: makes large ones until one is refused.
async fn change_until_refused(server: &Server) -> Answer {
    for n in 0..MOST_CHANGES {
        let answer = server.add_source(&format!("youtube:@{}{n}", "x".repeat(90))).await;
        if answer.status != 201 {
            return answer;
        }
    }
    panic!("{MOST_CHANGES} changes fit into a full store");
}

#[tokio::test]
async fn a_full_store_is_told_and_what_was_committed_stays() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DB_PRAGMAS_EXTRA", FEW_PAGES);
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;

    fill(&twitch, &server).await;

    assert_eq!(server.get("/healthz").await.status, 200, "it is alive");
    let refused = change_until_refused(&server).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("full")), "{}", refused.text());
    assert!(server.get("/api/messages").await.json()["items"].as_array().is_some_and(|items| !items.is_empty()));
    let stored: Vec<String> = server.column("select native_id from events where kind = 'message' order by id");
    feed.until_all(&stored).await;
    let launch = server.launch().clone().env("ELORA_DB_PRAGMAS_EXTRA", "").env("TWITCH_CHANNELS", "other");
    server.signal("TERM");
    server.end().await;
    let server = launch.start().await;
    let mut again = server.feed(&format!("?since={}", feed.cursor)).await;
    twitch.joined("other").await;
    let said = twitch.say("other", &ADA, "there is room again").await;
    again.event(&said).await;
}

/// A launch whose folder is a small disk of its own, nearly full. None where the system grants no mount namespace.
fn on_a_small_disk() -> Option<(Launch, PathBuf)> {
    let namespace = if is_root() { "-m" } else { "-Urm" };
    let granted = std::process::Command::new("unshare").args([namespace, "true"]).status();
    if !granted.is_ok_and(|status| status.success()) {
        return None;
    }
    let launch = Launch::new();
    let disk = launch.dir().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={DISK} none '{0}' && head -c {FILLER} /dev/zero > '{0}/filler' && exec \"$@\"",
        disk.display()
    );
    let store = disk.join("elora.db");
    Some((launch.wrapped(&["unshare", namespace, "sh", "-c", &script, "sh"]).db(store), disk))
}

#[tokio::test]
async fn nothing_is_lost_when_a_full_disk_has_room_again() {
    let Some((launch, disk)) = on_a_small_disk() else {
        return skipped("this system grants no mount namespace (unshare -m), so there is no small disk to fill");
    };
    let twitch = Twitch::start().await;
    let (server, mut feed) = watching_with(&twitch, launch.twitch(&twitch, &["room"]), &["room"]).await;

    fill(&twitch, &server).await;
    let later = twitch.burst("room", 300, 1000).await;
    std::fs::remove_file(server.inside(&disk.join("filler"))).unwrap();

    asked_until("/readyz is ready again", &server, "/readyz", |answer| answer.status == 200).await;
    let owed = twitch.read(|book| book.owed_ids("room"));
    assert!(owed.ends_with(&later));
    within(Duration::from_secs(60), "everything owed comes", feed.until_all(&owed)).await;
    assert_eq!(feed.message_ids(), owed);
    assert_eq!(server.stop().await.code, Some(0));
}
