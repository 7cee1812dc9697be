//! `/api/sources`: see, add and remove.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{List, Sources};
use crate::chat::Channel;
use crate::chat::source::SourceError;
use crate::web::extract::Path;
use crate::web::{Json, Problem, Routes};

#[derive(Deserialize)]
struct NewSource {
    #[serde(default)]
    source: String,
}

pub fn routes(sources: &Sources) -> Routes {
    Routes::new()
        .get("/api/sources", show)
        .post("/api/sources", add)
        .delete("/api/sources/{id}", remove)
        .with_state(sources.clone())
}

async fn show(State(sources): State<Sources>) -> Json<List> {
    Json(sources.list())
}

async fn add(State(sources): State<Sources>, Json(new): Json<NewSource>) -> Result<Response, Problem> {
    let refused = |error: SourceError| Problem::bad_request(format!("source: {error}"));
    let channel: Channel = new.source.parse().map_err(refused)?;
    if !channel.platform.is_known() {
        return Err(refused(SourceError::Platform(channel.platform.to_string())));
    }
    let (source, is_new) = sources.add(channel).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(source)).into_response())
}

async fn remove(State(sources): State<Sources>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let known = match id.parse() {
        Ok(number) => sources.remove(number).await?,
        Err(_) => false,
    };
    if known { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found(format!("there is no source {id}"))) }
}
