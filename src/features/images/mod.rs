//! `GET /imageproxy?url=`: pictures of the platforms' own hosts, so that a page loads them from here.
//! It fetches nothing else, follows nobody, and keeps nothing.

mod allowed;
mod fetch;
mod relay;
mod turns;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tokio::time::Instant;

use self::allowed::Allowed;
use self::turns::Turns;
use crate::config;
use crate::stages::Stage;
use crate::web::extract::Query;
use crate::web::{Problem, Routes, Upstream};

/// The room. Cloning is cheap.
#[derive(Clone)]
struct Images {
    allowed: Allowed,
    turns: Turns,
    upstream: Upstream,
    /// Pictures on their way are counted here, so that the house waits for them.
    stage: Stage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ask {
    url: String,
}

pub fn routes(config: &config::Images, upstream: Upstream, stage: Stage) -> Routes {
    let images = Images { allowed: Allowed::new(config), turns: Turns::default(), upstream, stage };
    Routes::new().get("/imageproxy", show).with_state(images)
}

async fn show(State(images): State<Images>, Query(ask): Query<Ask>) -> Result<Response, Problem> {
    let url = images.allowed.check(&ask.url)?;
    let turn = images.turns.take().await?;
    let until = Instant::now() + fetch::PATIENCE;
    let picture = fetch::picture(images.upstream.client()?, url).await?;
    Ok(relay::answer(picture, turn, until, &images.stage))
}
