//! An event of a recording as one that happens now. Every playing has names of its own for what happens in it, so that
//! nothing is taken for a duplicate of an earlier playing, and what moderators did hits what was just played.

use uuid::Uuid;

use crate::chat::{Alert, AlertType, Gap, Kind, Message, Millis, NewEvent, Target};

/// What tells one playing's names from another's is as long as this: with 32 bits no two playings in a store share it.
const MARK_LENGTH: usize = 8;

/// One playing.
pub struct Copies {
    /// Stands before every name.
    mark: String,
    /// No event is earlier than this.
    earliest: Millis,
}

impl Copies {
    pub fn new() -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self { mark: format!("replay-{}-", &id[..MARK_LENGTH]), earliest: Millis(i64::MIN) }
    }

    /// The event as it happens `now`.
    pub fn of(&mut self, event: NewEvent, now: Millis) -> NewEvent {
        let at = now.max(self.earliest);
        // A clear takes everything up to its own time away, so what follows is later, however fast it follows.
        self.earliest = if matches!(event.kind, Kind::Cleared(_)) { Millis(at.0.saturating_add(1)) } else { at };
        let mut event = event;
        self.rename(&mut event.native_id);
        if let Some(shared) = &mut event.shared {
            self.mark(&mut shared.source_id);
        }
        let later = event.at.map_or(0, |then| at.0.saturating_sub(then.0));
        match &mut event.kind {
            Kind::Message(message) => self.message(message),
            Kind::Alert(alert) => self.alert(alert),
            Kind::Removed(removed) => self.target(&mut removed.target),
            Kind::Cleared(cleared) => self.target(&mut cleared.target),
            Kind::Edited(edited) => self.target(&mut edited.target),
            Kind::Gap(gap) => postpone(gap, later),
            Kind::Status(_) | Kind::Other { .. } => {}
        }
        NewEvent { at: Some(at), received_at: at, ..event }
    }

    fn message(&self, message: &mut Message) {
        if let Some(reply) = &mut message.reply {
            self.mark(&mut reply.native_id);
            self.rename(&mut reply.thread_id);
        }
    }

    /// Gifts of one bulk are told apart from those of another playing by its name, too.
    fn alert(&self, alert: &mut Alert) {
        match &mut alert.alert {
            AlertType::Gift(gift) => self.rename(&mut gift.bulk_id),
            AlertType::GiftBulk(bulk) => self.rename(&mut bulk.bulk_id),
            _ => {}
        }
    }

    fn target(&self, target: &mut Target) {
        target.id = None;
        self.rename(&mut target.native_id);
    }

    fn rename(&self, name: &mut Option<String>) {
        if let Some(name) = name {
            self.mark(name);
        }
    }

    fn mark(&self, name: &mut String) {
        name.insert_str(0, &self.mark);
    }
}

fn postpone(gap: &mut Gap, later: i64) {
    for end in [&mut gap.from, &mut gap.to] {
        end.0 = end.0.saturating_add(later);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chat::{Cleared, Edited, Removed, Reply, Shared};
    use crate::dialects::read_line;

    const NOW: Millis = Millis(1_767_225_600_000);

    fn event(line: &str) -> NewEvent {
        read_line(line, &BTreeSet::new()).expect(line).remove(0)
    }

    fn message() -> NewEvent {
        event(
            r#"{"platform":"twitch","channel":"lovelace","native_id":"m1","at":"2020-01-01T00:00:00Z","author":"ada","text":"x"}"#,
        )
    }

    #[test]
    fn two_playings_share_no_name_and_one_keeps_its_own() {
        let (mut first, mut second) = (Copies::new(), Copies::new());

        let id = |copies: &mut Copies| copies.of(message(), NOW).native_id.expect("it has one");

        let (one, again, other) = (id(&mut first), id(&mut first), id(&mut second));
        assert_eq!(one, again);
        assert_ne!(one, other);
        assert!(one.ends_with("-m1") && one.len() < 24, "{one}");
    }

    #[test]
    fn everything_that_names_a_message_names_its_copy() {
        let mut copies = Copies::new();
        let id = copies.of(message(), NOW).native_id.expect("it has one");
        let target = || Target { native_id: Some("m1".into()), ..Target::default() };
        let mut hit = |kind| match copies.of(NewEvent { kind, ..message() }, NOW).kind {
            Kind::Removed(Removed { target }) | Kind::Edited(Edited { target, .. }) => target.native_id,
            Kind::Message(message) => message.reply.map(|reply| reply.native_id),
            other => panic!("{other:?}"),
        };

        assert_eq!(hit(Kind::Removed(Removed { target: target() })).as_ref(), Some(&id));
        let edited = Edited { target: target(), text: String::new(), fragments: Vec::new() };
        assert_eq!(hit(Kind::Edited(edited)).as_ref(), Some(&id));
        let Kind::Message(mut said) = message().kind else { panic!("a message") };
        let author = crate::chat::Person { id: None, login: "ada".into(), name: "ada".into() };
        said.reply = Some(Reply { native_id: "m1".into(), author, text: "x".into(), thread_id: Some("m1".into()) });
        assert_eq!(hit(Kind::Message(said)), Some(id));
    }

    #[test]
    fn gifts_stay_with_their_bulk_and_copies_with_what_was_typed() {
        let mut copies = Copies::new();
        let mut bulk_id = |alert: &str| {
            let line = format!(
                r#"{{"kind":"alert","platform":"twitch","channel":"lovelace","alert":{{"type":"{alert}","bulk_id":"b"}}}}"#
            );
            let told = copies.of(event(&line), NOW);
            let Kind::Alert(Alert { alert: AlertType::Gift(_) | AlertType::GiftBulk(_), .. }) = &told.kind else {
                panic!("{told:?}")
            };
            serde_json::to_value(match told.kind {
                Kind::Alert(alert) => alert.alert,
                _ => unreachable!("it is an alert"),
            })
            .expect("it serializes")["bulk_id"]
                .clone()
        };
        assert_eq!(bulk_id("gift"), bulk_id("gift_bulk"));
        assert_ne!(bulk_id("gift"), "b");

        let shared = Some(Shared { source_id: "m1".into(), channel_id: "7".into() });
        let copy = copies.of(NewEvent { shared, ..message() }, NOW);
        assert_eq!(copy.shared.map(|shared| shared.source_id), copy.native_id);
    }

    #[test]
    fn it_happens_now_and_what_follows_a_clear_is_later() {
        let mut copies = Copies::new();
        let clear =
            || NewEvent { kind: Kind::Cleared(Cleared { target: Target::default(), duration_s: None }), ..message() };

        let times: Vec<i64> = [message(), clear(), message(), message(), clear(), message()]
            .into_iter()
            .map(|event| copies.of(event, NOW).sent_at().0 - NOW.0)
            .collect();

        assert_eq!(times, [0, 0, 1, 1, 1, 2]);
        let back = copies.of(message(), Millis(5));
        assert_eq!((back.happened_at(), back.received_at), (Millis(NOW.0 + 2), Millis(NOW.0 + 2)), "a clock set back");
    }

    #[test]
    fn a_gap_lies_as_long_before_now_as_it_did_before_then() {
        let line = r#"{"kind":"gap","platform":"twitch","channel":"lovelace","at":"2020-01-01T00:00:10Z",
            "gap":{"from":"2020-01-01T00:00:04Z","to":"2020-01-01T00:00:09Z"}}"#;

        let Kind::Gap(gap) = Copies::new().of(event(line), NOW).kind else { panic!("a gap") };

        assert_eq!((gap.from, gap.to), (Millis(NOW.0 - 6_000), Millis(NOW.0 - 1_000)));
    }
}
