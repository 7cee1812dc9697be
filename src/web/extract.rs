//! What a request brings, parsed at the door. Every refusal is a [`Problem`] that names the value.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;
use crate::chat::Millis;

/// Longest body; what people send here is a line of text.
pub const LONGEST_BODY: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// The first JSON value of the body; what follows it is ignored, as clients of old are used to.
#[derive(Debug)]
pub struct FirstJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FirstJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = gather(request.into_body(), BODY_PATIENCE).await?;
        let value = T::deserialize(&mut serde_json::Deserializer::from_slice(&body));
        value.map(Self).map_err(|error| Problem::bad_request(format!("the body is not what this takes: {error}")))
    }
}

/// The body as it came, for whoever has words of their own for what is wrong with it.
#[derive(Debug)]
pub struct Whole(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        gather(request.into_body(), BODY_PATIENCE).await.map(Self)
    }
}

async fn gather(body: Body, patience: Duration) -> Result<Bytes, Problem> {
    let Ok(body) = tokio::time::timeout(patience, to_bytes(body, LONGEST_BODY)).await else {
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"));
    };
    body.map_err(|error| too_long().caused_by(error))
}

/// A body over the limit, whether it says so first or not.
pub fn too_long() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {LONGEST_BODY} bytes"))
}

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// A parameter of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// A whole number from 1; none where the text is empty.
pub fn number(name: &str, text: &str) -> Result<Option<i64>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(number) if number >= 1 => Ok(Some(number)),
            _ => Err(Problem::bad_request(format!("{name}: {text} is not a whole number from 1"))),
        },
    }
}

/// The id of a row, which is below 0 for history that was brought in later, and never 0; none where the text is empty.
pub fn row(name: &str, text: &str) -> Result<Option<i64>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(id) if id != 0 => Ok(Some(id)),
            _ => Err(Problem::bad_request(format!("{name}: {text} is no row's id"))),
        },
    }
}

/// How many are asked for: a whole number from 1, `usual` where the text is empty, and never more than `most`.
pub fn limit(name: &str, text: &str, usual: usize, most: usize) -> Result<usize, Problem> {
    Ok(number(name, text)?.map_or(usual, |limit| usize::try_from(limit).unwrap_or(most).min(most)))
}

/// Milliseconds since 1970, or RFC 3339; none where the text is empty.
pub fn time(name: &str, text: &str) -> Result<Option<Millis>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let millis = text.parse().ok().filter(|millis| *millis >= 0).map(Millis);
    let wrong = || Problem::bad_request(format!("{name}: {text} is neither milliseconds since 1970 nor RFC 3339"));
    millis.or_else(|| Millis::parse(text).filter(|_| text.parse::<i64>().is_err())).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::web::Json;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wish {
        #[serde(default)]
        source: Option<String>,
    }

    async fn read(body: Body) -> Result<Wish, StatusCode> {
        let wish = Json::<Wish>::from_request(Request::new(body), &()).await;
        wish.map(|Json(wish)| wish).map_err(|problem| problem.status())
    }

    #[tokio::test]
    async fn a_body_is_json_or_empty_and_not_too_long() {
        let source = |name: &str| Ok(Wish { source: Some(name.to_owned()) });

        assert_eq!(read(Body::empty()).await, Ok(Wish { source: None }));
        assert_eq!(read(Body::from("{\"source\":\"twitch:a\"}")).await, source("twitch:a"));
        assert_eq!(read(Body::from("source=twitch:a")).await, Err(StatusCode::BAD_REQUEST));
        assert_eq!(read(Body::from("{\"source\":7}")).await, Err(StatusCode::BAD_REQUEST));
        assert_eq!(read(Body::from(vec![b' '; LONGEST_BODY + 1])).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let silence = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();

        let problem = gather(Body::from_stream(silence), Duration::from_millis(1)).await.expect_err("nothing comes");

        assert_eq!(problem.status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[test]
    fn a_limit_is_what_was_asked_up_to_the_most() {
        for (text, expected) in
            [("", 50), (" ", 50), ("1", 1), ("500", 500), ("501", 500), ("9223372036854775807", 500)]
        {
            assert_eq!(limit("limit", text, 50, 500).ok(), Some(expected), "{text:?}");
        }
        for text in ["0", "-1", "ten", "1.5", "9223372036854775808"] {
            let problem = limit("limit", text, 50, 500).expect_err(text);
            assert!(problem.detail().contains(text), "{problem}");
        }
    }

    #[tokio::test]
    async fn a_bad_query_is_told() {
        #[derive(Debug, Deserialize)]
        struct Page {
            #[expect(dead_code, reason = "only its parsing is of interest")]
            limit: u32,
        }
        let request = Request::builder().uri("/x?limit=many").body(()).expect("a good request");

        let problem = Query::<Page>::from_request_parts(&mut request.into_parts().0, &()).await;

        assert!(problem.expect_err("not a number").detail().contains("limit"));
    }
}
