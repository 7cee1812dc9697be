//! The vocabulary: what a chat is made of, on every platform.
//! Pure data and rules; no sockets, no SQL, no HTTP.

pub mod alert;
pub mod author;
pub mod color;
pub mod event;
pub mod fragments;
pub mod message;
pub mod source;
pub mod subscription;
pub mod time;

pub use alert::{Alert, AlertType};
pub use author::{Author, Badge, Person, Role};
pub use event::{Cleared, Edited, Event, EventId, Gap, Kind, NewEvent, Removed, Shared, State, Status, Target};
pub use fragments::Fragment;
pub use message::{Flag, Message, Money, Reply};
pub use source::{Channel, Platform};
pub use time::Millis;
