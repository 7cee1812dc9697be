//! `/api/sources/top/*`: channels to begin with. Twitch's are asked for, YouTube's are known.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::HeaderName;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::helix::{Error, Helix, Stream};
use crate::config::{Config, Suggestion};
use crate::web::{Json, Problem, Routes, Upstream};

/// Viewers change slowly, and Twitch counts what it is asked.
const KEPT: Duration = Duration::from_secs(30);
/// A failure is not asked for again by everybody who waited for it.
const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// Says how to get suggestions where there are none.
const HINT: HeaderName = HeaderName::from_static("x-suggestions-hint");
const HINT_TEXT: &str = "GNASTY_YT_SUGGESTIONS_JSON names no channel";

/// Music that is always live.
const KNOWN: [(&str, &str); 4] = [
    ("Lofi Girl", "https://www.youtube.com/@LofiGirl"),
    ("Chillhop Music", "https://www.youtube.com/@ChillhopMusic"),
    ("College Music", "https://www.youtube.com/@CollegeMusic"),
    ("Monstercat", "https://www.youtube.com/@Monstercat"),
];

type Top = Result<Arc<Vec<Stream>>, Error>;

/// Cloning is cheap.
#[derive(Clone)]
struct Suggestions {
    twitch: Arc<Twitch>,
    youtube: Arc<Vec<Suggestion>>,
}

struct Twitch {
    helix: Helix,
    kept: Mutex<Option<(Instant, Top)>>,
    /// For the one who asks; the others wait for what comes of it.
    turn: Semaphore,
}

pub fn routes(config: &Config, upstream: Upstream) -> Routes {
    let known = || KNOWN.map(|(name, url)| Suggestion { display_name: name.to_owned(), url: url.to_owned() }).to_vec();
    let youtube = config.youtube.suggestions.clone().unwrap_or_else(known);
    let helix = Helix::new(&config.twitch, upstream);
    let twitch = Twitch { helix, kept: Mutex::default(), turn: Semaphore::new(1) };
    Routes::new()
        .get("/api/sources/top/twitch", of_twitch)
        .get("/api/sources/top/youtube", of_youtube)
        .with_state(Suggestions { twitch: Arc::new(twitch), youtube: Arc::new(youtube) })
}

async fn of_twitch(State(suggestions): State<Suggestions>) -> Result<Response, Problem> {
    let top = suggestions.twitch.top().await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(Json(top.as_ref()).into_response())
}

async fn of_youtube(State(suggestions): State<Suggestions>) -> Response {
    let hint = suggestions.youtube.is_empty().then_some([(HINT, HINT_TEXT)]);
    (hint, Json(suggestions.youtube.as_ref())).into_response()
}

impl Twitch {
    async fn top(&self) -> Top {
        if let Some(kept) = self.kept() {
            return kept;
        }
        let _turn = self.turn.acquire().await;
        // Whoever was before may have asked meanwhile.
        if let Some(kept) = self.kept() {
            return kept;
        }
        let top = self.helix.top().await.map(Arc::new);
        if let Err(error) = &top {
            tracing::debug!(%error, "no streams to suggest");
        }
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), top.clone()));
        top
    }

    fn kept(&self) -> Option<Top> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_fresh = |(at, top): &(Instant, Top)| at.elapsed() < if top.is_ok() { KEPT } else { FAILURE_KEPT };
        kept.filter(is_fresh).map(|(_, top)| top)
    }
}

#[cfg(test)]
mod tests {
    use super::KNOWN;
    use crate::chat::{Channel, Platform};

    #[test]
    fn what_is_suggested_can_be_added() {
        for (name, url) in KNOWN {
            let channel: Channel = url.parse().expect(name);
            assert_eq!(channel.platform, Platform::YOUTUBE, "{name}");
        }
    }
}
