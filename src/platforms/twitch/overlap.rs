//! Two connections with the same channels: which of them is heard. Pure; passes each line on once.
//!
//! What has an id comes through from both, and the store knows it again. What has none is passed on by the older
//! connection only; the newer one's copies are held back, and once the older is gone, those that it never said are
//! passed on. What it did say is known until the newer one has said it too: nothing is lost in the change, nothing twice.

use std::collections::{BTreeMap, VecDeque};

use super::room::RoomState;
use super::roster::ConnId;
use crate::chat::NewEvent;

/// So many lines without id are held back, and as many of the older connection remembered. An overlap lasts seconds.
const HELD: usize = 1000;
/// Copies of one line bear times this close together; mostly the same.
const SAME_MS: u64 = 5000;

/// Something to pass on.
#[expect(clippy::large_enum_variant, reason = "most are events; boxing them would cost each one an allocation")]
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Event(NewEvent),
    RoomState(RoomState),
}

#[derive(Default)]
pub struct Overlap {
    open: BTreeMap<ConnId, Link>,
}

/// One connection, heard at once or only after its leader.
#[derive(Default)]
struct Link {
    leader: Option<ConnId>,
    /// What the leader has passed on since this one opened, and this one has not said yet.
    led: VecDeque<Incoming>,
    held: VecDeque<Incoming>,
}

impl Overlap {
    /// A connection opens, to take over from `leader` if there is one.
    pub fn opened(&mut self, id: ConnId, leader: Option<ConnId>) {
        let leader = leader.filter(|leader| self.open.contains_key(leader));
        self.open.insert(id, Link { leader, ..Link::default() });
    }

    /// A connection has said something: given back if it is to be passed on now.
    pub fn hear(&mut self, id: ConnId, incoming: Incoming) -> Option<Incoming> {
        if incoming.has_id() {
            return Some(incoming);
        }
        if let Some(link) = self.open.get_mut(&id) {
            if link.leader.is_some() {
                keep(&mut link.held, incoming);
                return None;
            }
            if link.has_been_led(&incoming) {
                return None;
            }
        }
        self.remember(id, &incoming);
        Some(incoming)
    }

    /// A connection has ended. Gives back what its follower heard and it did not.
    pub fn gone(&mut self, id: ConnId) -> Vec<Incoming> {
        let Some(gone) = self.open.remove(&id) else { return Vec::new() };
        let followers = self.open.iter().filter(|(_, link)| link.leader == Some(id));
        let followers: Vec<_> = followers.map(|(id, _)| *id).collect();
        let mut missed = Vec::new();
        for follower in followers {
            match gone.leader {
                // In the middle of a chain: what it held, its own leader has said or will.
                Some(leader) => self.follow(follower, leader, &gone.led),
                None => missed.extend(self.promote(follower)),
            }
        }
        missed
    }

    fn follow(&mut self, id: ConnId, leader: ConnId, led: &VecDeque<Incoming>) {
        if let Some(link) = self.open.get_mut(&id) {
            link.leader = Some(leader);
            led.iter().for_each(|incoming| keep(&mut link.led, incoming.clone()));
        }
    }

    /// The follower is heard from now on. What its leader said and it has yet to say stays known.
    fn promote(&mut self, id: ConnId) -> Vec<Incoming> {
        let Some(link) = self.open.get_mut(&id) else { return Vec::new() };
        link.leader = None;
        let held = std::mem::take(&mut link.held);
        let missed: Vec<Incoming> = held.into_iter().filter(|incoming| !link.has_been_led(incoming)).collect();
        // A description bears no time, so an old one would swallow a new one; saying one twice changes nothing.
        link.led.retain(|incoming| matches!(incoming, Incoming::Event(_)));
        missed.iter().for_each(|incoming| self.remember(id, incoming));
        missed
    }

    fn remember(&mut self, leader: ConnId, incoming: &Incoming) {
        for link in self.open.values_mut().filter(|link| link.leader == Some(leader)) {
            keep(&mut link.led, incoming.clone());
        }
    }
}

impl Link {
    /// Whether the leader has passed on a copy of this; each of its lines counts for one.
    fn has_been_led(&mut self, incoming: &Incoming) -> bool {
        let copy = self.led.iter().position(|other| other.is_copy_of(incoming));
        copy.is_some_and(|at| self.led.remove(at).is_some())
    }
}

impl Incoming {
    fn has_id(&self) -> bool {
        matches!(self, Self::Event(NewEvent { native_id: Some(_), .. }))
    }

    fn is_copy_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Event(one), Self::Event(two)) => {
                let (here, there) = (one.happened_at(), two.happened_at());
                let near = here.since(there).max(there.since(here)) <= SAME_MS;
                near && one.channel.login == two.channel.login && one.kind == two.kind
            }
            (Self::RoomState(one), Self::RoomState(two)) => one == two,
            _ => false,
        }
    }
}

/// The newest [`HELD`].
fn keep(queue: &mut VecDeque<Incoming>, incoming: Incoming) {
    if queue.len() == HELD {
        queue.pop_front();
    }
    queue.push_back(incoming);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Millis;
    use crate::platforms::twitch::{Heard, decode};

    const OLD: ConnId = ConnId(1);
    const NEW: ConnId = ConnId(2);
    const NEWER: ConnId = ConnId(3);

    fn incoming(line: &str) -> Incoming {
        match decode(line, Millis::now()) {
            Heard::Event(event) => Incoming::Event(event),
            other => panic!("{line}: {other:?}"),
        }
    }

    fn timeout(person: u32, at: u64) -> Incoming {
        incoming(&format!(
            "@ban-duration=60;room-id=1;target-user-id={person};tmi-sent-ts={at} :tmi.twitch.tv CLEARCHAT #a :p{person}"
        ))
    }

    fn message(id: &str) -> Incoming {
        incoming(&format!("@id={id};room-id=1;user-id=2 :p!p@p.tmi.twitch.tv PRIVMSG #a :hello"))
    }

    fn overlapping() -> Overlap {
        let mut overlap = Overlap::default();
        overlap.opened(OLD, None);
        overlap.opened(NEW, Some(OLD));
        overlap
    }

    #[test]
    fn lines_with_an_id_pass_from_both() {
        let mut overlap = overlapping();

        assert!(overlap.hear(OLD, message("x")).is_some());
        assert!(overlap.hear(NEW, message("x")).is_some());
    }

    #[test]
    fn a_line_without_id_passes_once_whichever_comes_first() {
        for order in [[OLD, NEW], [NEW, OLD]] {
            let mut overlap = overlapping();

            let heard: Vec<_> =
                order.into_iter().filter_map(|id| overlap.hear(id, timeout(7, 1_700_000_000_000))).collect();

            assert_eq!(heard.len(), 1, "{order:?}");
            assert_eq!(overlap.gone(OLD), []);
        }
    }

    #[test]
    fn what_only_the_newer_one_heard_is_passed_on_when_the_older_is_gone() {
        let mut overlap = overlapping();
        overlap.hear(OLD, timeout(7, 1_700_000_000_000));
        overlap.hear(NEW, timeout(7, 1_700_000_000_003));
        let missed = timeout(8, 1_700_000_000_100);
        overlap.hear(NEW, missed.clone());

        assert_eq!(overlap.gone(OLD), [missed]);
        assert!(overlap.hear(NEW, timeout(9, 1_700_000_000_200)).is_some());
    }

    #[test]
    fn a_copy_that_comes_after_the_older_is_gone_is_not_passed_again() {
        let mut overlap = overlapping();
        overlap.hear(OLD, timeout(7, 1_700_000_000_000));

        assert_eq!(overlap.gone(OLD), []);
        assert!(overlap.hear(NEW, timeout(7, 1_700_000_000_000)).is_none());
        assert!(overlap.hear(NEW, timeout(7, 1_700_000_000_000)).is_some(), "each line counts for one");
    }

    #[test]
    fn the_same_timeout_given_twice_counts_twice() {
        let mut overlap = overlapping();
        overlap.hear(OLD, timeout(7, 1_700_000_000_000));
        overlap.hear(NEW, timeout(7, 1_700_000_000_000));
        overlap.hear(NEW, timeout(7, 1_700_000_001_000));

        assert_eq!(overlap.gone(OLD).len(), 1);
    }

    #[test]
    fn a_follower_of_a_follower_waits_for_the_first() {
        let mut overlap = overlapping();
        overlap.opened(NEWER, Some(NEW));
        assert!(overlap.hear(OLD, timeout(7, 1_700_000_000_000)).is_some());
        assert!(overlap.hear(NEWER, timeout(7, 1_700_000_000_000)).is_none());

        assert_eq!(overlap.gone(NEW), []);
        assert!(overlap.hear(NEWER, timeout(8, 1_700_000_000_000)).is_none());
        assert_eq!(overlap.gone(OLD).len(), 1);
        assert!(overlap.hear(NEWER, timeout(9, 1_700_000_000_000)).is_some());
    }

    #[test]
    fn a_follower_whose_leader_is_gone_already_is_heard_at_once() {
        let mut overlap = Overlap::default();
        overlap.opened(NEW, Some(OLD));

        assert!(overlap.hear(NEW, timeout(7, 1_700_000_000_000)).is_some());
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut overlap = overlapping();
        for person in 0..2500 {
            overlap.hear(NEW, timeout(person, 1_700_000_000_000));
        }

        assert_eq!(overlap.gone(OLD).len(), HELD);
    }
}
