//! `POST /restart-server`: listeners leave and come back, viewers stay, and nobody can hammer a platform with it.

use crate::support::http::{Answer, Request};
use crate::support::scene::{unread_tails, until_state, watching, watching_with};
use crate::support::server::{Launch, Server, asked_until};
use crate::support::twitch::{ADA, Book, End, Twitch};

const RECONNECTS: &str = "elora_source_reconnects_total{platform=\"twitch\"}";

async fn restart(server: &Server) -> Answer {
    server.ask(Request::new("POST", "/restart-server")).await
}

#[tokio::test]
async fn the_listeners_leave_and_come_back_and_viewers_stay() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let before = twitch.say("room", &ADA, "before").await;
    feed.event(&before).await;

    let answer = restart(&server).await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "restarting\n"));
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{answer:?}");
    let is_back = |book: &Book| {
        let newest = book.connections.last().expect("there was one before");
        book.connections.len() == 2 && newest.joined.len() == 2 && !book.connections[0].is_open()
    };
    twitch.until("a new connection has joined both", is_back).await;
    assert_eq!(twitch.read(|book| book.connections[0].closed.map(|(_, end)| end)), Some(End::Client));
    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;
    assert_eq!(feed.message_ids(), [before, after], "the same viewer saw both, each once");
    until_state(&mut feed, "room", "live").await;
}

#[tokio::test]
async fn in_the_middle_of_a_burst_nothing_that_was_heard_is_lost_and_nothing_comes_twice() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let (_, answer) = tokio::join!(twitch.burst("room", 2000, 1000), async {
        twitch.until("the burst is under way", |book| book.written("room") >= 200).await;
        restart(&server).await
    });
    assert_eq!(answer.status, 200);
    twitch.joined("room").await;
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    let seen = feed.message_ids();
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "something came twice");
    assert_eq!(twitch.read(|book| book.connections.len()), 2);
    // Fails at any hole but the tail that the first connection wrote while it was closed.
    assert_eq!(unread_tails(&twitch, "room", &seen)[1], 0);
}

#[tokio::test]
async fn what_was_read_while_nothing_could_be_stored_comes_after_a_restart() {
    let twitch = Twitch::start().await;
    // Both together hold a small part of what is said.
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_INGEST_QUEUE", "16");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let foreign = rusqlite::Connection::open(server.launch().db_path()).unwrap();
    foreign.busy_timeout(crate::support::DEADLINE).unwrap();
    foreign.execute_batch("begin immediate").unwrap();
    let said = twitch.burst("room", 2000, 4000).await;
    twitch.ping().await;
    twitch.until("everything was read", |book| book.connections[0].has_said("PONG :tmi.twitch.tv")).await;

    assert_eq!(restart(&server).await.status, 200);
    twitch.until("it has left", |book| !book.connections[0].is_open()).await;
    tokio::select! {
        () = server.until_it_says("begins again as soon as") => {}
        () = twitch.until("it is back", |book| book.connections.len() == 2) => {}
    }
    until_state(&mut feed, "room", "connecting").await;
    foreign.execute_batch("rollback").unwrap();

    feed.until_all(&said).await;
    assert_eq!(feed.message_ids(), said);
    twitch.joined("room").await;
    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;
}

#[tokio::test]
async fn a_second_restart_has_to_wait() {
    let (twitch, server, _feed) = watching(&["room"]).await;

    assert_eq!(restart(&server).await.status, 200);
    for _ in 0..5 {
        let again = restart(&server).await;
        assert_eq!(again.status, 429, "{}", again.text());
        let seconds: u64 = again.header("retry-after").and_then(|after| after.parse().ok()).expect("it says when");
        assert!((1..=5).contains(&seconds), "{seconds}");
    }

    twitch.until("it is back", |book| book.connections.len() == 2 && book.has_listener("room")).await;
    assert_eq!(twitch.read(|book| book.connections.len()), 2);
}

#[tokio::test]
async fn a_listener_that_waits_for_its_next_attempt_tries_at_once() {
    let twitch = Twitch::start().await;
    let address = format!("ws://127.0.0.1:{}", twitch.port());
    drop(twitch);
    let launch = Launch::new().env("TWITCH_CHANNELS", "room").env("TWITCH_IRC_URL", &address);
    // Full jitter: a wait this long ends by itself within the test once in a thousand times.
    let launch = launch.env("ELORA_INGEST_BACKOFF_BASE_MS", "20000000").env("ELORA_INGEST_BACKOFF_MAX_MS", "20000000");
    let server = launch.start().await;
    let mut feed = server.feed("").await;
    until_state(&mut feed, "room", "backoff").await;
    assert_eq!(server.metric(RECONNECTS).await, 0.0);

    assert_eq!(restart(&server).await.status, 200);

    let again = format!("{RECONNECTS} 1");
    asked_until("it has tried again", &server, "/metrics", |answer| answer.text().contains(&again)).await;
    until_state(&mut feed, "room", "backoff").await;
}
