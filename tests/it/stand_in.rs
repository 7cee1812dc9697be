//! The stand-in Twitch on trial: npm's tmi.js gets along with it, and every fault it offers really happens.
//! Without these, a test that survives a fault might only show that there was none.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::node::Tmi;
use crate::support::scene::watching;
use crate::support::soon;
use crate::support::twitch::lines::{bare_privmsg, clear_all, clearmsg, resub, room_id, timeout};
use crate::support::twitch::plain::Plain;
use crate::support::twitch::{ADA, BOB, Book, End, Framing, MEI, Twitch};

const TAGS: &str = "twitch.tv/tags twitch.tv/commands";
/// Long enough that an answer on the loopback would have come.
const ANSWER_TIME: Duration = Duration::from_secs(1);

async fn tmi_in_room(twitch: &Twitch) -> Tmi {
    let mut tmi = Tmi::start(&json!({ "port": twitch.port(), "channels": ["room"] }));
    tmi.event("roomstate").await;
    tmi
}

#[tokio::test]
async fn tmi_js_understands_every_kind_of_line() {
    let twitch = Twitch::start().await;
    let mut tmi = tmi_in_room(&twitch).await;

    let said = twitch.say("room", &MEI, "你好 Kappa").await;
    twitch.send(resub("room", &ADA, 14, "fourteen!")).await;
    twitch.send(timeout("room", &BOB, 600)).await;
    twitch.send(clearmsg("room", MEI.login, &said, "你好 Kappa")).await;
    twitch.send(clear_all("room")).await;
    tmi.event("clearchat").await;

    assert_eq!(tmi.event("roomstate").await["room"], room_id("room").to_string());
    let message = tmi.event("message").await;
    assert_eq!(message["id"], said);
    assert_eq!(message["text"], "你好 Kappa");
    assert_eq!(message["login"], "mei_mei");
    assert_eq!(message["name"], "芽衣");
    assert_eq!(message["color"], "#FF69B4");
    assert_eq!(tmi.event("resub").await["text"], "fourteen!");
    assert_eq!(tmi.event("timeout").await["seconds"], 600);
    assert_eq!(tmi.event("messagedeleted").await["target"], said);
}

#[tokio::test]
async fn tmi_js_answers_its_pings() {
    let twitch = Twitch::start().await;
    let mut tmi = tmi_in_room(&twitch).await;

    twitch.ping().await;

    tmi.event("ping").await;
    twitch.until("tmi.js answers", |book| book.connections[0].has_said("PONG")).await;
}

#[tokio::test]
async fn tmi_js_sees_every_line_of_a_burst_once() {
    let twitch = Twitch::start().await;
    let mut tmi = tmi_in_room(&twitch).await;

    let begun = Instant::now();
    let ids = twitch.burst("room", 2000, 1000).await;
    let took = begun.elapsed();

    tmi.until("2,000 messages", |seen| seen.iter().filter(|r| r["event"] == "message").count() >= ids.len()).await;
    assert_eq!(tmi.message_ids(), ids);
    assert_eq!(twitch.read(|book| book.owed_ids("room")), ids);
    assert!(took < Duration::from_secs(3), "2,000 lines took {} ms: that is no burst", took.as_millis());
}

#[tokio::test]
async fn tmi_js_and_the_program_hear_the_same_from_one_stand_in() {
    let (twitch, _server, mut feed) = watching(&["room"]).await;
    let mut tmi = tmi_in_room(&twitch).await;

    let mut ids = twitch.burst("room", 1000, 1000).await;
    twitch.ping().await;
    twitch.rule(|rules| rules.framing = Framing::Several(5));
    ids.extend(twitch.burst("room", 200, 1000).await);

    feed.until_all(&ids).await;
    tmi.until("every message", |seen| seen.iter().filter(|r| r["event"] == "message").count() >= ids.len()).await;
    assert_eq!(feed.message_ids(), ids);
    assert_eq!(tmi.message_ids(), ids);
    twitch.until("both answer the ping", |book| book.connections.iter().all(|c| c.has_said("PONG"))).await;
    assert_eq!(twitch.read(|book| book.connections.len()), 2);
}

#[tokio::test]
async fn a_reconnect_makes_tmi_js_open_a_second_connection() {
    let twitch = Twitch::start().await;
    let mut tmi = Tmi::start(&json!({ "port": twitch.port(), "channels": ["room"], "reconnect": true }));
    tmi.event("roomstate").await;

    twitch.reconnect().await;

    tmi.event("told_to_reconnect").await;
    twitch.until("the first connection ends", |book| !book.connections[0].is_open()).await;
    twitch.joined("room").await;
    let after = twitch.say("room", &ADA, "after").await;
    tmi.until("the message after", |seen| seen.iter().any(|report| report["id"] == after)).await;
}

#[tokio::test]
async fn a_connection_dropped_mid_line_ends_inside_a_frame() {
    let twitch = Twitch::start().await;
    let mut tmi = tmi_in_room(&twitch).await;
    let mut plain = Plain::join(twitch.port(), TAGS, &["room"]).await;

    let before = twitch.say("room", &ADA, "before").await;
    twitch.drop_mid_line("room").await;

    plain.until_line("before").await;
    let torn = soon("the torn frame", plain.frame()).await.expect("half a frame comes");
    assert!(!torn.is_whole(), "the frame came whole: {torn:?}");
    assert!(!torn.payload.contains("\r\n") && torn.payload.len() > 100, "not in the middle of a line: {torn:?}");
    assert_eq!(soon("the end", plain.frame()).await, None);
    tmi.event("disconnected").await;
    assert_eq!(tmi.message_ids(), [before], "tmi.js saw the whole line and nothing else");
    drop(plain);
    twitch.until("both have ended", |book| book.connections.iter().all(|c| c.torn.is_some() && !c.is_open())).await;
}

#[tokio::test]
async fn a_closing_server_says_goodbye_first() {
    let twitch = Twitch::start().await;
    let mut plain = Plain::join(twitch.port(), "", &["room"]).await;

    twitch.send(bare_privmsg("room", "bob", "last words")).await;
    twitch.close_all().await;

    plain.until_line(":bob!bob@bob.tmi.twitch.tv PRIVMSG #room :last words").await;
    assert_eq!(soon("a close frame", plain.frame()).await.map(|wire| wire.opcode), Some(8));
}

#[tokio::test]
async fn a_notice_reaches_tmi_js_as_it_was_given() {
    let twitch = Twitch::start().await;
    let mut tmi = tmi_in_room(&twitch).await;

    twitch.send_raw("@msg-id=msg_banned :tmi.twitch.tv NOTICE #room :You are banned").await;

    assert_eq!(tmi.event("notice").await["id"], "msg_banned");
}

#[tokio::test]
async fn silence_answers_nothing_and_stays_connected() {
    let twitch = Twitch::start().await;
    let mut plain = Plain::join(twitch.port(), TAGS, &["room"]).await;
    plain.say("PING :before").await;
    plain.until_line("PONG tmi.twitch.tv :before").await;

    twitch.go_silent().await;
    plain.say("PING :after").await;
    twitch.say("room", &ADA, "nobody hears this").await;

    let answer = tokio::time::timeout(ANSWER_TIME, plain.frame()).await;
    assert!(answer.is_err(), "the stand-in spoke, or hung up: {answer:?}");
    assert!(twitch.read(|book| book.owed.is_empty()), "what went into the silence is not owed");
    assert!(twitch.read(|book| book.connections[0].is_open()));
    drop(plain);
    twitch
        .until("it notes who left", |book| book.connections[0].closed.is_some_and(|(_, end)| end == End::Client))
        .await;
}

#[tokio::test]
async fn a_dead_token_is_refused_and_a_good_one_welcomed() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.dead_tokens.insert("expired".to_owned()));
    let with = |password| json!({ "port": twitch.port(), "username": "ada_l", "password": password });

    let mut refused = Tmi::start(&with("oauth:expired"));
    let mut welcome = Tmi::start(&with("oauth:fresh"));

    assert_eq!(refused.event("refused").await["reason"], "Login authentication failed");
    welcome.event("globaluserstate").await;
    welcome.event("connected").await;
}

#[tokio::test]
async fn an_unconfirmed_join_is_never_answered() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.unconfirmed.insert("ghost".to_owned()));
    let mut plain = Plain::join(twitch.port(), TAGS, &[]).await;

    plain.say("JOIN #ghost,#room").await;

    let first = soon("an answer", plain.frame()).await.expect("the stand-in answers");
    assert!(first.payload.contains(" JOIN #room\r\n"), "{first:?}");
    assert!(twitch.read(|book| book.join_requests.iter().any(|(_, channel)| channel == "ghost")));
    assert!(twitch.read(|book| !book.has_listener("ghost")));
}

#[tokio::test]
async fn joins_above_the_limit_are_ignored_and_counted() {
    let twitch = Twitch::start().await;
    let mut plain = Plain::join(twitch.port(), TAGS, &[]).await;

    for n in 1..=25 {
        plain.say(&format!("JOIN #room{n}")).await;
    }
    plain.say("PING :end").await;
    plain.until_line(":end").await;

    assert_eq!(twitch.read(|book| book.connections[0].joined.len()), 20);
    assert_eq!(twitch.read(|book| book.excess_joins), 5);
    assert_eq!(twitch.read(Book::densest_joins), 25);
}

#[tokio::test]
async fn lines_are_laid_into_frames_as_told() {
    let twitch = Twitch::start().await;
    let mut plain = Plain::join(twitch.port(), TAGS, &["room"]).await;

    twitch.rule(|rules| rules.framing = Framing::Several(3));
    let three = (0..3).map(|_| crate::support::twitch::lines::privmsg("room", &ADA, "three")).collect();
    twitch.send_all(three).await;
    let wire = soon("a frame", plain.frame()).await.expect("a frame");
    assert_eq!(wire.payload.matches("PRIVMSG").count(), 3);

    twitch.rule(|rules| rules.framing = Framing::Fragmented);
    twitch.say("room", &MEI, "芽衣 in two fragments").await;
    let first = soon("a frame", plain.frame()).await.expect("a frame");
    let second = soon("a frame", plain.frame()).await.expect("a frame");
    assert_eq!((first.is_final, first.opcode), (false, 1));
    assert_eq!((second.is_final, second.opcode), (true, 0));

    twitch.rule(|rules| rules.framing = Framing::Torn);
    twitch.say("room", &MEI, "over two messages").await;
    let first = soon("a frame", plain.frame()).await.expect("a frame");
    let second = soon("a frame", plain.frame()).await.expect("a frame");
    assert_eq!((first.is_final, first.opcode, second.is_final, second.opcode), (true, 1, true, 1));
    assert!(!first.payload.contains("\r\n") && second.payload.ends_with("over two messages\r\n"));
}

#[tokio::test]
async fn fragments_reach_tmi_js_as_whole_lines() {
    let twitch = Twitch::start().await;
    let mut tmi = tmi_in_room(&twitch).await;

    twitch.rule(|rules| rules.framing = Framing::Fragmented);
    let ids = [twitch.say("room", &MEI, "芽衣").await, twitch.say("room", &ADA, "and again").await];

    tmi.until("both", |seen| seen.iter().filter(|report| report["event"] == "message").count() == 2).await;
    assert_eq!(tmi.message_ids(), ids);
}

#[tokio::test]
async fn who_asks_for_no_capabilities_gets_bare_messages() {
    let twitch = Twitch::start().await;
    let mut plain = Plain::join(twitch.port(), "", &["room"]).await;

    twitch.send(clear_all("room")).await;
    twitch.say("room", &ADA, "bare").await;

    let wire = soon("a frame", plain.frame()).await.expect("a frame");
    assert_eq!(wire.payload, ":ada_l!ada_l@ada_l.tmi.twitch.tv PRIVMSG #room :bare\r\n");
}

#[tokio::test]
async fn unknown_words_are_answered_as_such() {
    let twitch = Twitch::start().await;
    let mut plain = Plain::connect(twitch.port()).await;

    plain.say("CAP LS 302").await;
    plain.until_line("CAP * LS :twitch.tv/tags twitch.tv/commands").await;
    plain.say("CAP REQ :twitch.tv/telepathy").await;
    plain.until_line("CAP * NAK :twitch.tv/telepathy").await;
    plain.say("NICK justinfan7").await;
    plain.say("WALLOPS").await;
    plain.until_line(" 421 justinfan7 WALLOPS :Unknown command").await;
    plain.say("CAP END").await;
    plain.until_line(" 001 justinfan7 ").await;
}
