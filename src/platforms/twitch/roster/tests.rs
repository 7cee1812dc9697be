//! What the roster decides, on a clock that the tests turn.

use super::*;
use crate::chat::Platform;

const JOIN_WITHIN: Duration = Duration::from_secs(10);
const REFUSED: &str = "this channel has been suspended";

/// A roster, its limits and a clock.
struct Table {
    roster: Roster,
    limits: Limits,
    now: Instant,
}

impl Table {
    fn new(logins: &[&str]) -> Self {
        let mut table = Self { roster: Roster::new(JOIN_WITHIN), limits: Limits::new(18), now: Instant::now() };
        table.want(logins);
        table
    }

    /// A table at which every channel is joined, on connection 1.
    fn joined(logins: &[&str]) -> Self {
        let mut table = Self::new(logins);
        table.next();
        table.ready(1);
        table.next();
        logins.iter().for_each(|login| table.roster.joined(ConnId(1), login));
        assert_eq!(table.next(), []);
        table
    }

    fn want(&mut self, logins: &[&str]) -> Vec<Channel> {
        self.roster.want(&logins.iter().map(|login| Channel::new(Platform::TWITCH, *login)).collect())
    }

    fn next(&mut self) -> Vec<Action> {
        let actions = self.roster.next(&mut self.limits, self.now);
        assert!(self.wake_at().is_none_or(|at| at > self.now), "what is due is done at once");
        actions
    }

    fn wake_at(&self) -> Option<Instant> {
        self.roster.wake_at(&self.limits, self.now)
    }

    fn ready(&mut self, id: u32) {
        self.roster.ready(ConnId(id), false);
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn lose(&mut self, id: u32) -> Result<Loss, String> {
        self.roster.gone(ConnId(id), Cause::Lost("closed".into()), self.now)
    }

    fn state(&self, login: &str) -> SourceState {
        self.standing(login).0
    }

    fn standing(&self, login: &str) -> (SourceState, Option<String>) {
        let fallback = Some("the token is dead");
        let mut all = self.roster.standings(fallback).filter(|(channel, ..)| channel.login == login);
        all.next().map(|(_, state, reason)| (state, reason)).expect("the channel is wanted")
    }
}

fn open(id: u32) -> Action {
    Action::Open { id: ConnId(id), follows: None }
}

fn succeed(id: u32, leader: u32) -> Action {
    Action::Open { id: ConnId(id), follows: Some(ConnId(leader)) }
}

fn join(id: u32, login: &str) -> Action {
    Action::Join { id: ConnId(id), login: login.into() }
}

fn part(id: u32, login: &str) -> Action {
    Action::Part { id: ConnId(id), login: login.into() }
}

fn leave(id: u32) -> Action {
    Action::Leave { id: ConnId(id) }
}

fn many(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("c{number:03}")).collect()
}

#[test]
fn nothing_wanted_is_nothing_done() {
    let mut table = Table::new(&[]);

    assert_eq!((table.next(), table.wake_at()), (vec![], None));
}

#[test]
fn a_channel_is_asked_for_once_the_connection_is_ready_and_live_once_confirmed() {
    let mut table = Table::new(&["a"]);
    assert_eq!((table.next(), table.state("a")), (vec![open(1)], SourceState::Connecting));

    table.ready(1);
    assert_eq!((table.next(), table.state("a")), (vec![join(1, "a")], SourceState::Connecting));

    table.roster.joined(ConnId(1), "a");
    assert_eq!((table.next(), table.state("a"), table.wake_at()), (vec![], SourceState::Live, None));
}

#[test]
fn joins_keep_the_limit_over_all_connections() {
    let logins = many(200);
    let mut table = Table::new(&logins.iter().map(String::as_str).collect::<Vec<_>>());
    let opened = table.next();
    assert_eq!(opened, [open(1), open(2), open(3)], "90 channels each");
    (1..=3).for_each(|id| table.ready(id));

    let mut asked = Vec::new();
    while asked.len() < 200 {
        for action in table.next() {
            let Action::Join { id, login } = action else { panic!("{action:?}") };
            table.roster.joined(id, &login);
            asked.push((table.now, login));
        }
        let Some(wake) = table.wake_at() else { break };
        table.now = wake;
    }

    assert_eq!(asked.len(), 200);
    let shortest = Duration::from_millis(10_500);
    assert!(asked.windows(19).all(|some| some[18].0 - some[0].0 >= shortest), "one on the way may overtake");
    let unlike: BTreeSet<_> = asked.iter().map(|(_, login)| login).collect();
    assert_eq!(unlike.len(), 200, "each once");
}

#[test]
fn an_unconfirmed_join_is_tried_again_ever_more_rarely_and_told() {
    let mut table = Table::new(&["a"]);
    table.next();
    table.ready(1);
    let start = table.now;
    table.next();

    let mut tries = Vec::new();
    for _ in 0..12 {
        table.now = table.wake_at().expect("the join is watched");
        if !table.next().is_empty() {
            tries.push((table.now - start).as_secs());
        }
    }

    assert_eq!(tries[..4], [10, 20, 40, 70], "the time to answer, then 0, 0, 10, 20 s of patience");
    let (state, reason) = table.standing("a");
    assert_eq!(state, SourceState::Connecting);
    assert!(reason.is_some_and(|reason| reason.contains("does the channel exist?")));
}

#[test]
fn a_refused_channel_is_left_alone_until_it_is_asked_for_anew() {
    let mut table = Table::new(&["a", "b"]);
    table.next();
    table.ready(1);
    table.next();

    table.roster.refused("a", REFUSED);
    table.pass(3600);
    assert!(!table.next().contains(&join(1, "a")));
    assert_eq!(table.standing("a"), (SourceState::Refused, Some(REFUSED.into())));

    table.want(&["b"]);
    table.want(&["a", "b"]);
    assert!(table.next().contains(&join(1, "a")));
}

#[test]
fn a_removed_channel_is_parted_and_an_empty_connection_closed() {
    let mut table = Table::joined(&["a", "b"]);

    assert_eq!(table.want(&["b"]), [Channel::new(Platform::TWITCH, "a")]);
    assert_eq!(table.next(), [part(1, "a")]);
    table.want(&[]);
    assert_eq!(table.next(), [part(1, "b"), leave(1)]);
    assert_eq!(table.lose(1), Ok(Loss::Covered));
}

#[test]
fn the_answer_to_our_own_part_does_not_end_a_membership_that_is_wanted_again() {
    let mut table = Table::joined(&["a", "b"]);
    table.want(&["b"]);
    table.next();
    table.want(&["a", "b"]);
    assert_eq!(table.next(), [join(1, "a")]);

    table.roster.parted(ConnId(1), "a", table.now);
    table.roster.joined(ConnId(1), "a");

    assert_eq!(table.state("a"), SourceState::Live);
}

#[test]
fn a_channel_that_twitch_takes_us_out_of_is_asked_for_again() {
    let mut table = Table::joined(&["a"]);

    table.roster.parted(ConnId(1), "a", table.now);
    assert_eq!((table.next(), table.state("a")), (vec![], SourceState::Connecting));

    table.now = table.wake_at().expect("it waits");
    assert_eq!(table.next(), [join(1, "a")]);
}

#[test]
fn the_old_connection_goes_only_when_its_successor_has_joined_everything() {
    let mut table = Table::joined(&["a", "b"]);

    table.roster.renew(ConnId(1), table.now);
    assert_eq!(table.next(), [succeed(2, 1)]);
    table.roster.renew(ConnId(1), table.now);
    assert_eq!(table.next(), [], "one successor is enough");
    table.ready(2);
    assert_eq!(table.next(), [join(2, "a"), join(2, "b")]);
    table.roster.joined(ConnId(2), "a");
    assert_eq!((table.next(), table.state("b")), (vec![], SourceState::Live));
    table.roster.joined(ConnId(2), "b");
    assert_eq!(table.next(), [leave(1)]);

    assert_eq!(table.lose(1), Ok(Loss::Covered));
    assert_eq!((table.next(), table.state("a")), (vec![], SourceState::Live));
}

#[test]
fn a_channel_that_stays_silent_does_not_hold_up_the_change() {
    let mut table = Table::joined(&["a", "b"]);
    table.roster.renew(ConnId(1), table.now);
    table.next();
    table.ready(2);
    table.next();
    table.roster.joined(ConnId(2), "a");

    table.pass(10);

    assert!(table.next().contains(&leave(1)));
}

#[test]
fn an_old_connection_that_closes_early_is_covered_by_its_successor() {
    let mut table = Table::joined(&["a"]);
    table.roster.renew(ConnId(1), table.now);
    table.next();

    assert_eq!(table.lose(1), Ok(Loss::Covered));
    table.ready(2);
    assert_eq!(table.next(), [join(2, "a")]);
}

#[test]
fn a_lost_successor_leaves_the_old_one_reading_and_is_tried_again() {
    let mut table = Table::joined(&["a"]);
    table.roster.renew(ConnId(1), table.now);
    table.next();

    assert_eq!(table.lose(2), Ok(Loss::Covered));
    assert_eq!((table.next(), table.state("a")), (vec![], SourceState::Live));

    table.now = table.wake_at().expect("it is tried again");
    assert_eq!(table.next(), [succeed(3, 1)]);
    assert_eq!(table.lose(1), Ok(Loss::Covered));
    assert_eq!(table.lose(3), Err("closed".into()), "now nobody is left");
}

#[test]
fn a_chain_of_successors_holds_together() {
    let mut table = Table::joined(&["a"]);
    table.roster.renew(ConnId(1), table.now);
    table.next();
    table.ready(2);
    table.next();
    table.roster.renew(ConnId(2), table.now);
    assert_eq!(table.next(), [succeed(3, 2)]);

    assert_eq!(table.lose(2), Ok(Loss::Covered));
    table.ready(3);
    assert_eq!(table.next(), [join(3, "a")]);
    table.roster.joined(ConnId(3), "a");
    assert_eq!(table.next(), [leave(1)]);
}

#[test]
fn losing_the_only_connection_ends_the_run() {
    let mut table = Table::joined(&["a"]);
    table.pass(3600);

    assert_eq!(table.lose(1), Err("closed".into()));
}

/// A table with two connections: the first has joined its 90 channels, the second holds the other ten.
fn crowded() -> Table {
    let logins = many(100);
    let logins: Vec<_> = logins.iter().map(String::as_str).collect();
    let mut table = Table::new(&logins);
    assert_eq!(table.next(), [open(1), open(2)]);
    table.ready(1);
    logins.iter().for_each(|login| table.roster.joined(ConnId(1), login));
    table
}

#[test]
fn a_connection_that_is_lost_beside_others_is_opened_again_and_they_stay() {
    for lived in [0, 59, 60, 3600] {
        let mut table = crowded();
        table.pass(lived);

        assert_eq!(table.lose(2), Ok(Loss::Reopened), "after {lived} s");
        assert_eq!((table.next(), table.state("c000")), (vec![], SourceState::Live));
        assert_eq!(table.standing("c095"), (SourceState::Backoff, Some("closed".into())));

        table.now = table.wake_at().expect("it is tried again");
        assert_eq!((table.next(), table.state("c095")), (vec![open(3)], SourceState::Connecting));
        table.limits = Limits::new(18);
        table.ready(3);
        assert_eq!(table.next(), (90..100).map(|number| join(3, &format!("c{number:03}"))).collect::<Vec<_>>());
    }
}

#[test]
fn one_that_is_lost_again_and_again_is_opened_ever_more_rarely() {
    let mut table = crowded();
    let mut waits = Vec::new();

    for id in 2..200 {
        assert_eq!(table.lose(id), Ok(Loss::Reopened));
        assert_eq!(table.next(), []);
        let due = table.wake_at().expect("it is tried again");
        waits.push(due - table.now);
        table.now = due;
        assert_eq!(table.next(), [open(id + 1)]);
    }

    let longest = |waits: &[Duration]| waits.iter().max().expect("there are some").as_millis();
    assert!(longest(&waits[..2]) <= 2_000, "{waits:?}");
    assert!((15_000..=30_000).contains(&longest(&waits[20..])), "{waits:?}");
    assert_eq!(table.state("c000"), SourceState::Live);
}

#[test]
fn a_lost_connections_channels_move_to_where_there_is_room_at_once() {
    let mut table = crowded();
    let logins = many(100);
    table.want(&logins[20..].iter().map(String::as_str).collect::<Vec<_>>());
    table.next();

    assert_eq!(table.lose(2), Ok(Loss::Covered));

    assert_eq!(table.next(), logins[90..].iter().map(|login| join(1, login)).collect::<Vec<_>>());
}

#[test]
fn channels_of_a_lost_connection_that_leave_the_list_are_not_waited_for() {
    let mut table = crowded();
    assert_eq!(table.lose(2), Ok(Loss::Reopened));
    let logins = many(90);

    table.want(&logins.iter().map(String::as_str).collect::<Vec<_>>());

    assert_eq!((table.next(), table.wake_at()), (vec![], None));
}

#[test]
fn losing_the_last_connection_that_holds_a_channel_ends_the_run() {
    let mut table = crowded();

    assert_eq!(table.lose(2), Ok(Loss::Reopened));
    assert_eq!(table.lose(1), Err("closed".into()));
}

#[test]
fn a_refused_login_is_followed_by_another_at_once() {
    let mut table = Table::new(&["a"]);
    table.next();

    assert_eq!(table.roster.gone(ConnId(1), Cause::Login, table.now), Ok(Loss::Reopened));
    assert_eq!(table.next(), [open(2)]);
    table.roster.ready(ConnId(2), true);
    table.next();
    table.roster.joined(ConnId(2), "a");
    assert_eq!(table.standing("a"), (SourceState::Auth, Some("the token is dead".into())));
}

#[test]
fn openings_keep_their_limit() {
    let mut table = Table::joined(&["a"]);

    let mut opened = 1;
    for leader in 1.. {
        table.roster.renew(ConnId(leader), table.now);
        if table.next().is_empty() {
            break;
        }
        opened += 1;
    }

    assert_eq!(opened, 10);
    table.now = table.wake_at().expect("the limit passes");
    assert_eq!(table.next(), [succeed(11, 10)]);
}

#[test]
fn a_connection_that_does_not_answer_is_told_as_stalled() {
    let mut table = Table::joined(&["a"]);

    table.roster.late(ConnId(1), true);
    assert_eq!(table.state("a"), SourceState::Stalled);
    table.roster.late(ConnId(1), false);
    assert_eq!(table.state("a"), SourceState::Live);
}
