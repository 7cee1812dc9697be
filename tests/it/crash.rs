//! Ends that nobody asked for, and those that somebody did: what was committed is what every viewer has seen.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::support::feed::Feed;
use crate::support::scene::{unread_tails, watching, watching_with};
use crate::support::server::{Launch, Server, asked_until, column, open_store};
use crate::support::twitch::lines::{
    Line, clear_all, clearmsg, now_ms, privmsg, privmsg_with, room_id, timeout, timeout_at,
};
use crate::support::twitch::{ADA, BOB, Twitch};

const ALL_IDS: &str = "select id from events order by id";
/// A stop under load is done by then.
const LOADED_STOP: Duration = Duration::from_secs(5);
/// A stop that hangs is ended at ten seconds.
const LATEST_STOP: Duration = Duration::from_secs(13);
/// Ids skip ahead by this much after an unclean end.
const SKIP: i64 = 10_000;

/// Reads on until the server's end, so that everything it has sent is counted.
async fn drain(feed: &mut Feed) -> u16 {
    feed.until_closed().await
}

fn state_of(feed: &Feed, id: &str) -> String {
    let event = feed.find(id).unwrap_or_else(|| panic!("{id} never came"));
    event["state"].as_str().expect("an event has a state").to_owned()
}

/// A new viewer that has caught up with everything stored.
async fn latecomer(server: &Server, last: &str) -> Feed {
    let mut feed = server.feed("?last=1000").await;
    feed.event(last).await;
    feed
}

#[tokio::test]
async fn a_killed_server_comes_back_to_viewers_that_miss_and_double_nothing() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let killing = async {
        feed.until("a part of the burst", |feed| feed.events.len() > 900).await;
        let launch = server.kill().await;
        drain(&mut feed).await;
        let restarted = launch.start().await;
        let resumed = restarted.feed(&format!("?since={}", feed.cursor)).await;
        twitch.until("the server is back", |book| book.connections.len() > 1 && book.has_listener("room")).await;
        (restarted, resumed, feed)
    };
    let (_, (server, mut resumed, before)) = tokio::join!(twitch.burst("room", 3000, 1000), killing);
    let last = twitch.say("room", &ADA, "the last").await;
    resumed.event(&last).await;

    assert_eq!(resumed.hello["resumed"], true, "{}", resumed.hello);
    assert!(!resumed.reset);
    let seen: Vec<i64> = before.ids().into_iter().chain(resumed.ids()).collect();
    assert_eq!(seen, server.column::<i64>(ALL_IDS), "the viewer's ids are the committed ids, in order");
    let native: Vec<String> = server.column("select native_id from events where native_id is not null");
    assert_eq!(native.iter().collect::<std::collections::BTreeSet<_>>().len(), native.len());
    let tails = unread_tails(&twitch, "room", &native);
    assert_eq!(tails.last(), Some(&0), "what was said after the second JOIN is all there");
}

#[tokio::test]
async fn an_id_once_shown_never_comes_again_after_a_kill() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let first = twitch.say("room", &ADA, "before").await;
    feed.event(&first).await;
    let highest = feed.ids().into_iter().max().expect("an event came");

    let server = server.kill().await.start().await;
    let mut feed = server.feed("?last=1000").await;
    twitch.until("the server is back", |book| book.connections.len() > 1 && book.has_listener("room")).await;
    let second = twitch.say("room", &ADA, "after").await;
    let after = feed.event(&second).await["id"].as_str().and_then(|id| id.parse::<i64>().ok()).expect("an id");

    assert!(after >= highest + SKIP, "{after} follows {highest}");
}

#[tokio::test]
async fn a_change_on_a_quiet_server_reaches_the_disk_by_itself() {
    let server = Launch::new().start().await;
    let beat = || server.column::<String>("select value from meta where key = 'heartbeat'");
    asked_until("the start is on disk", &server, "/healthz", |_| !beat().is_empty()).await;
    let before = beat();

    assert_eq!(server.add_source("youtube:@ada").await.status, 201);

    asked_until("the change is on disk", &server, "/healthz", |_| beat() != before).await;
}

#[tokio::test]
async fn a_clean_stop_leaves_no_hole_in_the_ids() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let first = twitch.say("room", &ADA, "before").await;
    feed.event(&first).await;

    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let server = launch.start().await;
    let mut feed = server.feed("?last=1000").await;
    twitch.until("the server is back", |book| book.has_listener("room")).await;
    let second = twitch.say("room", &ADA, "after").await;
    feed.event(&second).await;

    let ids = feed.ids();
    assert_eq!(ids, (ids[0]..ids[0] + ids.len() as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn somebody_who_never_finishes_asking_does_not_hold_up_the_end() {
    let (_twitch, server, _feed) = watching(&["room"]).await;
    let mut half = tokio::net::TcpStream::connect(server.addr).await.expect("the server takes connections");
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").await.expect("half a request is sent");
    assert_eq!(server.get("/healthz").await.status, 200);

    let ended = server.stop().await;

    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[tokio::test]
async fn a_stop_under_load_commits_and_delivers_what_was_accepted() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let store = server.launch().db_path().to_owned();
    let launch = server.launch().clone();

    let stopping = async {
        feed.until("a part of the burst", |feed| feed.events.len() > 900).await;
        let begun = std::time::Instant::now();
        server.signal("TERM");
        let code = drain(&mut feed).await;
        let ended = server.end().await;
        (code, ended, begun.elapsed())
    };
    let (_, (code, ended, took)) = tokio::join!(twitch.burst("room", 2000, 1000), stopping);

    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(code, 1012);
    assert!(took <= LOADED_STOP, "it took {} ms", took.as_millis());
    assert_eq!(feed.ids(), column::<i64>(&open_store(&store), ALL_IDS));
    unread_tails(&twitch, "room", &feed.message_ids());
    drop(launch);
}

#[tokio::test]
async fn a_stop_delivers_what_had_to_wait_for_the_store() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DB_PRAGMAS_EXTRA", "busy_timeout=100");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let launch = server.launch().clone();
    let foreign = rusqlite::Connection::open(launch.db_path()).unwrap();
    foreign.busy_timeout(LOADED_STOP).unwrap();
    foreign.execute_batch("begin immediate").unwrap();
    let ids = twitch.burst("room", 500, 1000).await;
    asked_until("all of it waits", &server, "/metrics", |answer| answer.text().contains("elora_writer_queue 500"))
        .await;
    assert_eq!(feed.message_ids().len(), 0);

    server.signal("TERM");
    twitch.until("the server has left twitch", |book| !book.has_listener("room")).await;
    foreign.execute_batch("rollback").unwrap();
    let code = drain(&mut feed).await;
    let ended = server.end().await;

    assert_eq!((ended.code, code), (Some(0), 1012), "{}", ended.said);
    assert_eq!(feed.message_ids(), ids);
    assert_eq!(column::<String>(&open_store(launch.db_path()), "select native_id from events order by id"), ids);
}

#[tokio::test]
async fn a_stop_that_hangs_ends_after_ten_seconds_naming_who_is_late() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let first = twitch.say("room", &ADA, "stored").await;
    feed.event(&first).await;
    let foreign = rusqlite::Connection::open(server.launch().db_path()).unwrap();
    foreign.execute_batch("begin immediate").unwrap();
    twitch.burst("room", 100, 1000).await;

    let begun = std::time::Instant::now();
    let ended = server.stop_within(LATEST_STOP).await;

    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(begun.elapsed() >= Duration::from_secs(9), "it did not wait for the writer");
    assert!(ended.said.contains("writer"), "who is late is not said:\n{}", ended.said);
    foreign.execute_batch("rollback").unwrap();
}

#[tokio::test]
async fn a_second_signal_is_not_needed_and_does_no_harm() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let said = twitch.say("room", &ADA, "kept").await;
    feed.event(&said).await;
    let launch = server.launch().clone();

    server.signal("TERM");
    server.signal("INT");
    server.end().await;

    let stored: Vec<String> =
        column(&open_store(launch.db_path()), "select native_id from events where kind = 'message'");
    assert_eq!(stored, [said]);
}

#[tokio::test]
async fn a_deletion_that_comes_first_still_wins() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let late = privmsg("room", &BOB, "too late to be seen");
    let id = late.id.clone().expect("a message has an id");

    twitch.send(clearmsg("room", BOB.login, &id, "too late to be seen")).await;
    twitch.send(late).await;

    let event = feed.event(&id).await;
    assert_eq!(event["state"], "removed");
    assert_eq!(event["text"], "");
    let next = twitch.say("room", &ADA, "next").await;
    feed.event(&next).await;
    let items = server.get("/api/messages").await.json();
    let texts: Vec<_> = items["items"].as_array().expect("items").iter().map(|item| item["text"].clone()).collect();
    assert_eq!(texts, ["next"]);
}

#[tokio::test]
async fn a_deletion_takes_the_text_from_every_place() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let id = twitch.say("room", &BOB, "unspeakable words").await;
    feed.event(&id).await;

    twitch.send(clearmsg("room", BOB.login, &id, "unspeakable words")).await;
    let removed = feed.event_like("the removal", |event| event["kind"] == "removed").await;

    assert_eq!(removed["target"]["native_id"], id);
    assert_eq!(removed["target"]["id"], feed.find(&id).expect("seen")["id"]);
    let again = latecomer(&server, &id).await;
    assert_eq!(state_of(&again, &id), "removed");
    assert!(!again.events.iter().any(|event| event.to_string().contains("unspeakable")));
    assert!(!server.get("/api/messages").await.text().contains("unspeakable"));
    let bodies: Vec<String> = server.column("select body || coalesce(text, '') from events where kind = 'removed'");
    assert!(!bodies.iter().any(|body| body.contains("unspeakable")), "the deletion's copy of the text is stored");
}

/// A line typed in `home` and its copy in `guest`, as a shared session brings both.
fn shared(home: &str, guest: &str, text: &str) -> (Line, Line) {
    let typed = |id: &str| format!("source-id={id};source-room-id={};source-badges=", room_id(home));
    let mut original = privmsg(home, &BOB, text);
    let id = original.id.clone().expect("a message has an id");
    original.raw = original.raw.replacen("@badge-info=;", &format!("@badge-info=;{};", typed(&id)), 1);
    (original, privmsg_with(guest, &BOB, text, &typed(&id)))
}

#[tokio::test]
async fn a_deletion_where_it_was_typed_takes_the_copies_along() {
    let (twitch, server, mut feed) = watching(&["home", "guest"]).await;
    let (original, copy) = shared("home", "guest", "unspeakable words");
    let (target, copied) = (original.id.clone().expect("an id"), copy.id.clone().expect("an id"));
    twitch.send(original).await;
    twitch.send(copy).await;
    assert_eq!(feed.event(&copied).await["shared"]["source_id"], *target);

    twitch.send(clearmsg("home", BOB.login, &target, "unspeakable words")).await;
    feed.event_like("the removal", |event| event["kind"] == "removed").await;
    let (_, late) = shared("home", "guest", "again");
    let late = Line { raw: late.raw.replace(&source_of(&late.raw), &target), ..late };
    let late_id = late.id.clone().expect("an id");
    twitch.send(late).await;
    feed.event(&late_id).await;

    let again = latecomer(&server, &late_id).await;
    for id in [&target, &copied, &late_id] {
        assert_eq!(state_of(&again, id), "removed");
    }
    assert!(!again.events.iter().any(|event| event.to_string().contains("unspeakable")));
}

#[tokio::test]
async fn a_deletion_of_a_copy_leaves_the_other_room_alone() {
    let (twitch, server, mut feed) = watching(&["home", "guest"]).await;
    let (original, copy) = shared("home", "guest", "fine where it was typed");
    let (typed, copied) = (original.id.clone().expect("an id"), copy.id.clone().expect("an id"));
    twitch.send(original).await;
    twitch.send(copy).await;
    feed.event(&copied).await;

    twitch.send(clearmsg("guest", BOB.login, &copied, "")).await;
    feed.event_like("the removal", |event| event["kind"] == "removed").await;

    let again = latecomer(&server, &copied).await;
    assert_eq!(state_of(&again, &typed), "visible");
    assert_eq!(state_of(&again, &copied), "removed");
}

fn source_of(raw: &str) -> String {
    let (_, rest) = raw.split_once("source-id=").expect("a copy names its source");
    rest.split(';').next().expect("a split has a first part").to_owned()
}

#[tokio::test]
async fn a_timeout_hits_that_author_in_that_room_up_to_its_time() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let hit = [twitch.say("room", &BOB, "one").await, twitch.say("room", &BOB, "two").await];
    let spared_author = twitch.say("room", &ADA, "innocent").await;
    let spared_room = twitch.say("other", &BOB, "elsewhere").await;
    let later = privmsg("room", &BOB, "said after it");

    let cut = now_ms();
    twitch.send(timeout_at("room", &BOB, 600, cut)).await;
    let later = later.sent(cut + 1);
    twitch.send(later.clone()).await;
    let later = later.id.expect("a message has an id");
    feed.event(&later).await;

    let feed_after = latecomer(&server, &later).await;
    for id in &hit {
        assert_eq!(state_of(&feed_after, id), "removed");
    }
    for id in [&spared_author, &spared_room, &later] {
        assert_eq!(state_of(&feed_after, id), "visible");
    }
    let cleared: Vec<_> = feed_after.events.iter().filter(|event| event["kind"] == "cleared").collect();
    assert_eq!(cleared.len(), 1, "a timeout is one event");
    assert_eq!(cleared[0]["duration_s"], 600);
    assert_eq!(cleared[0]["target"]["author_id"], BOB.id.to_string());
}

#[tokio::test]
async fn a_timeout_that_overtakes_a_message_hits_it_only_if_it_is_older() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let cut = now_ms();
    let older = privmsg("room", &BOB, "older").sent(cut - 1);
    let newer = privmsg("room", &BOB, "newer").sent(cut + 1);
    let ids = [&older, &newer].map(|line| line.id.clone().expect("a message has an id"));

    twitch.send(timeout_at("room", &BOB, 600, cut)).await;
    twitch.send(older).await;
    twitch.send(newer).await;
    feed.event(&ids[1]).await;

    let feed = latecomer(&server, &ids[1]).await;
    assert_eq!([state_of(&feed, &ids[0]), state_of(&feed, &ids[1])], ["removed", "visible"]);
}

#[tokio::test]
async fn a_timeout_that_names_a_login_alone_clears_nobody_else() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let hit = twitch.say("room", &BOB, "one").await;
    let spared = twitch.say("room", &ADA, "innocent").await;
    feed.until_all(&[hit.clone(), spared.clone()]).await;

    for login in [BOB.login, "never_spoke"] {
        let raw = format!("@ban-duration=600 :tmi.twitch.tv CLEARCHAT #room :{login}");
        twitch.send(Line { channel: "room".to_owned(), id: None, raw }).await;
    }
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    let late = latecomer(&server, &last).await;
    assert_eq!([state_of(&late, &hit), state_of(&late, &spared)], ["removed", "visible"]);
    let targets: Vec<_> =
        late.events.iter().filter(|event| event["kind"] == "cleared").map(|event| &event["target"]).collect();
    assert_eq!(targets[0]["author_id"], BOB.id.to_string());
    assert_eq!(
        (&targets[1]["author_id"], targets[1]["author_login"].as_str()),
        (&serde_json::Value::Null, Some("never_spoke"))
    );
}

#[tokio::test]
async fn a_bogus_stamp_counts_as_the_time_it_came() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let id = twitch.say("room", &BOB, "before").await;
    feed.event(&id).await;

    twitch.send(timeout_at("room", &BOB, 600, -6_795_364_578_871)).await;
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    assert_eq!(state_of(&latecomer(&server, &last).await, &id), "removed");
}

#[tokio::test]
async fn a_cleared_chat_is_cleared_in_that_room_alone() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let hit = [twitch.say("room", &ADA, "one").await, twitch.say("room", &BOB, "two").await];
    let spared = twitch.say("other", &BOB, "elsewhere").await;
    feed.until_all(&[hit[0].clone(), hit[1].clone(), spared.clone()]).await;

    twitch.send(clear_all("room")).await;
    let cleared = feed.event_like("the clear", |event| event["kind"] == "cleared").await;
    assert!(cleared["duration_s"].is_null() && cleared["target"]["author_id"].is_null(), "{cleared}");

    let late = latecomer(&server, &spared).await;
    assert_eq!(hit.map(|id| state_of(&late, &id)), ["removed", "removed"]);
    assert_eq!(state_of(&late, &spared), "visible");
}

#[tokio::test]
async fn moderation_survives_a_kill() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let id = twitch.say("room", &BOB, "before").await;
    twitch.send(timeout("room", &BOB, 600)).await;
    feed.event_like("the timeout", |event| event["kind"] == "cleared").await;

    let server = server.kill().await.start().await;

    assert_eq!(state_of(&latecomer(&server, &id).await, &id), "removed");
}

#[tokio::test]
async fn a_replaced_or_restored_file_resets_viewers() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]);
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    feed.event(&twitch.say("room", &ADA, "in the backup").await).await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let (db, backup) = (launch.db_path().to_owned(), launch.dir().join("backup.db"));
    std::fs::copy(&db, &backup).unwrap();

    let server = launch.clone().start().await;
    let mut feed = server.feed("?last=100").await;
    twitch.joined("room").await;
    feed.event(&twitch.say("room", &ADA, "lost with the restore").await).await;
    let cursor = feed.leave();
    assert_eq!(server.stop().await.code, Some(0));
    std::fs::rename(&backup, &db).unwrap();
    let server = launch.start().await;

    let mut feed = server.feed(&format!("?since={cursor}")).await;
    feed.until("a reset", |feed| feed.reset).await;
    assert_eq!(feed.hello["resumed"], false);
    assert_ne!(feed.hello["epoch"], cursor.split(':').next().expect("epoch:id"));
    feed.event_like("the newest come", |event| event["text"] == "in the backup").await;
}

#[tokio::test]
async fn cursors_that_mean_nothing_reset_the_viewer() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let said = twitch.say("room", &ADA, "here").await;
    feed.event(&said).await;
    let (epoch, id) = feed.cursor.split_once(':').expect("epoch:id");
    let above = format!("{epoch}:{}", id.parse::<i64>().expect("a number") + 1_000_000);

    for wrong in ["nonsense", ":", "other:1", "%F0%9F%98%80:1", &above, &format!("{epoch}:-1"), &format!("{epoch}:x")] {
        let mut feed = server.feed(&format!("?since={wrong}")).await;
        feed.until(&format!("a reset for `{wrong}`"), |feed| feed.reset).await;
        assert_eq!(feed.hello["resumed"], false, "{wrong}");
        feed.event(&said).await;
    }
    let resumed = server.feed(&format!("?since={}", feed.cursor)).await;
    assert_eq!(resumed.hello["resumed"], true);
}
