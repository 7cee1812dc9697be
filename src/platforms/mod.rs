//! One folder and one line per platform.

pub mod twitch;
