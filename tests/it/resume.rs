//! Viewers that come back: by whatever cursor, after whatever end, they miss nothing and see nothing twice.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use crate::support::feed::Feed;
use crate::support::scene::{unread_tails, watching, watching_with};
use crate::support::server::{Launch, Server, asked_until};
use crate::support::twitch::lines::{clearmsg, now_ms, privmsg};
use crate::support::twitch::{ADA, BOB, Twitch};

const ALL_IDS: &str = "select id from events order by id";

/// Ids of messages that are visible in a room, as the store has them.
fn stored(server: &Server, login: &str) -> Vec<String> {
    server.column(&format!(
        "select e.native_id from events e join channels c on c.id = e.channel_id
         where c.login = '{login}' and e.kind = 'message' order by e.id"
    ))
}

async fn back(twitch: &Twitch, connections: usize) {
    twitch.until("the server is back", |book| book.connections.len() > connections && book.has_listener("room")).await;
}

fn after(feed: &Feed) -> i64 {
    feed.cursor.split_once(':').and_then(|(_, id)| id.parse().ok()).expect("epoch:id")
}

#[tokio::test]
async fn a_viewer_with_filters_comes_back_in_the_middle_of_a_burst_again_and_again() {
    const ROUNDS: usize = 8;
    let (twitch, server, mut witness) = watching(&["room", "other"]).await;
    let query = "&channel=twitch:ROOM&kinds=message&platform=twitch";
    let mut viewer = server.feed(&format!("?last=0{query}")).await;
    let mut seen: Vec<String> = Vec::new();

    let coming_and_going = async {
        for round in 1..=ROUNDS {
            viewer.until("some of the burst", |viewer| viewer.events.len() > 60).await;
            seen.extend(viewer.message_ids());
            let cursor = viewer.leave();
            twitch.until("some of it is missed", |book| book.owed.len() > round * 250).await;
            viewer = server.feed(&format!("?since={cursor}{query}")).await;
            assert_eq!(viewer.hello["resumed"], true, "{}", viewer.hello);
        }
        viewer
    };
    let (ids, _, mut viewer) =
        tokio::join!(twitch.burst("room", 1500, 1000), twitch.burst("other", 1500, 1000), coming_and_going);
    witness.until_all(&ids).await;
    viewer.event(ids.last().expect("something was said")).await;
    seen.extend(viewer.message_ids());

    assert_eq!(seen, ids);
    assert_eq!(seen, stored(&server, "room"));
}

#[tokio::test]
async fn a_cursor_from_before_two_kills_misses_nothing() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let first = twitch.say("room", &ADA, "before").await;
    feed.event(&first).await;
    let cursor = feed.cursor.clone();

    let server = server.kill().await.start().await;
    back(&twitch, 1).await;
    let between = twitch.say("room", &ADA, "between").await;
    server.feed("?last=10").await.event(&between).await;
    let server = server.kill().await.start().await;
    let mut resumed = server.feed(&format!("?since={cursor}")).await;
    back(&twitch, 2).await;
    let last = twitch.say("room", &ADA, "after").await;
    resumed.event(&last).await;

    assert_eq!(resumed.hello["resumed"], true);
    assert!(!resumed.reset);
    assert_eq!(resumed.message_ids(), [between, last]);
}

#[tokio::test]
async fn ids_never_come_again_over_kills_with_nothing_in_between() {
    let (twitch, mut server, mut feed) = watching(&["room"]).await;
    let first = twitch.say("room", &ADA, "the only one").await;
    feed.event(&first).await;
    let shown = after(&feed);

    for kills in 1..=3 {
        server = server.kill().await.start().await;
        let viewer = server.feed(&format!("?since={}", feed.cursor)).await;
        assert_eq!(viewer.hello["resumed"], true, "after {kills} kills");
        back(&twitch, kills).await;
    }
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));
    let server = launch.start().await;
    let mut resumed = server.feed(&format!("?since={}", feed.cursor)).await;
    back(&twitch, 4).await;
    let second = twitch.say("room", &ADA, "another one").await;
    resumed.event(&second).await;

    assert!(after(&resumed) >= shown + 30_000, "{} follows {shown}", after(&resumed));
    assert_eq!(resumed.message_ids(), [second]);
    assert!(!resumed.reset);
}

#[tokio::test]
async fn a_cursor_inside_the_ids_that_were_skipped_resumes_with_what_follows() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    feed.event(&twitch.say("room", &ADA, "before").await).await;
    let (epoch, id) = feed.cursor.split_once(':').expect("epoch:id");
    let lost_in_a_power_cut = format!("{epoch}:{}", id.parse::<i64>().expect("a number") + 700);

    let server = server.kill().await.start().await;
    let mut resumed = server.feed(&format!("?since={lost_in_a_power_cut}")).await;
    back(&twitch, 1).await;
    let second = twitch.say("room", &ADA, "after").await;
    resumed.event(&second).await;

    assert_eq!(resumed.hello["resumed"], true);
    assert_eq!(resumed.message_ids(), [second]);
}

#[tokio::test]
async fn a_cursor_of_the_future_is_reset_and_gets_as_many_as_it_asks_for() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let ids = twitch.burst("room", 20, 1000).await;
    feed.until_all(&ids).await;
    let epoch = feed.hello["epoch"].as_str().expect("an epoch").to_owned();

    for (ahead, last) in [(Some(1), 0), (Some(1), 7), (None, 0), (Some(0), 7)] {
        let since = ahead.map_or(i64::MAX, |ahead| after(&feed) + ahead);
        let is_reset = ahead != Some(0);
        let mut viewer = server.feed(&format!("?since={epoch}:{since}&last={last}")).await;
        let live = twitch.say("room", &ADA, "live").await;
        viewer.event(&live).await;
        feed.event(&live).await;

        assert_eq!(viewer.reset, is_reset, "{ahead:?} ahead");
        assert_eq!(viewer.hello["resumed"], !is_reset, "{ahead:?} ahead");
        let old = if is_reset { last } else { 0 };
        assert_eq!(viewer.events.len(), old + 1, "{ahead:?} ahead, last={last}");
    }
}

#[tokio::test]
async fn the_beginning_is_a_cursor_too() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let ids = twitch.burst("room", 300, 1000).await;
    feed.until_all(&ids).await;
    let epoch = feed.hello["epoch"].as_str().expect("an epoch");

    let mut viewer = server.feed(&format!("?since={epoch}:0&last=5")).await;
    viewer.until_all(&ids).await;

    assert_eq!(viewer.hello["resumed"], true);
    assert_eq!(viewer.message_ids(), ids, "a resume is not cut to the newest");
}

#[tokio::test]
async fn who_was_away_while_a_line_was_taken_away_never_reads_it() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let seen = twitch.say("room", &BOB, "seen before it went").await;
    feed.event(&seen).await;
    let cursor = feed.cursor.clone();
    let missed = twitch.say("room", &BOB, "unspeakable").await;
    for id in [&seen, &missed] {
        twitch.send(clearmsg("room", BOB.login, id, "unspeakable")).await;
    }
    feed.until("both deletions", |feed| feed.events.iter().filter(|e| e["kind"] == "removed").count() == 2).await;
    let deleted = feed.cursor.clone();

    let server = server.kill().await.start().await;
    let mut back = server.feed(&format!("?since={cursor}&kinds=message")).await;
    back.until("the last deletion", |back| back.cursor == deleted).await;

    assert_eq!(back.find(&missed).expect("it keeps its place")["state"], "removed");
    let targets: Vec<&str> = back.events.iter().filter_map(|event| event["target"]["native_id"].as_str()).collect();
    assert_eq!(targets, [seen, missed]);
    assert!(!back.events.iter().any(|event| event.to_string().contains("unspeakable")));
}

#[tokio::test]
async fn the_order_is_that_of_coming_whatever_the_stamps_say() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let hour = 3600 * 1000;
    let lines =
        [0, -hour, hour, -2 * hour, 400 * 24 * hour, -1].map(|off| privmsg("room", &ADA, "x").sent(now_ms() + off));
    let ids = lines.clone().map(|line| line.native_id());

    twitch.send_all(lines.to_vec()).await;
    feed.until_all(&ids).await;

    assert_eq!(feed.message_ids(), ids);
    let (epoch, first) = (feed.hello["epoch"].as_str().expect("an epoch"), feed.ids()[0]);
    let mut back = server.feed(&format!("?since={epoch}:{first}")).await;
    back.until_all(&ids[1..]).await;
    assert_eq!(back.message_ids(), ids[1..]);
}

#[tokio::test]
async fn a_start_that_is_killed_at_any_moment_leaves_a_store_that_opens() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]);

    // A start that takes longer is dropped, and with it the process is killed.
    let mut patience = Duration::from_millis(1);
    while tokio::time::timeout(patience, launch.clone().start()).await.is_err() {
        patience += Duration::from_millis(2);
    }
    let server = launch.start().await;
    let mut feed = server.feed("?last=10").await;
    twitch.until("the last server listens", |book| book.listeners("room").count() == 1).await;
    let said = twitch.say("room", &ADA, "kept").await;
    feed.event(&said).await;

    assert!(patience > Duration::from_millis(5), "no start was killed");
    assert_eq!(server.column::<String>("pragma integrity_check"), ["ok"]);
    assert_eq!(server.column::<String>("select native_id from events where kind = 'message'"), [said]);
}

/// The head of a rollback journal that says: the file was empty before. Sizes are a sector's and a page's.
fn journal_of_an_empty_file() -> Vec<u8> {
    let magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let numbers = [0_u32, 0x5eed, 0, 512, 4096].map(u32::to_be_bytes);
    let mut journal = [&magic[..], &numbers.concat()].concat();
    journal.resize(512, 0);
    journal
}

#[tokio::test]
async fn a_first_start_killed_while_it_marked_its_file_loses_no_store_later() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]);
    let mark = rusqlite::Connection::open(launch.db_path()).unwrap();
    mark.pragma_update(None, "application_id", i32::from_be_bytes(*b"elor")).unwrap();
    mark.close().unwrap();
    std::fs::write(launch.db_path().with_extension("db-journal"), journal_of_an_empty_file()).unwrap();

    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let said = twitch.say("room", &ADA, "kept").await;
    feed.event(&said).await;
    let launch = server.launch().clone();
    assert_eq!(server.stop().await.code, Some(0));

    let server = launch.start().await;
    assert_eq!(stored(&server, "room"), [said]);
}

/// Waits until the store's main file is written, which only a checkpoint does.
async fn checkpointing(server: &Server) {
    let changed = |server: &Server| {
        let file = std::fs::metadata(server.launch().db_path()).expect("the store is there");
        (file.mtime(), file.mtime_nsec(), file.len())
    };
    let before = changed(server);
    while changed(server) == before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_checkpoint_takes_nothing() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    let killing = async {
        checkpointing(&server).await;
        let launch = server.kill().await;
        feed.until_closed().await;
        let log = std::fs::metadata(launch.db_path().with_extension("db-wal")).map_or(0, |log| log.len());
        let restarted = launch.start().await;
        let resumed = restarted.feed(&format!("?since={}", feed.cursor)).await;
        back(&twitch, 1).await;
        (log, restarted, resumed, feed)
    };
    let until_then = async {
        while twitch.read(|book| book.connections.len() < 2 || !book.has_listener("room")) {
            twitch.burst("room", 100, 2000).await;
        }
    };
    let ((log, server, mut resumed, before), ()) = tokio::join!(killing, until_then);
    let last = twitch.say("room", &ADA, "the last").await;
    resumed.event(&last).await;

    assert!(log > 0, "the log was empty: that was no checkpoint");
    assert_eq!(resumed.hello["resumed"], true);
    let seen: Vec<i64> = before.ids().into_iter().chain(resumed.ids()).collect();
    assert_eq!(seen, server.column::<i64>(ALL_IDS), "the viewer's ids are the committed ids, in order");
    assert_eq!(server.column::<String>("pragma integrity_check"), ["ok"]);
    let ids = stored(&server, "room");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert_eq!(
        unread_tails(&twitch, "room", &ids).last(),
        Some(&0),
        "what was said after the second JOIN is all there"
    );
    asked_until("ready", &server, "/readyz", |answer| answer.status == 200).await;
}
