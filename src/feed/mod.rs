//! From the store to everyone who watches: events in order, each turned into bytes once per wire form.
//! Knows no socket.

pub mod classic;
mod cursor;
mod hub;
mod tailer;
pub mod wire;

pub use cursor::Cursor;
pub use hub::{Batch, Forms, Frame, Hub, Missed, Seat, Topics};
pub use tailer::Tailer;
