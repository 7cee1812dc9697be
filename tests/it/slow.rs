//! Five hundred viewers, one of whom never reads: he delays nobody, costs little, and comes back by his cursor.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::feed::{Feed, upgrade, upgrade_narrow};
use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::twitch::lines::{Line, privmsg};
use crate::support::twitch::{ADA, BOB, Twitch};
use crate::support::within;

const VIEWERS: usize = 500;
/// Five ways to ask for the same room; every one of them passes every message of it.
const FILTERS: [&str; 5] =
    ["", "&platform=twitch", "&channel=twitch:room", "&kinds=message", "&platform=twitch,youtube&kinds=message,alert"];
/// Delivering to five hundred viewers takes a debug build on two cores a while.
const DELIVERED: Duration = Duration::from_secs(90);
/// As long as a chat message gets.
const LONG: usize = 480;
/// More than the system's buffers between the server and one viewer hold, in messages of that length.
const FLOOD: usize = 20_000;
/// A server that kept what one viewer does not read would hold more than this in JSON alone: an event takes 1.3 KiB.
const GROWTH_KIB: u64 = 24 * 1024;

/// As much of a frame as counting needs.
#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    events: Vec<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    id: String,
    kind: String,
}

/// Reads until `count` messages have come, and gives their ids in the order they came.
async fn count(mut socket: WebSocketStream<TcpStream>, count: usize) -> Vec<String> {
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let Some(Ok(message)) = socket.next().await else { break };
        let Message::Text(text) = message else { continue };
        if !text.starts_with(r#"{"type":"events""#) {
            continue;
        }
        let frame: Frame = serde_json::from_str(&text).expect("a frame is JSON");
        ids.extend(frame.events.into_iter().filter(|event| event.kind == "message").map(|event| event.id));
    }
    ids
}

/// Opens `number` viewers over the five filters, each counting `messages`.
async fn crowd(server: &Server, number: usize, messages: usize) -> JoinSet<Vec<String>> {
    let mut viewers = JoinSet::new();
    for n in 0..number {
        let path = format!("/api/feed?last=0{}", FILTERS[n % FILTERS.len()]);
        let socket = upgrade(server.addr, &path, &[]).await.expect("a viewer is let in");
        viewers.spawn(count(socket, messages));
    }
    viewers
}

fn long_lines(count: usize) -> Vec<Line> {
    let text = "lorem ".repeat(LONG / 6);
    (0..count).map(|_| privmsg("room", &BOB, &text)).collect()
}

async fn say_all(twitch: &Twitch, lines: Vec<Line>) -> Vec<String> {
    let ids = lines.iter().filter_map(|line| line.id.clone()).collect();
    for some in lines.chunks(50) {
        twitch.send_all(some.to_vec()).await;
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_and_ninety_nine_see_every_id_while_one_never_reads() {
    const MESSAGES: usize = 400;
    let (twitch, server, mut witness) = watching(&["room"]).await;
    let idle = upgrade_narrow(server.addr, "/api/feed?last=0").await;
    let viewers = crowd(&server, VIEWERS - 2, MESSAGES).await;

    let said = say_all(&twitch, long_lines(MESSAGES)).await;
    let seen = within(DELIVERED, "everyone sees everything", viewers.join_all()).await;
    witness.until_all_within(DELIVERED, &said).await;

    assert_eq!(witness.message_ids(), said);
    let ids: Vec<String> = server.column("select cast(id as text) from events where kind = 'message' order by id");
    assert_eq!(seen.len(), VIEWERS - 2);
    for (n, one) in seen.iter().enumerate() {
        assert_eq!(one, &ids, "viewer {n} with the filter `{}`", FILTERS[n % FILTERS.len()]);
    }
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_never_reads_is_bounded_closed_and_resumes_by_cursor() {
    let (twitch, server, mut witness) = watching(&["room"]).await;
    // What the flood itself takes, without anybody who does not read.
    let rehearsal = say_all(&twitch, long_lines(FLOOD)).await;
    witness.until_all_within(DELIVERED, &rehearsal).await;
    let first = say_all(&twitch, long_lines(1)).await;
    witness.until_all(&first).await;
    let mut stuck = Feed::greet(upgrade_narrow(server.addr, "/api/feed?last=1").await).await;
    stuck.until_all(&first).await;
    let before = server.rss_kib();

    let flood = say_all(&twitch, long_lines(FLOOD)).await;
    witness.until_all_within(DELIVERED, &flood).await;

    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown <= GROWTH_KIB, "{grown} KiB for one viewer that does not read");
    within(DELIVERED, "the server gives up on the viewer", given_up(&server)).await;
    let code = stuck.until_closed().await;
    assert!(code == 1006 || (4000..4500).contains(&code), "closed with {code}");
    let mut resumed = server.feed(&format!("?since={}", stuck.cursor)).await;
    assert_eq!(resumed.hello["resumed"], true, "{}", resumed.hello);
    resumed.until_all_within(DELIVERED, &flood[flood.len() - 1..]).await;
    let together: Vec<String> = stuck.message_ids().into_iter().chain(resumed.message_ids()).collect();
    assert_eq!(together, [first, flood].concat(), "what he got and what he resumed with is everything, once");
}

#[tokio::test]
async fn a_viewer_that_never_reads_does_not_hold_up_the_end() {
    let (twitch, server, mut witness) = watching(&["room"]).await;
    let _stuck = Feed::greet(upgrade_narrow(server.addr, "/api/feed?last=0").await).await;
    let flood = say_all(&twitch, long_lines(FLOOD / 2)).await;
    witness.until_all_within(DELIVERED, &flood).await;

    let (ended, code) = tokio::join!(server.stop(), witness.until_closed());

    assert_eq!((ended.code, code), (Some(0), 1012), "{}", ended.said);
}

/// Waits until the server has counted one viewer as not reading.
async fn given_up(server: &Server) {
    let mut ask = tokio::time::interval(Duration::from_millis(100));
    while !server.get("/metrics").await.text().contains(r#"elora_fanout_dropped_total{kind="feed"} 1"#) {
        ask.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_reads_again_in_time_gets_everything_in_order() {
    let (twitch, server, mut witness) = watching(&["room"]).await;
    let mut slow = Feed::greet(upgrade_narrow(server.addr, "/api/feed?last=0").await).await;

    let said = say_all(&twitch, long_lines(300)).await;
    witness.until_all(&said).await;

    slow.until_all_within(DELIVERED, &said).await;
    assert_eq!(slow.message_ids(), said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_serialized_once_per_form_however_many_watch() {
    const MESSAGES: usize = 60;
    const CLASSIC: usize = 20;
    let (twitch, server, mut witness) = watching(&["room"]).await;
    let viewers = crowd(&server, VIEWERS - CLASSIC - 1, MESSAGES).await;
    let mut classic = JoinSet::new();
    for n in 0..CLASSIC {
        let path = if n % 2 == 0 { "/ws/chat" } else { "/ws/chat?source=twitch" };
        let mut socket = upgrade(server.addr, path, &[]).await.expect("a viewer is let in");
        classic.spawn(async move {
            let mut chat = 0;
            while chat < MESSAGES {
                let Some(Ok(message)) = socket.next().await else { break };
                chat += usize::from(message.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"chat""#)));
            }
            chat
        });
    }
    let feed_form = r#"elora_feed_serialized_total{kind="feed"}"#;
    let classic_form = r#"elora_feed_serialized_total{kind="classic"}"#;
    let (feed_before, classic_before) = (server.metric(feed_form).await, server.metric(classic_form).await);

    let said: Vec<String> = twitch.burst("room", MESSAGES, 1000).await;
    let seen = within(DELIVERED, "everyone sees everything", viewers.join_all()).await;
    let classic = within(DELIVERED, "the classic viewers too", classic.join_all()).await;
    witness.until_all(&said).await;

    let feed_after = server.metric(feed_form).await;
    let classic_after = server.metric(classic_form).await;
    assert!(seen.iter().all(|ids| ids.len() == MESSAGES) && classic.iter().all(|chat| *chat == MESSAGES));
    let distinct: BTreeSet<&String> = seen[0].iter().collect();
    assert_eq!(distinct.len(), MESSAGES);
    assert_eq!(feed_after - feed_before, MESSAGES as f64, "one serialization per event for the feed");
    assert_eq!(classic_after - classic_before, MESSAGES as f64, "one serialization per event for the classic socket");
    let last = twitch.say("room", &ADA, "still on").await;
    witness.event(&last).await;
}
