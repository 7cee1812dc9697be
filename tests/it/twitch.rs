//! The real program against the stand-in Twitch: nothing lost that was sent after JOIN, nothing twice, whatever fails.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::feed::Feed;
use crate::support::http::Request;
use crate::support::scene::{until_state, watching, watching_with};
use crate::support::server::{Launch, Server};
use crate::support::twitch::lines::{resub, timeout};
use crate::support::twitch::{ADA, BOB, Book, End, Framing, MEI, Twitch};
use crate::support::within;

/// The half-open limit of 35 s, and some time for a busy machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(36);
/// What is late is waited for a little longer, so that it can be told how late.
const GRACE: Duration = Duration::from_secs(5);
const IDLE_STOP: Duration = Duration::from_secs(1);
/// Three thousand lines at a thousand a second, on a machine that is busy with other things too.
const BURST: Duration = Duration::from_secs(6);
/// 40 channels at 18 JOINs per 10 s take a good 20 s.
const FORTY_JOINS: Duration = Duration::from_secs(45);

const STORED_MESSAGES: &str = "select native_id from events where kind = 'message' order by id";

/// Every line owed for a channel has come to the viewer and lies in the store, each exactly once.
async fn assert_all_once(twitch: &Twitch, server: &Server, feed: &mut Feed, channel: &str) {
    let owed = twitch.read(|book| book.owed_ids(channel));
    feed.until_all(&owed).await;
    let stored: Vec<String> = server.column(STORED_MESSAGES);
    for (place, ids) in [("the store", &stored), ("the feed", &feed.message_ids())] {
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{place} has a message twice");
        let lost: Vec<&String> = owed.iter().filter(|id| !distinct.contains(id)).collect();
        assert!(lost.is_empty(), "{place} lacks {} of {} lines", lost.len(), owed.len());
    }
}

fn source<'a>(sources: &'a [Value], login: &str) -> &'a Value {
    sources.iter().find(|source| source["login"] == login).unwrap_or_else(|| panic!("no source {login}: {sources:?}"))
}

#[tokio::test]
async fn a_thousand_lines_a_second_come_whole_and_in_order() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let begun = Instant::now();
    let ids = twitch.burst("room", 3000, 1000).await;
    let took = begun.elapsed();

    assert!(took <= BURST, "3,000 lines took {} ms: that is no burst", took.as_millis());
    assert_all_once(&twitch, &server, &mut feed, "room").await;
    assert_eq!(feed.message_ids(), ids);
    assert_eq!(server.column::<String>(STORED_MESSAGES), ids);
    assert_eq!(twitch.read(|book| book.connections.len()), 1);
}

#[tokio::test]
async fn a_reconnect_opens_the_new_connection_first_and_loses_nothing() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let faults = async {
        for round in 1..=2 {
            twitch.until("half of it is said", |book| book.owed.len() > 600 * round).await;
            twitch.reconnect().await;
            twitch
                .until("the old one is left", |book| book.connections.iter().filter(|c| c.is_open()).count() == 1)
                .await;
        }
    };
    tokio::join!(twitch.burst("room", 2000, 1000), faults);

    assert_all_once(&twitch, &server, &mut feed, "room").await;
    twitch.read(|book| {
        let [first, second, third] = &book.connections[..] else { panic!("{} connections", book.connections.len()) };
        for (old, new) in [(first, second), (second, third)] {
            let (left, end) = old.closed.expect("the old connection is left");
            assert_eq!(end, End::Client, "it was the client that left");
            assert!(new.joined["room"] < left, "the new connection had joined before the old one was left");
        }
    });
}

#[tokio::test]
async fn a_storm_of_reconnects_loses_nothing_and_stays_within_the_limits() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let storm = async {
        for round in 1..=8 {
            twitch.until("some more is said", |book| book.owed.len() > 200 * round).await;
            twitch.reconnect().await;
        }
    };
    tokio::join!(twitch.burst("room", 2500, 1000), storm);

    twitch.until("one is left", |book| book.connections.iter().filter(|c| c.is_open()).count() == 1).await;
    assert_all_once(&twitch, &server, &mut feed, "room").await;
    assert!(twitch.read(|book| book.connections.len()) > 1);
    assert_eq!(twitch.read(|book| book.excess_joins), 0);
}

#[tokio::test]
async fn lines_without_ids_come_once_over_a_reconnect() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let some = async |from: u32| {
        let lines = (from + 1..=from + 100).map(|seconds| timeout("room", &BOB, seconds));
        twitch.send_all(lines.collect()).await;
    };

    some(0).await;
    // The client leaves the old connection once its last PING is answered there.
    twitch.rule(|rules| rules.holds_pongs = true);
    twitch.reconnect().await;
    twitch.until("it listens on both", |book| book.listeners("room").count() == 2).await;
    some(100).await;
    twitch.answer_pings().await;
    some(200).await;
    twitch.until("the old one is left", |book| !book.connections[0].is_open()).await;
    some(300).await;
    let last = twitch.say("room", &ADA, "the last").await;
    feed.event(&last).await;
    // It has an id, so it may overtake those that are held until the old connection's end is noticed.
    let is_clear = |event: &&Value| event["kind"] == "cleared";
    feed.until("all are there", |feed| feed.events.iter().filter(is_clear).count() >= 400).await;

    let cleared = feed.events.iter().filter(is_clear);
    let mut seconds: Vec<u64> = cleared.filter_map(|event| event["duration_s"].as_u64()).collect();
    seconds.sort_unstable();
    assert_eq!(seconds, (1..=400).collect::<Vec<u64>>());
    let stored: i64 = server.column("select count(*) from events where kind = 'cleared'")[0];
    assert_eq!(stored, 400);
    assert!(twitch.read(|book| book.written("room")) >= 500, "nothing was written to both");
}

#[tokio::test]
async fn a_socket_cut_in_the_middle_of_a_line_costs_that_line_alone() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let fault = async {
        twitch.until("a part is said", |book| book.owed.len() > 500).await;
        twitch.drop_mid_line("room").await;
        twitch.until("the client is back", |book| book.connections.len() > 1 && book.has_listener("room")).await;
    };
    tokio::join!(twitch.burst("room", 2000, 1000), fault);

    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;
    assert_all_once(&twitch, &server, &mut feed, "room").await;
    let torn = twitch.read(|book| book.connections[0].torn.clone()).expect("a line was torn");
    assert!(!server.column::<String>(STORED_MESSAGES).contains(&torn), "half a line became a message");
}

#[tokio::test]
async fn a_connection_that_twitch_closes_is_opened_again_and_costs_nothing() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    twitch.burst("room", 200, 1000).await;

    twitch.close_all().await;
    twitch.until("the client is back", |book| book.connections.len() > 1 && book.has_listener("room")).await;
    twitch.burst("room", 200, 1000).await;

    assert_all_once(&twitch, &server, &mut feed, "room").await;
    assert_eq!(feed.message_ids().len(), 400);
    assert_eq!(twitch.read(|book| book.connections[0].closed.map(|(_, end)| end)), Some(End::Server));
}

#[tokio::test]
async fn a_silent_connection_is_noticed_within_35_seconds() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    twitch.burst("room", 50, 1000).await;

    twitch.go_silent().await;
    within(
        NOTICED_WITHIN + GRACE,
        "the client gives up on silence",
        twitch.seen(|book| !book.connections[0].is_open()),
    )
    .await;

    twitch.joined("room").await;
    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;
    assert_all_once(&twitch, &server, &mut feed, "room").await;
    twitch.read(|book| {
        let silent = book.connections[0].silent_since.expect("it went silent");
        let (left, end) = book.connections[0].closed.expect("it ended");
        assert_eq!(end, End::Client);
        assert!(left - silent <= NOTICED_WITHIN, "noticed after {} s", (left - silent).as_secs_f32());
    });
}

#[tokio::test]
async fn a_silent_connection_is_shown_and_healed() {
    let twitch = Twitch::start().await;
    let launch = Launch::new()
        .twitch(&twitch, &["room"])
        .env("ELORA_TWITCH_PING_INTERVAL_MS", "400")
        .env("ELORA_TWITCH_PONG_WAIT_MS", "400");
    let (_server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    until_state(&mut feed, "room", "live").await;

    twitch.go_silent().await;

    feed.until("the source is not live", |feed| {
        let state = |feed: &Feed| feed.state("sources")?["sources"][0]["state"].as_str().map(str::to_owned);
        state(feed).is_some_and(|state| ["stalled", "backoff", "connecting"].contains(&state.as_str()))
    })
    .await;
    until_state(&mut feed, "room", "live").await;
    assert!(twitch.read(|book| book.connections.len()) > 1);
}

#[tokio::test]
async fn pings_are_answered() {
    let (twitch, _server, _feed) = watching(&["room"]).await;

    twitch.ping().await;

    twitch.until("a PONG", |book| book.connections[0].has_said("PONG :tmi.twitch.tv")).await;
}

#[tokio::test]
async fn lines_are_read_however_they_are_laid_into_frames() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let framings = [Framing::OnePerFrame, Framing::Several(7), Framing::Fragmented, Framing::Torn];
    for framing in framings {
        twitch.rule(|rules| rules.framing = framing);
        twitch.burst("room", 40, 1000).await;
    }

    assert_all_once(&twitch, &server, &mut feed, "room").await;
    assert_eq!(feed.message_ids().len(), 160);
    twitch.read(|book| assert_eq!(book.connections[0].laid, BTreeSet::from(framings)));
}

#[tokio::test]
async fn an_idle_server_stops_within_a_second() {
    let (_twitch, server, mut feed) = watching(&["room"]).await;

    let begun = Instant::now();
    let (ended, code) = tokio::join!(server.stop_within(IDLE_STOP), feed.until_closed());

    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(code, 1012);
    assert!(begun.elapsed() <= IDLE_STOP);
}

#[tokio::test]
async fn a_dead_token_falls_back_to_anonymous_reading_and_says_so() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.dead_tokens.insert("expired".to_owned()));
    let launch = Launch::new()
        .twitch(&twitch, &["room"])
        .env("TWITCH_USERNAME", "Ada_L")
        .env("TWITCH_OAUTH_TOKEN", "oauth:expired");

    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let said = twitch.say("room", &BOB, "still heard").await;

    feed.event(&said).await;
    let state = until_state(&mut feed, "room", "auth").await;
    assert!(state["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{state}");
    twitch.read(|book| {
        let tried = book.connections.iter().filter(|c| c.token.as_deref() == Some("oauth:expired")).count();
        assert_eq!(tried, 1, "a dead token is tried once");
        let listener = book.listeners("room").next().expect("somebody listens");
        assert!(listener.nick.as_deref().is_some_and(|nick| nick.starts_with("justinfan")));
    });
    assert!(!server.said().contains("expired"), "the token stands in the log");
}

#[tokio::test]
async fn an_account_is_used_where_its_token_is_good() {
    let twitch = Twitch::start().await;
    let launch =
        Launch::new().twitch(&twitch, &["room"]).env("TWITCH_USERNAME", "Ada_L").env("TWITCH_OAUTH_TOKEN", "fresh");

    let (_server, mut feed) = watching_with(&twitch, launch, &["room"]).await;

    until_state(&mut feed, "room", "live").await;
    twitch.read(|book| {
        let listener = book.listeners("room").next().expect("somebody listens");
        assert_eq!(listener.nick.as_deref(), Some("ada_l"));
        assert_eq!(listener.token.as_deref(), Some("oauth:fresh"));
    });
}

#[tokio::test]
async fn a_changed_token_file_is_read_again() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.dead_tokens.insert("expired".to_owned()));
    let launch = Launch::new().twitch(&twitch, &["room"]).env("TWITCH_USERNAME", "ada_l");
    let file = launch.dir().join("twitch_irc.pass");
    std::fs::write(&file, "oauth:expired\n").unwrap();
    let launch = launch.env("TWITCH_TOKEN_FILE", &file.display().to_string());
    let (_server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    until_state(&mut feed, "room", "auth").await;

    std::fs::write(&file, "oauth:renewed\n").unwrap();

    until_state(&mut feed, "room", "live").await;
    twitch
        .until("the account listens", |book| {
            book.listeners("room").any(|listener| listener.token.as_deref() == Some("oauth:renewed"))
        })
        .await;
}

#[tokio::test]
async fn words_of_refusal_inside_chat_do_nothing() {
    let (twitch, _server, mut feed) = watching(&["room"]).await;

    for words in ["Login authentication failed", ":tmi.twitch.tv NOTICE * :Login unsuccessful", "RECONNECT", "PING :x"]
    {
        twitch.say("room", &BOB, words).await;
    }
    twitch.send(resub("room", &ADA, 3, "Improperly formatted auth")).await;
    twitch.send_raw("@msg-id=slow_on :tmi.twitch.tv NOTICE #room :Login authentication failed").await;
    twitch.send_raw(":bob!bob@bob.tmi.twitch.tv NOTICE * :Login authentication failed").await;
    let last = twitch.say("room", &MEI, "and on it goes").await;

    feed.event(&last).await;
    let state = until_state(&mut feed, "room", "live").await;
    assert_eq!(state["state"], "live");
    assert_eq!(twitch.read(|book| book.connections.len()), 1, "the connection was given up");
    assert!(twitch.read(|book| !book.connections[0].has_said("PONG")), "a line of chat was answered as a PING");
}

#[tokio::test]
async fn forty_channels_are_joined_within_twitchs_limit() {
    let twitch = Twitch::start().await;
    let channels: Vec<String> = (1..=40).map(|n| format!("room{n}")).collect();
    let names: Vec<&str> = channels.iter().map(String::as_str).collect();
    let server = Launch::new().twitch(&twitch, &names).start().await;

    let all = twitch.seen(|book| channels.iter().all(|channel| book.has_listener(channel)));
    within(FORTY_JOINS, "all 40 channels are joined", all).await;

    assert_eq!(twitch.read(|book| book.excess_joins), 0);
    assert!(twitch.read(Book::densest_joins) <= 20);
    drop(server);
}

#[tokio::test]
async fn a_join_that_is_never_confirmed_is_tried_again_and_holds_up_nobody() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.unconfirmed.insert("ghost".to_owned()));
    let server = Launch::new().twitch(&twitch, &["ghost", "room"]).start().await;
    let mut feed = server.feed("?last=100").await;
    twitch.joined("room").await;

    let said = twitch.say("room", &ADA, "heard").await;
    feed.event(&said).await;

    let sources = server.sources().await;
    assert_eq!(source(&sources, "room")["state"], "live");
    assert_ne!(source(&sources, "ghost")["state"], "live");
    let asked = |book: &Book| book.join_requests.iter().filter(|(_, channel)| channel == "ghost").count();
    within(FORTY_JOINS, "the ghost is asked for again", twitch.seen(|book| asked(book) > 1)).await;
    twitch.rule(|rules| rules.unconfirmed.clear());
    within(FORTY_JOINS, "the ghost appears", twitch.seen(|book| book.has_listener("ghost"))).await;
}

#[tokio::test]
async fn a_channel_is_joined_and_left_at_run_time() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let added = server.add_source("https://www.twitch.tv/SecondRoom?referrer=raid").await;
    assert_eq!(added.status, 201, "{}", added.text());
    let added = added.json();
    assert_eq!(added["source"], "twitch:secondroom");
    assert_eq!(added["added_by"], "hand");
    twitch.joined("secondroom").await;
    let said = twitch.say("secondroom", &ADA, "over here").await;
    assert_eq!(feed.event(&said).await["channel"]["login"], "secondroom");
    until_state(&mut feed, "secondroom", "live").await;
    assert_eq!(server.add_source("twitch:secondroom").await.status, 200, "it is there already");

    let id = added["id"].as_str().expect("a source has an id");
    let removed = server.ask(Request::new("DELETE", &format!("/api/sources/{id}"))).await;

    assert_eq!(removed.status, 204, "{}", removed.text());
    twitch.until("the channel is left", |book| !book.has_listener("secondroom")).await;
    assert!(server.sources().await.iter().all(|source| source["login"] != "secondroom"));
    let room = twitch.say("room", &ADA, "the first goes on").await;
    feed.event(&room).await;
}

#[tokio::test]
async fn a_channel_is_one_source_however_it_is_spelled() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let (one, two) = tokio::join!(server.add_source("twitch:Second_Room"), server.add_source("#SECOND_ROOM"));
    let mut first = [one.status, two.status];
    first.sort_unstable();
    assert_eq!(first, [200, 201], "two at once add one");
    let id = one.json()["id"].clone();

    for spelling in [
        "second_room",
        "@Second_Room",
        " https://www.twitch.tv/SECOND_ROOM?referrer=raid ",
        "HTTPS://TWITCH.TV/second_room/",
        "m.twitch.tv/second_room/videos",
        "https://www.twitch.tv/popout/Second_Room/chat?popout=",
        "TWITCH:#second_room",
    ] {
        let again = server.add_source(spelling).await;
        assert_eq!((again.status, &again.json()["id"]), (200, &id), "{spelling}");
    }
    assert_eq!(server.add_source("https://twitch.tv/ROOM").await.status, 200, "the configured one too");
    twitch.joined("second_room").await;
    let said = twitch.say("second_room", &ADA, "once").await;
    feed.event(&said).await;

    assert_eq!(server.sources().await.len(), 2);
    assert_eq!(feed.events.len(), 1);
    let joins = twitch.read(|book| book.join_requests.iter().filter(|(_, channel)| channel == "second_room").count());
    assert_eq!(joins, 1);
}

#[tokio::test]
async fn what_is_no_source_is_refused_with_a_reason() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    for wrong in
        ["", "https://example.com/room", "twitch:not a name", "twitch:abcdefghijklmnopqrstuvwxyz_", "mixer:room"]
    {
        let answer = server.add_source(wrong).await;
        assert!((400..500).contains(&answer.status), "{wrong}: {}", answer.status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{wrong}");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{wrong}");
    }
    assert_eq!(server.sources().await.len(), 1);
}

#[tokio::test]
async fn a_platform_that_is_not_read_yet_is_kept_and_says_so() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    let added = server.add_source("https://www.youtube.com/@somebody").await;

    assert_eq!(added.status, 201);
    let sources = server.sources().await;
    let source = sources.iter().find(|source| source["platform"] == "youtube").expect("it is listed");
    assert_eq!(source["state"], "refused");
    assert_eq!(source["reason"], "youtube is not read by this version");
}

#[tokio::test]
async fn sources_outlive_a_restart_as_the_owner_left_them() {
    let (twitch, server, _feed) = watching(&["kept", "removed"]).await;
    let sources = server.sources().await;
    let id = source(&sources, "removed")["id"].as_str().expect("an id").to_owned();
    assert_eq!(server.ask(Request::new("DELETE", &format!("/api/sources/{id}"))).await.status, 204);
    assert_eq!(server.add_source("twitch:added").await.status, 201);
    twitch.joined("added").await;

    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let server = launch.clone().start().await;

    for login in ["kept", "added"] {
        twitch.joined(login).await;
    }
    let logins = |sources: &[Value]| -> BTreeSet<String> {
        sources.iter().filter_map(|source| source["login"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(logins(&server.sources().await), BTreeSet::from(["added".to_owned(), "kept".to_owned()]));
    assert!(twitch.read(|book| !book.has_listener("removed")), "a source removed by hand came back");

    assert_eq!(server.stop().await.code, Some(0));
    let server = launch.env("TWITCH_CHANNELS", "kept,removed,new").start().await;
    for login in ["added", "kept", "new", "removed"] {
        twitch.joined(login).await;
    }
    assert_eq!(server.sources().await.len(), 4, "a changed list brings back what it names");
}

#[tokio::test]
async fn a_viewer_hears_how_the_sources_do_right_after_hello() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let first = until_state(&mut feed, "room", "live").await;
    assert_eq!(first["source"], "twitch:room");
    assert_eq!(first["added_by"], "config");

    let said = twitch.say("room", &ADA, "counted").await;
    feed.event(&said).await;
    let mut late = server.feed("?last=0").await;

    late.until("the sources", |late| late.state("sources").is_some()).await;
    feed.until("a count", |feed| {
        feed.state("sources").is_some_and(|state| state["sources"][0]["events"].as_u64() >= Some(1))
    })
    .await;
    assert_eq!(late.others[0]["topic"], "sources", "it comes right after hello");
}
