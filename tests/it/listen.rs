//! The Twitch driver under its supervisor, in this process: what the program's wire does not show.

use std::collections::BTreeSet;
use std::time::Duration;

use elora_chat::chat::{Channel, Kind, NewEvent, Platform};
use elora_chat::config::{self, Config, Current, Secret, Settings};
use elora_chat::ingest::{Backoff, Board, Restart, Sink, SourceState, supervise};
use elora_chat::platforms::{self, Drivers, Kit};
use elora_chat::store::{Entry, Marks};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::support::twitch::lines::{clearmsg, privmsg, room_id, timeout};
use crate::support::twitch::{ADA, BOB, End, Twitch};
use crate::support::{soon, within};

const RETRY: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(100));
/// Much longer than an answer to a PING may take in the test where the sink stands still.
const STILL: Duration = Duration::from_millis(1500);
const STOP: Duration = Duration::from_secs(1);
/// Channels on one connection.
const CHANNELS: usize = 90;

/// A driver at work, and where its events come out.
struct Listening {
    wanted: watch::Sender<BTreeSet<Channel>>,
    board: Board,
    events: mpsc::Receiver<Entry>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Listening {
    /// Starts the driver with room for `queue` events.
    fn start(twitch: &Twitch, channels: &[&str], queue: usize, change: impl FnOnce(&mut config::Twitch)) -> Self {
        let mut config = Config::default();
        config.twitch.irc_url = format!("ws://127.0.0.1:{}", twitch.port()).parse().unwrap();
        change(&mut config.twitch);
        let (_, open) = platforms::ALL.iter().find(|(name, _)| *name == "twitch").unwrap();
        let (_, current) = Current::new(Settings::of(&config));
        let Drivers::One(driver) =
            open(&config, &Kit { current, marks: Marks::new(), purging: Default::default() }).unwrap().drivers
        else {
            panic!("Twitch has one driver for all channels")
        };
        let (wanted, list) = watch::channel(set(channels));
        let (sender, events) = mpsc::channel(queue);
        let board = Board::default();
        let stop = CancellationToken::new();
        let sink = Sink::new(sender, board.clone());
        let calls = Restart::default().calls();
        let task = tokio::spawn(supervise("twitch", driver, list, sink, RETRY, calls, stop.clone()));
        Self { wanted, board, events, stop, task }
    }

    async fn until(&self, login: &str, state: SourceState) -> Option<String> {
        let key = format!("twitch:{login}");
        let mut board = self.board.watch();
        let reached = board.wait_for(|all| all.get(&key).is_some_and(|condition| condition.state == state));
        let all = soon(&format!("{login} is {state:?}"), reached).await.unwrap();
        all[&key].reason.clone()
    }

    /// The next event that is a message or a moderator's doing.
    async fn next(&mut self) -> NewEvent {
        soon("an event", self.events.recv()).await.unwrap().into_event().unwrap()
    }

    async fn next_ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.extend(self.next().await.native_id);
        }
        ids
    }

    async fn stop(self) {
        self.stop.cancel();
        within(STOP, "the driver stops", self.task).await.unwrap();
    }
}

fn set(logins: &[&str]) -> BTreeSet<Channel> {
    logins.iter().map(|login| Channel::new(Platform::TWITCH, *login)).collect()
}

#[tokio::test]
async fn what_is_said_comes_out_with_the_channels_id() {
    let twitch = Twitch::start().await;
    let mut listening = Listening::start(&twitch, &["room"], 100, |_| {});
    twitch.joined("room").await;
    listening.until("room", SourceState::Live).await;

    let id = twitch.say("room", &ADA, "hello").await;
    twitch.send(clearmsg("room", "ada_l", &id, "hello")).await;

    let (said, removed) = (listening.next().await, listening.next().await);
    assert_eq!(said.native_id, Some(id));
    assert!(matches!(removed.kind, Kind::Removed(_)));
    let room = Some(room_id("room").to_string());
    assert_eq!((&said.channel.id, &removed.channel.id), (&room, &room), "this CLEARMSG leaves out the id");
    let status = &listening.board.snapshot()["twitch:room"];
    assert_eq!((status.events, status.rate_per_minute, &status.channel.id), (2, 2, &room));
    listening.stop().await;
}

#[tokio::test]
async fn a_ping_is_answered_while_the_sink_is_full_and_nothing_is_lost() {
    let twitch = Twitch::start().await;
    let mut listening = Listening::start(&twitch, &["room"], 1, |twitch| {
        twitch.ping_interval = Duration::from_millis(200);
    });
    twitch.joined("room").await;
    let lines: Vec<_> = (0..2000).map(|n| privmsg("room", &BOB, &format!("line {n}"))).collect();
    let ids: Vec<_> = lines.iter().filter_map(|line| line.id.clone()).collect();

    twitch.send_all(lines).await;
    twitch.ping().await;
    twitch.until("a PONG", |book| book.connections[0].has_said("PONG :tmi.twitch.tv")).await;
    twitch.until("own PINGs go on", |book| book.connections[0].said("PING") >= 3).await;

    assert_eq!(listening.next_ids(2000).await, ids);
    assert_eq!(twitch.read(|book| book.connections.len()), 1);
    listening.stop().await;
}

#[tokio::test]
async fn a_sink_that_stands_still_stops_the_reading_and_costs_neither_lines_nor_the_connection() {
    let twitch = Twitch::start().await;
    let mut listening = Listening::start(&twitch, &["room"], 1, |twitch| {
        twitch.ping_interval = Duration::from_millis(100);
        twitch.pong_wait = Duration::from_millis(100);
    });
    twitch.joined("room").await;
    let line = |n| privmsg("room", &BOB, &format!("line {n} {}", "of a good length ".repeat(20)));
    let lines: Vec<_> = (0..30_000).map(line).collect();
    let ids: Vec<_> = lines.iter().filter_map(|line| line.id.clone()).collect();

    // More than the driver's queue and the sockets hold: the stand-in can only finish once somebody takes events.
    let say = async {
        for some in lines.chunks(100) {
            twitch.send_all(some.to_vec()).await;
        }
    };
    tokio::pin!(say);
    assert!(tokio::time::timeout(STILL, &mut say).await.is_err(), "the stand-in is held back");
    let ((), heard) = tokio::join!(say, listening.next_ids(30_000));

    assert_eq!(heard, ids);
    assert_eq!(twitch.read(|book| book.connections.len()), 1);
    listening.stop().await;
}

#[tokio::test]
async fn a_full_sink_does_not_hold_up_stopping() {
    let twitch = Twitch::start().await;
    let listening = Listening::start(&twitch, &["room"], 1, |_| {});
    twitch.joined("room").await;
    twitch.send_all((0..500).map(|n| privmsg("room", &BOB, &format!("line {n}"))).collect()).await;

    listening.stop().await;
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_and_counted() {
    let twitch = Twitch::start().await;
    let mut listening = Listening::start(&twitch, &["room"], 100, |_| {});
    twitch.joined("room").await;

    twitch.close_all().await;
    twitch.until("a second connection", |book| book.connections.len() == 2 && book.has_listener("room")).await;
    let id = twitch.say("room", &ADA, "again").await;

    assert_eq!(listening.next().await.native_id, Some(id));
    assert_eq!(listening.board.reconnects()["twitch"], 1);
    listening.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_old_connection_is_closed_before_the_new_one_has_joined() {
    let twitch = Twitch::start().await;
    let mut listening = Listening::start(&twitch, &["room"], 100, |_| {});
    twitch.joined("room").await;

    twitch.reconnect().await;
    twitch.close_all().await;
    twitch.until("a new listener", |book| book.connections.len() >= 2 && book.has_listener("room")).await;
    twitch.send(timeout("room", &BOB, 60)).await;

    assert!(matches!(listening.next().await.kind, Kind::Cleared(_)));
    listening.stop().await;
}

#[tokio::test]
async fn a_suspended_channel_is_refused_and_the_others_go_on() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.unconfirmed.insert("gone".to_owned()));
    let listening = Listening::start(&twitch, &["gone", "room"], 100, |_| {});
    twitch.joined("room").await;

    twitch
        .send_raw("@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #gone :This channel does not exist or has been suspended.")
        .await;

    let reason = listening.until("gone", SourceState::Refused).await;
    assert_eq!(reason.as_deref(), Some("This channel does not exist or has been suspended."));
    listening.until("room", SourceState::Live).await;
    listening.stop().await;
}

#[tokio::test]
async fn a_ghost_is_told_as_connecting_with_a_reason() {
    let twitch = Twitch::start().await;
    twitch.rule(|rules| rules.unconfirmed.insert("ghost".to_owned()));
    let listening =
        Listening::start(&twitch, &["ghost"], 100, |twitch| twitch.join_timeout = Duration::from_millis(50));

    let told = async {
        let mut board = listening.board.watch();
        let told = board.wait_for(|all| all.get("twitch:ghost").is_some_and(|one| one.reason.is_some())).await;
        told.unwrap()["twitch:ghost"].clone()
    };
    let condition = soon("a reason", told).await;

    assert_eq!(condition.state, SourceState::Connecting);
    assert!(condition.reason.unwrap().contains("does the channel exist?"));
    listening.stop().await;
}

#[tokio::test]
async fn the_last_channel_to_go_takes_the_connection_with_it() {
    let twitch = Twitch::start().await;
    let listening = Listening::start(&twitch, &["room"], 100, |_| {});
    twitch.joined("room").await;

    listening.wanted.send_replace(set(&[]));
    twitch.until("it is left", |book| matches!(book.connections[0].closed, Some((_, End::Client)))).await;
    listening.until("room", SourceState::Stopped).await;

    listening.wanted.send_replace(set(&["room"]));
    twitch.joined("room").await;
    listening.until("room", SourceState::Live).await;
    assert!(listening.board.reconnects().is_empty(), "nothing was lost");
    listening.stop().await;
}

#[tokio::test]
async fn a_new_token_is_used_without_a_gap() {
    let twitch = Twitch::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "oauth:old").unwrap();
    let listening = Listening::start(&twitch, &["room"], 100, |config| {
        config.username = Some("somebody".to_owned());
        config.oauth_token = Some(Secret::new("weaker".to_owned()));
        config.token_file = Some(file.clone());
    });
    twitch.joined("room").await;

    std::fs::write(&file, "oauth:new").unwrap();

    twitch.until("the old one is left", |book| !book.connections[0].is_open()).await;
    twitch.read(|book| {
        let [old, new] = &book.connections[..] else { panic!("{} connections", book.connections.len()) };
        assert_eq!((old.token.as_deref(), new.token.as_deref()), (Some("oauth:old"), Some("oauth:new")));
        assert!(new.joined["room"] < old.closed.unwrap().0, "the new one had joined before the old one was left");
    });
    listening.stop().await;
}

#[tokio::test]
async fn a_stalled_connection_is_told_before_it_is_given_up() {
    let twitch = Twitch::start().await;
    let listening = Listening::start(&twitch, &["room"], 100, |config| {
        config.ping_interval = Duration::from_millis(100);
        config.pong_wait = Duration::from_millis(400);
    });
    twitch.joined("room").await;

    twitch.go_silent().await;

    listening.until("room", SourceState::Stalled).await;
    let reason = listening.until("room", SourceState::Backoff).await;
    assert!(reason.unwrap().contains("PING"));
    listening.until("room", SourceState::Live).await;
    listening.stop().await;
}

#[tokio::test]
async fn a_young_connection_that_is_lost_is_opened_again_and_takes_no_other_with_it() {
    let logins: Vec<String> = (0..=CHANNELS).map(|number| format!("c{number:03}")).collect();
    let twitch = Twitch::start().await;
    let mut listening = Listening::start(&twitch, &logins.iter().map(String::as_str).collect::<Vec<_>>(), 1024, |_| {});
    listening.until("c000", SourceState::Live).await;
    twitch.until("both are in", |book| book.connections.iter().filter(|c| c.welcomed).count() == 2).await;
    let full = twitch.read(|book| book.connections.iter().position(|c| c.joined.contains_key("c000"))).unwrap();

    twitch.close(1 - full).await;
    twitch.until("it is opened again", |book| book.connections.len() == 3 && book.connections[2].welcomed).await;

    assert!(twitch.read(|book| book.connections[full].is_open()), "90 channels are lost with it");
    let id = twitch.say("c000", &ADA, "still here").await;
    assert_eq!(listening.next().await.native_id, Some(id));
    listening.stop().await;
}
