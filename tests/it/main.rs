//! Every integration test in one binary: one link instead of one per file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod listen;
mod stand_in;
mod support;
mod tidy;
mod twitch_lines;
