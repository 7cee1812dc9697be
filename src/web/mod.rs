//! The web's toolkit: guard, pages, probes, errors. Knows no feature and no platform.

pub mod problem;

pub use problem::Problem;
