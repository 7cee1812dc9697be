//! Deletions and timeouts as hostile as they come: whatever the order, the room and the stamp, exactly what was meant
//! is gone, and stays gone.

use crate::support::feed::Feed;
use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::twitch::lines::{clear_all, clearmsg, now_ms, privmsg, shared, timeout, timeout_at};
use crate::support::twitch::{ADA, BOB, Chatter, Framing, Twitch};

/// Somebody says a last word; gives a new viewer who has seen everything up to it.
async fn hindsight(twitch: &Twitch, server: &Server, feed: &mut Feed, room: &str) -> Feed {
    let last = twitch.say(room, &ADA, "the last word").await;
    feed.event(&last).await;
    let mut late = server.feed("?last=1000").await;
    late.event(&last).await;
    late
}

fn states<const N: usize>(feed: &Feed, ids: [&str; N]) -> [String; N] {
    ids.map(|id| {
        feed.find(id).unwrap_or_else(|| panic!("{id} never came"))["state"].as_str().expect("it has one").into()
    })
}

#[tokio::test]
async fn a_deletion_before_its_message_in_one_frame_wins() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let (before, after) = (privmsg("room", &BOB, "first unspeakable"), privmsg("room", &BOB, "second unspeakable"));
    let ids = [before.native_id(), after.native_id()];
    twitch.rule(|rules| rules.framing = Framing::Several(4));

    let early = clearmsg("room", BOB.login, &ids[0], "first unspeakable");
    let late = clearmsg("room", BOB.login, &ids[1], "second unspeakable");
    twitch.send_all(vec![early, before, after, late]).await;

    let seen = hindsight(&twitch, &server, &mut feed, "room").await;
    assert_eq!(states(&seen, [&ids[0], &ids[1]]), ["removed", "removed"]);
    assert!(!seen.events.iter().any(|event| event.to_string().contains("unspeakable")));
    assert!(!server.get("/api/messages").await.text().contains("unspeakable"));
}

#[tokio::test]
async fn a_deletion_said_in_another_room_takes_nothing_away() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let (first, second) = (privmsg("room", &BOB, "said before"), privmsg("room", &BOB, "said after"));
    let ids = [first.native_id(), second.native_id()];

    twitch.send(first).await;
    feed.event(&ids[0]).await;
    for id in &ids {
        twitch.send(clearmsg("other", BOB.login, id, "x")).await;
    }
    feed.until("both deletions", |feed| feed.events.iter().filter(|e| e["kind"] == "removed").count() == 2).await;
    twitch.send(second).await;

    let seen = hindsight(&twitch, &server, &mut feed, "room").await;
    assert_eq!(states(&seen, [&ids[0], &ids[1]]), ["visible", "visible"]);
}

#[tokio::test]
async fn only_where_a_shared_line_was_typed_can_all_of_it_be_deleted() {
    let (twitch, server, mut feed) = watching(&["home", "guest", "other"]).await;
    let line = |channel, id: &str| shared(channel, &BOB, "typed at home", "home", id);
    let home = privmsg("home", &BOB, "").native_id();
    let [original, copy] = [line("home", &home).tagged("id", &home), line("guest", &home)];
    let copied = copy.native_id();
    twitch.send(original).await;
    twitch.send(copy).await;
    feed.until_all(&[home.clone(), copied.clone()]).await;

    for stranger in ["other", "guest"] {
        twitch.send(clearmsg(stranger, BOB.login, &home, "typed at home")).await;
    }
    let seen = hindsight(&twitch, &server, &mut feed, "guest").await;
    assert_eq!(states(&seen, [&home, &copied]), ["visible", "visible"]);

    twitch.send(clearmsg("home", BOB.login, &home, "typed at home")).await;
    let later = line("guest", &home);
    let later_id = later.native_id();
    feed.until("three deletions", |feed| feed.events.iter().filter(|e| e["kind"] == "removed").count() == 3).await;
    twitch.send(later).await;
    let seen = hindsight(&twitch, &server, &mut feed, "guest").await;
    assert_eq!(states(&seen, [&home, &copied, &later_id]), ["removed", "removed", "removed"]);
}

#[tokio::test]
async fn a_timeout_whose_stamp_is_nonsense_hits_what_came_before_and_nothing_later() {
    const DAY: i64 = 24 * 3600 * 1000;
    let far = [(now_ms() + 400 * DAY).to_string(), (now_ms() - 400 * DAY).to_string()];
    for stamp in ["0", "-1", "", "soon", "99999999999999999999", "253402300800000", &far[0], &far[1]] {
        let (twitch, server, mut feed) = watching(&["room"]).await;
        let before = twitch.say("room", &BOB, "before").await;
        feed.event(&before).await;

        twitch.send(timeout("room", &BOB, 600).tagged("tmi-sent-ts", stamp)).await;
        let cleared = feed.event_like("the timeout", |event| event["kind"] == "cleared").await;
        assert_eq!(cleared["duration_s"], 600, "{stamp}");
        // Not in the same millisecond, which would still be in time.
        let after = privmsg("room", &BOB, "after").sent(now_ms() + 1000);
        let after_id = after.native_id();
        twitch.send(after).await;

        let seen = hindsight(&twitch, &server, &mut feed, "room").await;
        assert_eq!(states(&seen, [&before, &after_id]), ["removed", "visible"], "stamped `{stamp}`");
    }
}

#[tokio::test]
async fn an_older_timeout_that_comes_late_brings_nothing_back() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let now = now_ms();
    let lines = [-3000, -1000].map(|ago| privmsg("room", &BOB, "said").sent(now + ago));
    let ids = lines.clone().map(|line| line.native_id());
    twitch.send_all(lines.to_vec()).await;

    twitch.send(timeout_at("room", &BOB, 600, now)).await;
    twitch.send(timeout_at("room", &BOB, 1, now - 2000)).await;

    let seen = hindsight(&twitch, &server, &mut feed, "room").await;
    assert_eq!(states(&seen, [&ids[0], &ids[1]]), ["removed", "removed"]);
}

#[tokio::test]
async fn a_timeout_follows_the_person_and_not_the_name() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let renamed = Chatter { login: "robert", name: "Robert", ..BOB };
    let heir = Chatter { id: 4999, ..BOB };
    let old = twitch.say("room", &BOB, "under the old name").await;
    let new = twitch.say("room", &renamed, "under the new name").await;
    let other = twitch.say("room", &heir, "somebody else took the old name").await;

    twitch.send(timeout("room", &renamed, 600)).await;

    let seen = hindsight(&twitch, &server, &mut feed, "room").await;
    assert_eq!(states(&seen, [&old, &new, &other]), ["removed", "removed", "visible"]);
}

#[tokio::test]
async fn what_was_taken_away_stays_away_when_twitch_says_it_again() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let (deleted, cleared) = (privmsg("room", &BOB, "unspeakable"), privmsg("room", &ADA, "unspeakable"));
    let ids = [deleted.native_id(), cleared.native_id()];
    twitch.send_all(vec![deleted.clone(), cleared.clone()]).await;
    twitch.send(clearmsg("room", BOB.login, &ids[0], "unspeakable")).await;
    twitch.send(clear_all("room")).await;

    twitch.send_all(vec![deleted, cleared]).await;

    let seen = hindsight(&twitch, &server, &mut feed, "room").await;
    assert_eq!(states(&seen, [&ids[0], &ids[1]]), ["removed", "removed"]);
    assert_eq!(seen.message_ids().len(), 3, "nothing came twice");
    assert!(!seen.events.iter().any(|event| event.to_string().contains("unspeakable")));
}
