//! What the program does for people. One folder each; none names another.

pub mod alerts;
pub mod classic;
pub mod history;
pub mod images;
pub mod live;
pub mod seed;
pub mod settings;
pub mod sources;
