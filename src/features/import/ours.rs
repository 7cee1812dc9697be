//! Another store of this program as an origin.

use super::origin::{Origin, Piece, Trouble};
use crate::chat::{Edited, Event, EventId, Kind, NewEvent, State, Target};
use crate::store::Other;

/// Its events, from the newest on.
pub struct Ours {
    other: Other,
    below: EventId,
    done: u64,
}

impl Ours {
    pub fn new(other: Other) -> Self {
        Self { other, below: EventId(i64::MAX), done: 0 }
    }
}

impl Origin for Ours {
    fn piece(&mut self, most: u32) -> Result<Piece, Trouble> {
        let events = self.other.before(self.below, most as usize)?;
        self.done += events.len() as u64;
        self.below = events.last().map_or(self.below, |event| event.id);
        let is_last = events.len() < most as usize;
        Ok(Piece {
            events: events.into_iter().filter_map(said).collect(),
            done: self.done,
            is_last,
            ..Piece::default()
        })
    }

    fn total(&self) -> Option<u64> {
        Some(self.other.total())
    }
}

/// What somebody said or did and nobody took away. What moderation left of the rest is nothing to bring along.
fn said(event: Event) -> Option<NewEvent> {
    let kind = match event.kind {
        Kind::Message(_) | Kind::Alert(_) | Kind::Other { .. } if event.state == State::Visible => event.kind,
        // Its number there means another event here.
        Kind::Edited(edited) => Kind::Edited(Edited { target: Target { id: None, ..edited.target }, ..edited }),
        _ => return None,
    };
    let (native_id, shared) = (event.native_id, event.shared);
    Some(NewEvent { native_id, at: Some(event.at), shared, ..NewEvent::new(event.channel, kind) })
}
