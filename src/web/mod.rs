//! The web's toolkit: guard, pages, probes, errors, and the client for other servers. Knows no feature and no platform.

pub mod assets;
mod cors;
mod digest;
pub mod extract;
pub mod guard;
pub mod hosts;
mod json;
pub mod key;
pub mod layers;
pub mod owner;
pub mod probes;
pub mod problem;
pub mod routes;
mod session;
mod sql;
#[cfg(test)]
mod tests;
pub mod upstream;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;

use crate::store::Db;
use crate::telemetry::Metrics;

pub use guard::Guard;
pub use json::Json;
pub use owner::Owner;
pub use problem::Problem;
pub use routes::{Access, Route, Routes};
pub use upstream::Upstream;

/// The web's own routes: probes and signing in.
pub fn routes(db: &Db, guard: &Guard, metrics: &Metrics) -> Routes {
    probes::routes(db, metrics).merge(session::routes(guard))
}

async fn wrong_method(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{path} does not answer {method}: the Allow header says what it does"),
    )
}

/// Closes the table and puts the guard before everything: routes, pages and refusals.
pub fn finish(routes: Routes, guard: &Guard, metrics: &Metrics) -> Router {
    let (router, table) = routes.into_parts();
    let table: Arc<[Route]> = table.into();
    let page = |request: Request| async move { assets::answer(request.method(), request.uri(), request.headers()) };
    // The last layer is the outermost.
    router
        .fallback(page)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(layers::caught))
        .layer(from_fn_with_state((guard.clone(), table), guard::watch))
        .layer(from_fn_with_state(metrics.clone(), layers::observe))
}
