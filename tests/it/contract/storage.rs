//! The store as operators of older versions know it: where it lies, what survives, in which order it is read.

use crate::support::scene::watching_with;
use crate::support::server::{Launch, asked_until};
use crate::support::twitch::lines::{Line, privmsg};
use crate::support::twitch::{ADA, BOB, Twitch};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;
/// Fewer than are said below, so that the feed reads several times.
const FEW: &str = "2";

#[tokio::test]
async fn a_missing_folder_is_made_and_what_is_in_it_survives() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DB_MODE", "persistent");
    let path = launch.dir().join("not/there/yet/elora.db");
    let (server, mut feed) = watching_with(&twitch, launch.db(path.clone()), &["room"]).await;
    let id = twitch.say("room", &ADA, "kept").await;
    feed.event(&id).await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    assert!(path.exists());

    // Opened twice more: migrations that ran already change nothing and fail nothing.
    for _ in 0..2 {
        let server = launch.clone().start().await;
        let page = server.get("/api/messages").await.json();
        assert_eq!(page["items"][0]["text"], "kept");
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        assert_eq!(server.stop().await.code, Some(0));
    }
}

#[tokio::test]
async fn what_was_said_at_one_moment_in_two_rooms_comes_in_the_order_it_was_stored() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["one", "two"]).env("ELORA_FEED_BATCH", FEW);
    let (server, mut feed) = watching_with(&twitch, launch, &["one", "two"]).await;
    let line = |n: usize| {
        let (channel, who) = if n.is_multiple_of(3) { ("one", &ADA) } else { ("two", &BOB) };
        privmsg(channel, who, &format!("m{n}")).sent(NEW_YEAR)
    };
    let lines: Vec<Line> = (0..9).map(line).collect();
    let ids: Vec<String> = lines.iter().map(Line::native_id).collect();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;

    let mut again = server.feed("?last=1000").await;
    again.until_all(&ids).await;

    let stored: Vec<String> = server.column("select native_id from events where kind = 'message' order by id");
    assert_eq!(feed.message_ids(), stored);
    assert_eq!(again.message_ids(), stored);
    assert!(feed.ids().is_sorted_by(|one, next| one < next), "{:?}", feed.ids());
}

#[tokio::test]
async fn a_lock_of_another_program_is_waited_for_and_told_when_it_lasts() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_SQLITE_BUSY_TIMEOUT_MS", "100");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let foreign = rusqlite::Connection::open(server.launch().db_path()).unwrap();
    foreign.busy_timeout(crate::support::DEADLINE).unwrap();
    foreign.execute_batch("begin immediate").unwrap();

    let id = twitch.say("room", &ADA, "patience").await;
    let answer = asked_until("/readyz tells of the lock", &server, "/readyz", |answer| answer.status == 503).await;
    foreign.execute_batch("rollback").unwrap();

    assert!(answer.text().contains("lock"), "{}", answer.text());
    feed.event(&id).await;
    asked_until("/readyz is content again", &server, "/readyz", |answer| answer.status == 200).await;
}
