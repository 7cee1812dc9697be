//! elora-chat: every chat of a live stream in one place.
//!
//! The map of the house, in the order data flows:
//!
//! - [`cli`] reads the command line, [`config`] everything else that can be set, once.
//! - [`app`] builds the rooms, serves them, and closes them in the order of [`stages`].
//! - [`chat`] has the words that all of them speak: event, message, author, channel.
//! - [`platforms`] turn what Twitch and others send into events, [`dialects`] what other programs write down.
//! - [`ingest`] keeps the platforms' listeners at work and hands on what they hear.
//! - [`store`] writes it to SQLite, where an event gets the number that orders everything.
//! - [`feed`] reads what is new and turns it into bytes, once for everyone who watches.
//! - [`web`] lets requests in, or does not, and knows what every route needs.
//! - [`features`] are what people come for: the live chat, its history, its sources, its settings.
//! - [`telemetry`] tells outside how it all goes: the log and the metrics.

pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod dialects;
pub mod features;
pub mod feed;
pub mod ingest;
pub mod platforms;
pub mod stages;
pub mod store;
pub mod telemetry;
pub mod web;
