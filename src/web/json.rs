//! JSON as it is read and answered here.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Problem;
use super::extract::Whole;

/// A body as JSON.
///
/// What comes may be of any type: the guard has already refused those that a foreign form can send. An empty body is an
/// empty object. What goes is one line, for whoever reads line by line.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Whole(body) = Whole::from_request(request, state).await?;
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        let value = serde_json::from_slice(body);
        value.map(Self).map_err(|error| Problem::bad_request(format!("the body is not what this takes: {error}")))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match line(&self.0) {
            Ok(line) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], line).into_response(),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

/// A value as one line with its end.
pub fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
