//! What clients of old ask for beside chat: the addresses of a deployment, and who is signed in. What is not built yet
//! says so.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use url::Url;

use crate::config::settings::{text, tidy};
use crate::config::{Config, Current};
use crate::web::{Json, Problem, Routes};

const SIGN_IN: &str = "signing in with Twitch is not built yet: chat is read without an account, and the link that \
    `elora-chat token --link` prints signs the owner in";
const SENDING: &str = "sending chat is not built yet: write in the platform's own chat";

/// What the document of `/config.json` is made of.
#[derive(Debug, Clone)]
struct Addresses {
    deployed: Option<Url>,
    settings: Current,
}

/// The document of `/config.json`.
#[derive(Debug, Serialize)]
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

pub fn routes(config: &Config, settings: Current) -> Routes {
    Routes::new()
        .open_to_any_method("/config.json", bootstrap)
        .open("/check-session", async || Json(Session { services: [] }))
        .open("/auth/twitch/start", sign_in)
        .open("/login/twitch", sign_in)
        .open_to_any_method("/callback/twitch", sign_in)
        .open_to_any_method("/auth/twitch/callback", sign_in)
        .open_post("/auth/send-message", async || not_built(SENDING))
        .with_state(Addresses { deployed: config.http.deployed_url.clone(), settings })
}

async fn bootstrap(State(addresses): State<Addresses>) -> Json<Bootstrap> {
    Json(addresses.document())
}

async fn sign_in() -> Problem {
    not_built(SIGN_IN)
}

fn not_built(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, what)
}

impl Addresses {
    fn document(&self) -> Bootstrap {
        let settings = self.settings.now();
        let api_base = text(&settings.api_base);
        Bootstrap {
            deployed_url: self.deployed.clone().map_or_else(|| api_base.clone(), |url| text(&tidy(url))),
            api_base,
            ws_url: text(&settings.ws_url),
            hide_youtube_at: !settings.ui.yt_prefix_at,
            show_badges: settings.ui.show_badges,
        }
    }
}
