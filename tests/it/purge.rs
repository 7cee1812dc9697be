//! `POST /api/messages/purge`: what is older than a time goes for good, leaves screens, and does not come back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::classic::Classic;
use crate::support::feed::Feed;
use crate::support::http::{Answer, Request};
use crate::support::scene::{watching, watching_with};
use crate::support::server::{Launch, Server, asked_until};
use crate::support::soon;
use crate::support::twitch::lines::{Line, clear_all, clearmsg, now_ms, privmsg, timeout};
use crate::support::twitch::{ADA, BOB, MEI, Twitch};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;
const PATH: &str = "/api/messages/purge";
/// A stop under load is done by then.
const LOADED_STOP: Duration = Duration::from_secs(5);
/// More than a purge deletes before it can be interrupted.
const MANY: i64 = 40_000;
/// Copies of the one message that is there, a millisecond apart.
const FILL: &str = "
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
    insert into events (platform, kind, native_id, channel_id, author_id, at, received_at, text, body)
    select platform, kind, lower(hex(randomblob(16))), channel_id, author_id, at + i, received_at + i, text, body
    from n, (select * from events where kind = 'message' order by id limit 1)";

async fn purge(server: &Server, before: i64) -> u64 {
    let answer = post(server, &json!({ "before_ts": before }).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    answer.json()["deleted"].as_u64().expect("a number")
}

async fn post(server: &Server, body: &str) -> Answer {
    server.ask(Request::new("POST", PATH).body("text/plain", body)).await
}

/// A message of a time, and its id.
fn dated(text: &str, at: i64) -> (Line, String) {
    let line = privmsg("room", &ADA, text).sent(at);
    let id = line.native_id();
    (line, id)
}

/// Says messages of these times, and waits until a viewer has them.
async fn say_at(twitch: &Twitch, feed: &mut Feed, times: &[i64]) -> Vec<String> {
    let (lines, ids): (Vec<Line>, Vec<String>) = times.iter().map(|at| dated("said then", *at)).unzip();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;
    ids
}

fn left(server: &Server) -> Vec<String> {
    server.column("select native_id from events where kind = 'message' order by id")
}

async fn exported(server: &Server) -> Vec<Value> {
    let file = server.get("/api/messages/export").await.text();
    file.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

async fn reset(feed: &mut Feed) {
    feed.until("what is shown is void", |feed| feed.reset).await;
}

/// A server that is about to start with many messages of long ago, and one of now.
async fn full() -> (Twitch, Launch, String) {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    say_at(&twitch, &mut feed, &[NEW_YEAR]).await;
    let recent = twitch.say("room", &BOB, "recent").await;
    feed.event(&recent).await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let store = rusqlite::Connection::open(launch.db_path()).expect("the store opens");
    store.execute(FILL, [MANY]).expect("the rows fit the schema");
    (twitch, launch, recent)
}

fn old_ones(server: &Server) -> i64 {
    let before = NEW_YEAR + 2 * MANY;
    server.column(&format!("select count(*) from events where at < {before}"))[0]
}

/// Asks for a purge of all that is old, and goes away without hearing the answer once it has begun.
async fn begin_purge(server: &Server) {
    let all = old_ones(server);
    let body = json!({ "before_ts": NEW_YEAR + 2 * MANY });
    let asking = server.ask(Request::new("POST", PATH).json(&body));
    let begun = async {
        while old_ones(server) == all {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = asking => panic!("it was done at once: {}", answer.text()),
        () = soon("the purge has begun", begun) => {}
    }
}

#[tokio::test]
async fn what_is_before_the_time_goes_and_the_rest_stays() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let times: Vec<i64> = (0..6).map(|n| NEW_YEAR + n * 1000).collect();
    let ids = say_at(&twitch, &mut feed, &times).await;

    assert_eq!(purge(&server, times[3]).await, 3);

    let items = exported(&server).await;
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| item["ts"].as_str().expect("a time") >= "2026-01-01T00:00:03Z"), "{items:?}");
    assert_eq!(left(&server), ids[3..]);
    assert_eq!(purge(&server, times[3]).await, 0, "once gone it is not counted again");
    assert_eq!(purge(&server, i64::MAX).await, 3);
    assert_eq!(server.column::<i64>("select count(*) from events"), [0]);
    assert!(exported(&server).await.is_empty());
}

#[tokio::test]
async fn everything_goes_now_and_what_comes_later_stays_whatever_time_was_named() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    say_at(&twitch, &mut feed, &[NEW_YEAR, now_ms()]).await;
    let year = 365 * 24 * 3600 * 1000;

    assert_eq!(purge(&server, now_ms() + year).await, 2);
    let (line, later) = dated("later", now_ms() + 1000);
    twitch.send(line).await;
    feed.event(&later).await;

    assert_eq!(left(&server), [later]);
}

#[tokio::test]
async fn a_body_that_names_no_time_is_told_so_and_one_that_does_is_taken_as_it_is() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    say_at(&twitch, &mut feed, &[NEW_YEAR]).await;

    for wrong in [
        "",
        "{}",
        "before_ts=1",
        "{\"before_ts\":",
        "[1767225600001]",
        "{\"before_ts\":\"1767225600001\"}",
        "{\"before_ts\":1.5}",
        "{\"before_ts\":1e13}",
        "{\"before_ts\":null}",
        "{\"before_ts\":0}",
        "{\"before_ts\":-1}",
        "{\"before_ts\":18446744073709551615}",
        "{\"before\":1767225600001}",
    ] {
        let answer = post(&server, wrong).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{wrong}");
    }
    assert_eq!(left(&server).len(), 1);
    let odd = post(&server, " {\"why\":[1],\"before_ts\":1767225600001} and what follows").await;
    assert_eq!((odd.status, odd.json()), (200, json!({ "deleted": 1 })));
}

#[tokio::test]
async fn only_the_owner_may() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    say_at(&twitch, &mut feed, &[NEW_YEAR]).await;

    let body = json!({ "before_ts": NEW_YEAR + 1 });
    let answer = Request::new("POST", PATH).json(&body).send(server.addr).await;

    assert_eq!(answer.status, 401);
    let detail = answer.text();
    assert!(detail.contains("owner.token") && detail.contains("ELORA_OPEN_LOCAL"), "{detail}");
    assert_eq!(left(&server).len(), 1);
}

#[tokio::test]
async fn a_backlog_brings_nothing_back_also_after_a_restart() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let (line, old) = dated("of long ago", NEW_YEAR);
    twitch.send(line.clone()).await;
    feed.event(&old).await;
    assert_eq!(purge(&server, NEW_YEAR + 1000).await, 1);
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));

    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let (other, _) = dated("as old, and not heard before", NEW_YEAR + 999);
    let (newer, kept) = dated("just not old", NEW_YEAR + 1000);
    twitch.send_all(vec![line, other, newer]).await;
    feed.event(&kept).await;

    assert_eq!(feed.message_ids(), std::slice::from_ref(&kept));
    assert_eq!(left(&server), [kept]);
    let outdated = "elora_ingest_outdated_total{platform=\"twitch\"} 2";
    asked_until("both are counted", &server, "/metrics", |answer| answer.text().contains(outdated)).await;
    server.until_it_says("a time that was purged are left out").await;
}

#[tokio::test]
async fn a_fifth_purge_at_once_is_asked_to_come_again() {
    let (_twitch, launch, _) = full().await;
    let server = launch.start().await;
    let under_way = || server.column::<i64>("select count(*) from meta where key like 'purge:%'")[0];
    let four = (1..=4).map(|n| purge(&server, NEW_YEAR + 2 * MANY - n));
    let four = futures_util::future::join_all(four);
    let fifth = async {
        asked_until("four are under way", &server, "/healthz", |_| under_way() == 4).await;
        post(&server, r#"{"before_ts":9}"#).await
    };

    let (deleted, refused) = tokio::join!(four, fifth);

    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.header("retry-after").is_some() && refused.text().contains("was not begun"));
    assert!(deleted.iter().sum::<u64>() > 0);
    assert_eq!(purge(&server, 9).await, 0, "there is room again");
}

#[tokio::test]
async fn what_moderation_took_away_leaves_no_trace_and_stays_away() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let removed = twitch.say("room", &BOB, "unspeakable").await;
    let (line, dated_ahead) = dated("unspeakable too", now_ms() + 50 * 3600 * 1000);
    twitch.send_all(vec![line, clearmsg("room", BOB.login, &removed, "unspeakable")]).await;
    feed.event(&dated_ahead).await;
    twitch.send_all(vec![timeout("room", &ADA, 600), clear_all("room")]).await;
    feed.until("the clear", |feed| feed.events.iter().filter(|event| event["kind"] == "cleared").count() == 2).await;
    let traces = |server: &Server| -> Vec<i64> {
        ["removals", "clears"].map(|table| server.column(&format!("select count(*) from {table}"))[0]).to_vec()
    };
    assert_eq!(traces(&server), [1, 2]);

    assert_eq!(purge(&server, now_ms() + 3600 * 1000).await, 1);
    assert_eq!(left(&server), [dated_ahead]);
    assert!(exported(&server).await.is_empty(), "its clear still holds");
    assert_eq!(traces(&server), [0, 2]);
    assert_eq!(purge(&server, i64::MAX).await, 1);
    assert_eq!(traces(&server), [0, 0]);
}

#[tokio::test]
async fn viewers_forget_and_begin_with_what_is_left() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let ids = say_at(&twitch, &mut feed, &[NEW_YEAR, NEW_YEAR + 1000, NEW_YEAR + 2000]).await;
    let (mut idle, mut filtered) = (server.feed("").await, server.feed("?kinds=alert").await);
    let seen = feed.events.len();

    assert_eq!(purge(&server, NEW_YEAR + 1500).await, 2);
    reset(&mut feed).await;
    feed.until("the newest", |feed| feed.events.len() > seen).await;
    reset(&mut idle).await;
    reset(&mut filtered).await;
    let next = twitch.say("room", &MEI, "next").await;
    feed.event(&next).await;

    let after: Vec<i64> = feed.ids().split_off(seen);
    assert_eq!(after, server.column::<i64>("select id from events order by id"));
    assert_eq!(feed.message_ids()[3..], [ids[2].clone(), next]);
    filtered.until("its new place", |feed| feed.others.last().is_some_and(|last| last["type"] == "keepalive")).await;
    let back = server.feed(&format!("?since={}", filtered.cursor)).await;
    assert_eq!(back.hello["resumed"], true, "{}", back.hello);
}

#[tokio::test]
async fn on_the_classic_socket_those_forget_who_asked_to_be_told_of_changes() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut told =
        [Classic::open(server.addr, "?events=1").await, Classic::open(server.addr, "?events=1&replay=1").await];
    let mut filtered = Classic::open(server.addr, "?events=1&source=youtube").await;
    let mut plain = Classic::open(server.addr, "").await;
    for socket in told.iter_mut().chain([&mut filtered]) {
        assert!(socket.text().await.contains("live"));
    }

    let ids = say_at(&twitch, &mut feed, &[NEW_YEAR, NEW_YEAR + 1000]).await;
    assert_eq!(purge(&server, NEW_YEAR).await, 0, "which is no reason to forget");
    let before = twitch.say("room", &MEI, "before").await;
    feed.event(&before).await;
    assert_eq!(purge(&server, NEW_YEAR + 500).await, 1);
    let after = twitch.say("room", &MEI, "after").await;
    feed.event(&after).await;

    for id in ids.iter().chain([&before]) {
        assert_eq!(plain.chat().await["native_id"], *id);
        for socket in &mut told {
            assert_eq!(socket.chat().await["native_id"], *id);
        }
    }
    for socket in told.iter_mut().chain([&mut filtered]) {
        assert_eq!(socket.text().await, r#"{"type":"reset"}"#);
    }
    for socket in told.iter_mut().chain([&mut plain]) {
        assert_eq!(socket.chat().await["native_id"], after, "and nothing of what came before");
    }
    let mut back = Classic::open(server.addr, "?events=1&replay=1").await;
    for id in [&ids[1], &before, &after] {
        assert_eq!(back.chat().await["native_id"], *id);
    }
    assert!(back.text().await.contains("live"));
}

#[tokio::test]
async fn a_place_from_before_is_void_and_one_from_after_is_not() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    say_at(&twitch, &mut feed, &[NEW_YEAR, now_ms()]).await;
    let old = feed.cursor.clone();
    assert_eq!(purge(&server, NEW_YEAR + 1).await, 1);
    reset(&mut feed).await;
    feed.until("a new place", |feed| feed.cursor != old).await;
    let new = feed.cursor.clone();

    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let server = launch.start().await;
    for (cursor, is_void) in [(&old, true), (&new, false)] {
        let viewer = server.feed(&format!("?since={cursor}")).await;
        assert_eq!(viewer.hello["resumed"], !is_void, "{cursor}");
    }
    let mut viewer = server.feed(&format!("?since={old}")).await;
    reset(&mut viewer).await;
    viewer.until("what is left", |viewer| !viewer.events.is_empty()).await;
    assert_eq!(viewer.message_ids(), left(&server));
}

#[tokio::test]
async fn where_nothing_was_deleted_nobody_forgets() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    say_at(&twitch, &mut feed, &[NEW_YEAR]).await;

    assert_eq!(purge(&server, NEW_YEAR).await, 0);
    let next = twitch.say("room", &BOB, "next").await;
    feed.event(&next).await;

    assert!(!feed.reset);
    assert_eq!(server.column::<String>("select key from meta where key like 'purge:%'"), [""; 0]);
}

#[tokio::test]
async fn a_kill_in_the_middle_is_finished_after_the_start() {
    let (twitch, launch, recent) = full().await;
    let server = launch.start().await;
    let viewer = server.feed("?last=10").await;

    begin_purge(&server).await;
    let launch = server.kill().await;
    let cursor = viewer.leave();
    let server = launch.start().await;
    let mut back = server.feed(&format!("?since={cursor}")).await;
    let found = old_ones(&server);
    asked_until("it is finished", &server, "/healthz", |_| old_ones(&server) == 0).await;
    reset(&mut back).await;
    back.event(&recent).await;

    assert!(found > 0, "it was finished before the kill");
    assert_eq!(left(&server), [recent]);
    assert_eq!(server.column::<String>("pragma integrity_check"), ["ok"]);
    let unfinished = || server.column::<String>("select key from meta where key like 'purge:%'");
    asked_until("nothing is left to do", &server, "/healthz", |_| unfinished().is_empty()).await;
    drop(twitch);
}

#[tokio::test]
async fn a_purge_goes_on_without_whoever_asked_and_does_not_hold_up_the_end() {
    let (_twitch, launch, recent) = full().await;
    let server = launch.clone().start().await;

    begin_purge(&server).await;
    let begun = Instant::now();
    assert_eq!(server.stop().await.code, Some(0));
    let took = begun.elapsed();
    let server = launch.clone().start().await;
    asked_until("it goes on", &server, "/healthz", |_| old_ones(&server) == 0).await;

    assert!(took < LOADED_STOP, "it took {} ms", took.as_millis());
    assert_eq!(left(&server), [recent]);
}

#[tokio::test]
async fn chat_goes_on_meanwhile_and_two_purges_share_the_work() {
    let (twitch, launch, recent) = full().await;
    let (server, _witness) = watching_with(&twitch, launch, &["room"]).await;
    let mut feeds = Vec::new();
    for _ in 0..20 {
        feeds.push(server.feed("?last=0").await);
    }

    let half = NEW_YEAR + MANY / 2;
    let (ids, some, rest) =
        tokio::join!(twitch.burst("room", 1800, 1000), purge(&server, half), purge(&server, NEW_YEAR + 2 * MANY));

    assert_eq!(some + rest, 1 + u64::try_from(MANY).expect("a number"));
    assert_eq!(old_ones(&server), 0);
    for feed in &mut feeds {
        feed.until_all(&ids).await;
        reset(feed).await;
        assert_eq!(feed.message_ids(), ids, "everything once and in order");
    }
    assert_eq!(left(&server), [vec![recent], ids].concat());
}
