//! What the house tells about itself: the log on stderr and the numbers behind `/metrics`.
//! Everybody may use it; it knows nobody but the configuration.

mod log;
mod metrics;

pub use log::{announce, escape, start, summarize};
pub use metrics::{Metrics, Serialized};
