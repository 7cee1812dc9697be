//! The web's toolkit: guard, pages, probes, errors. Knows no feature and no platform.

pub mod assets;
pub mod extract;
pub mod hosts;
pub mod layers;
pub mod problem;
pub mod routes;

pub use problem::Problem;
pub use routes::{Access, Route, Routes};
