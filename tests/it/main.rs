//! Every integration test in one binary: one link instead of one per file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod alerts;
mod classic;
mod compat;
mod compose;
mod contract;
mod crash;
mod export;
mod faults;
mod feed;
mod guard;
mod images;
mod listen;
mod logout;
mod logs;
mod messages;
mod metrics;
mod moderation;
mod odd_lines;
mod origins;
mod proof;
mod purge;
mod raw;
mod restart;
mod resume;
mod seed;
mod settings;
mod slow;
mod sse;
mod stand_in;
mod support;
mod tidy;
mod top;
mod twitch;
mod twitch_lines;
mod ws;
