//! What clients of old ask for beside chat: the addresses of a deployment, and who is signed in. What is not built yet
//! says so.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use url::Url;

use crate::config::Config;
use crate::web::{Problem, Routes};

const SIGN_IN: &str = "signing in with Twitch is not built yet: chat is read without an account, and the link that \
    `elora-chat token --link` prints signs the owner in";
const SENDING: &str = "sending chat is not built yet: write in the platform's own chat";

/// The document of `/config.json`, which cannot change while the server runs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bootstrap {
    deployed_url: String,
    api_base: String,
    ws_url: String,
    #[serde(rename = "hideYouTubeAt")]
    hide_youtube_at: bool,
    show_badges: bool,
}

/// Nobody can be signed in with a platform yet.
#[derive(Debug, Serialize)]
struct Session {
    services: [&'static str; 0],
}

pub fn routes(config: &Config) -> Routes {
    Routes::new()
        .open_to_any_method("/config.json", bootstrap)
        .open("/check-session", async || axum::Json(Session { services: [] }))
        .open("/auth/twitch/start", sign_in)
        .open("/login/twitch", sign_in)
        .open_to_any_method("/callback/twitch", sign_in)
        .open_to_any_method("/auth/twitch/callback", sign_in)
        .post("/auth/send-message", async || not_built(SENDING))
        .with_state(Bootstrap::new(config))
}

async fn bootstrap(State(document): State<Bootstrap>) -> axum::Json<Bootstrap> {
    axum::Json(document)
}

async fn sign_in() -> Problem {
    not_built(SIGN_IN)
}

fn not_built(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, what)
}

impl Bootstrap {
    fn new(config: &Config) -> Self {
        let http = &config.http;
        let text = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let here = format!("http://localhost:{}", http.addr.port());
        let api_base = http.api_base.as_ref().map_or(here, text);
        // http becomes ws, and https wss.
        let socket = || format!("ws{}/ws/chat", api_base.strip_prefix("http").unwrap_or(&api_base));
        Self {
            deployed_url: http.deployed_url.as_ref().map_or_else(|| api_base.clone(), text),
            ws_url: http.ws_url.as_ref().map_or_else(socket, text),
            hide_youtube_at: !config.ui.yt_prefix_at,
            show_badges: config.ui.show_badges,
            api_base,
        }
    }
}
