//! `/api/config`, its defaults, and `/configz`. Errors have the shape that clients of old read.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::desk::{Book, Changed, Refusal, Wish};
use super::document::Document;
use super::gnasty::Status;
use crate::config::{self, Config, Current};
use crate::store::{Db, Error};
use crate::web::{Json, Problem, Routes, extract};

#[derive(Clone)]
struct Door {
    config: Arc<Config>,
    db: Db,
    book: Book,
    current: Current,
    wishes: mpsc::Sender<Wish>,
    gnasty: watch::Receiver<Status>,
}

/// A document, and what a client should know beside it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    config: Document,
    env_only_secrets: Secrets,
    changed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restart_required: Vec<&'static str>,
    reconnect_ws: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    twitch_client_secret: Secret,
    youtube_api_key: Secret,
}

/// Whether there is a secret, and nothing of it.
#[derive(Serialize)]
struct Secret {
    configured: bool,
    value: &'static str,
    source: &'static str,
}

pub fn routes(
    config: &Config,
    db: Db,
    book: Book,
    current: Current,
    wishes: mpsc::Sender<Wish>,
    gnasty: watch::Receiver<Status>,
) -> Routes {
    Routes::new()
        .get("/api/config", show)
        .put("/api/config", change)
        .get("/api/config/defaults", defaults)
        .get("/configz", configz)
        .with_state(Door { config: Arc::new(config.clone()), db, book, current, wishes, gnasty })
}

async fn show(State(door): State<Door>) -> Result<Json<Envelope>, Problem> {
    let book = door.book.clone();
    let document = door.db.read(move |connection| book.show(connection)).await?;
    Ok(Json(door.envelope(document)))
}

/// What the environment says, as if nobody had ever changed anything.
async fn defaults(State(door): State<Door>) -> Json<Envelope> {
    Json(door.envelope(Document::of(&door.book.seed)))
}

async fn change(State(door): State<Door>, extract::Whole(body): extract::Whole) -> Result<Json<Envelope>, Refusal> {
    let sent = read(&body).map_err(Refusal::Payload)?;
    let (reply, answer) = oneshot::channel();
    let closed = || Refusal::Store(Error::Closed);
    door.wishes.send(Wish { sent, reply }).await.map_err(|_| closed())?;
    let changed = answer.await.map_err(|_| closed())??;
    let Changed { document, is_changed, needs_restart, has_moved } = changed;
    let mut envelope = door.envelope(document);
    envelope.changed = is_changed;
    envelope.restart_required.extend(needs_restart.then_some("ingest"));
    envelope.reconnect_ws = has_moved;
    Ok(Json(envelope))
}

fn read(body: &Bytes) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(sent)) => Ok(sent),
        Ok(_) => Err("the body must be an object of settings".to_owned()),
        Err(error) => Err(format!("the body is not JSON: {error}")),
    }
}

/// What is in force, and how gnasty took it.
async fn configz(State(door): State<Door>) -> Json<Value> {
    let mut document = config::configz(&door.config, &door.current.now());
    document["gnasty_sync"] = json!(*door.gnasty.borrow());
    Json(document)
}

impl Door {
    fn envelope(&self, config: Document) -> Envelope {
        let secret =
            |is_there| Secret { configured: is_there, value: if is_there { "[redacted]" } else { "" }, source: "env" };
        Envelope {
            config,
            env_only_secrets: Secrets {
                twitch_client_secret: secret(self.config.twitch.client_secret.is_some()),
                youtube_api_key: secret(self.config.youtube.api_key.is_some()),
            },
            changed: false,
            restart_required: Vec::new(),
            reconnect_ws: false,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let refused = |error: &str, message: String| json!({ "error": error, "message": message });
        let (status, body) = match self {
            Self::Payload(problem) => (StatusCode::BAD_REQUEST, refused("invalid_payload", problem)),
            Self::Rules(violations) => {
                let count = violations.len();
                let message = format!(
                    "{count} setting{} refused; nothing was changed",
                    if count == 1 { " was" } else { "s were" }
                );
                let mut body = refused("validation_failed", message);
                body["details"] = json!(violations);
                (StatusCode::BAD_REQUEST, body)
            }
            Self::Store(error) => {
                tracing::error!(%error, "changed settings could not be kept");
                let message = "the store could not keep this, and nothing was changed; the server's log says why";
                (StatusCode::INTERNAL_SERVER_ERROR, refused("persist_failed", message.to_owned()))
            }
        };
        (status, Json(body)).into_response()
    }
}
