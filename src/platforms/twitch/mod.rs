//! Twitch: IRC over WebSocket, read without a key.

pub mod decode;
pub mod irc;

mod badges;
mod emotes;
mod moderation;
mod notice;
mod person;
pub mod privmsg;
mod room;
mod said;
mod text;

pub use decode::{Heard, decode};
pub use notice::Notice;
pub use room::{Modes, RoomState};
