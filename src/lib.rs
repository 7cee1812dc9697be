//! elora-chat: every chat of a live stream in one place.
//!
//! The map of the house, in the order data flows.

pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod features;
pub mod feed;
pub mod ingest;
pub mod platforms;
pub mod stages;
pub mod store;
pub mod telemetry;
pub mod web;
