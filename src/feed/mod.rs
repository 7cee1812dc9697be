//! From the store to everyone who watches: events in order, each turned into bytes once per wire form.
//! Knows no socket.

pub mod alerts;
mod batch;
pub mod classic;
mod cursor;
mod hub;
mod journal;
mod tailer;
mod tokens;
pub mod wire;

pub use batch::{Batch, Forms, Frame};
pub use cursor::Cursor;
pub use hub::{Hub, Next, Seat};
pub use tailer::Tailer;

/// A finished text frame: known to be UTF-8, and shared by everyone it goes to.
pub type Text = axum::extract::ws::Utf8Bytes;
