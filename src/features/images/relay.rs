//! Passes a picture on while it comes, so that it is never whole in memory. A picture that breaks off, is too large or
//! takes too long ends the connection: what arrived never looks complete.

use std::fmt;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until};

use super::fetch::{MOST_BYTES, Picture};
use crate::stages::Stage;

/// Pieces that wait for a slow reader, each as large as one read of the upstream socket.
const PIECES: usize = 4;
/// An address of these hosts always means the same picture; a day keeps mistakes short.
const KEEP: &str = "public, max-age=86400, immutable";
/// A front end on another port or subdomain shows what we relay; a stranger's page does not.
const SHOWN_BY: &str = "same-site";
/// Opened by itself, a picture may style itself and do nothing else.
const HARMLESS: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

enum Piece {
    Bytes(Bytes),
    /// Without it, whatever came is not all.
    End,
}

/// The picture did not come to its end.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the picture broke off")
    }
}

impl std::error::Error for Cut {}

/// The answer, which a task of the stage goes on filling until `until`. It holds the turn for as long.
pub fn answer(picture: Picture, turn: OwnedSemaphorePermit, until: Instant, stage: &Stage) -> Response {
    let Picture { content_type, length, response } = picture;
    let (sender, receiver) = mpsc::channel(PIECES);
    let stop = stage.stop.clone();
    stage.spawn_guest("picture", async move {
        let _turn = turn;
        tokio::select! {
            () = pour(response, &sender) => {}
            () = sender.closed() => {}
            () = sleep_until(until) => {}
            () = stop.cancelled() => {}
        }
    });
    let mut answer = Response::new(body(receiver));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(KEEP));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(HARMLESS));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static(SHOWN_BY));
    answer
}

async fn pour(mut response: reqwest::Response, sender: &mpsc::Sender<Piece>) {
    let mut left = MOST_BYTES;
    while let Ok(piece) = response.chunk().await {
        let Some(bytes) = piece else {
            let _ = sender.send(Piece::End).await;
            return;
        };
        let Some(rest) = left.checked_sub(bytes.len()) else { return };
        left = rest;
        if sender.send(Piece::Bytes(bytes)).await.is_err() {
            return;
        }
    }
}

fn body(receiver: mpsc::Receiver<Piece>) -> Body {
    Body::from_stream(stream::unfold(Some(receiver), async |receiver| {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Piece::End) => None,
            None => Some((Err(Cut), None)),
        }
    }))
}
