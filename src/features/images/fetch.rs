//! Asks for one picture and looks at what comes before any of it is passed on.

use std::time::Duration;

use axum::http::{StatusCode, header};
use reqwest::{Client, Response};
use url::Url;

use crate::web::Problem;

/// From the question to the picture's last byte.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The largest animated emotes have about one.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a browser may be told it gets, with the spellings that servers use for it.
const TYPES: [(&str, &str); 7] = [
    ("image/png", "image/png"),
    ("image/jpeg", "image/jpeg"),
    ("image/jpg", "image/jpeg"),
    ("image/gif", "image/gif"),
    ("image/webp", "image/webp"),
    ("image/avif", "image/avif"),
    ("image/svg+xml", "image/svg+xml"),
];
const ACCEPTED: &str = "image/avif, image/webp, image/png, image/jpeg, image/gif, image/svg+xml";

/// A picture whose bytes are still to come.
pub struct Picture {
    pub content_type: &'static str,
    /// Where its server says so.
    pub length: Option<u64>,
    pub response: Response,
}

pub async fn picture(client: &Client, url: Url) -> Result<Picture, Problem> {
    let asked = client.get(url).header(header::ACCEPT, ACCEPTED).timeout(PATIENCE).send().await;
    let response = asked.map_err(|error| bad(if error.is_timeout() { "did not answer in time" } else { "is away" }))?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Problem::not_found("there is no such picture")),
        status => return Err(bad(&format!("answered {}", status.as_u16()))),
    }
    let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    // No coding was offered, and none is undone here.
    if text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(bad("sent it packed"));
    }
    let content_type = text(header::CONTENT_TYPE).and_then(known).ok_or_else(|| bad("sent no picture"))?;
    let length = response.content_length();
    if length.is_some_and(|length| length > MOST_BYTES as u64) {
        return Err(bad(&format!("sent more than {} MiB", MOST_BYTES / 1024 / 1024)));
    }
    Ok(Picture { content_type, length, response })
}

fn known(content_type: &str) -> Option<&'static str> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.iter().find(|(name, _)| *name == essence).map(|(_, content_type)| *content_type)
}

fn bad(what: &str) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, format!("the picture's server {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_known() {
        for (said, told) in [
            ("image/png", Some("image/png")),
            ("IMAGE/JPG; q=1", Some("image/jpeg")),
            (" image/svg+xml;charset=utf-8", Some("image/svg+xml")),
            ("text/html", None),
            ("image/png, text/html", None),
            ("image/svg", None),
            ("", None),
        ] {
            assert_eq!(known(said), told, "{said}");
        }
    }
}
