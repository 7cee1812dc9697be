//! What may change while the server runs: the part of the configuration that an operator can edit, as it is now.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::{Config, Gnasty, Origins, Socket, Tailer, Ui};

/// Where the classic socket is when an address names no path.
const CLASSIC: &str = "/ws/chat";

/// The settings that can be changed without a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub allowed_origins: Origins,
    /// Where clients find the API: without a slash at its end, and without credentials.
    pub api_base: Url,
    /// Where clients find the classic socket.
    pub ws_url: Url,
    pub ui: Ui,
    pub socket: Socket,
    /// With its path named.
    pub tailer: Tailer,
    /// Waits of those who listen to platforms; a change is heeded at the next start.
    pub backoff_base: Duration,
    pub backoff_max: Duration,
    pub gnasty: Gnasty,
    /// The account that gnasty reads Twitch with.
    pub gnasty_nick: String,
}

impl Settings {
    /// What the configuration says, before anything was changed.
    pub fn of(config: &Config) -> Self {
        let http = &config.http;
        let here = || Url::parse(&format!("http://localhost:{}", http.addr.port())).expect("a port makes an address");
        let api_base = tidy(http.api_base.clone().unwrap_or_else(here));
        let ws_url = http.ws_url.clone().unwrap_or_else(|| socket_under(&api_base));
        Self {
            allowed_origins: http.allowed_origins.clone(),
            ws_url: tidy_socket(ws_url),
            api_base,
            ui: config.ui.clone(),
            socket: config.socket.clone(),
            tailer: Tailer { offset_path: Some(config.offset_path()), ..config.tailer.clone() },
            backoff_base: config.ingest.backoff_base,
            backoff_max: config.ingest.backoff_max,
            gnasty: config.gnasty.clone(),
            gnasty_nick: config.twitch.username.clone().unwrap_or_default(),
        }
    }

    /// Whether a request may be addressed to this name because of an address or a page that is named here.
    pub fn names_host(&self, name: &str) -> bool {
        let is_name = |host: &str| host.eq_ignore_ascii_case(name);
        let own = [&self.api_base, &self.ws_url];
        own.into_iter().filter_map(Url::host_str).any(is_name)
            || self.allowed_origins.list.iter().any(|origin| is_name(&origin.host))
    }
}

/// The settings as they are at any moment. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Current(watch::Receiver<Arc<Settings>>);

impl Current {
    /// Begins with these; whoever holds the sender changes them for everybody.
    pub fn new(settings: Settings) -> (watch::Sender<Arc<Settings>>, Self) {
        let (sender, receiver) = watch::channel(Arc::new(settings));
        (sender, Self(receiver))
    }

    /// What nobody will change.
    pub fn fixed(settings: Settings) -> Self {
        Self::new(settings).1
    }

    pub fn now(&self) -> Arc<Settings> {
        self.0.borrow().clone()
    }

    /// Resolves when they change; never, once nobody can change them any more.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// http becomes ws, and https wss.
fn socket_under(api_base: &Url) -> Url {
    let mut url = api_base.clone();
    let scheme = if api_base.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme).expect("one web scheme may become another");
    url.set_path(&format!("{}{CLASSIC}", api_base.path().trim_end_matches('/')));
    url
}

/// An address as clients are told it: they add to its path, and its password is nobody's business.
pub fn tidy(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    // Only an address without a host refuses, and that is none of the web.
    let _ = (url.set_username(""), url.set_password(None));
    url
}

/// The same for a socket, which is not at the root.
pub fn tidy_socket(url: Url) -> Url {
    let mut url = tidy(url);
    if url.path() == "/" {
        url.set_path(CLASSIC);
    }
    url
}

/// The same as text. The parser writes a slash where there is no path.
pub fn text(url: &Url) -> String {
    let text = url.as_str();
    text.strip_suffix('/').filter(|_| url.path() == "/").unwrap_or(text).to_owned()
}
