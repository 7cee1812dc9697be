//! What the program does for people. One folder each; none names another.

pub mod alerts;
pub mod handoff;
pub mod history;
pub mod images;
pub mod import;
pub mod legacy;
pub mod live;
pub mod seed;
pub mod settings;
pub mod sources;
