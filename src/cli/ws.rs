//! `ws`: chat from a running server as readable lines.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::{self, Message};
use url::Url;

use super::client;
use crate::chat::Platform;
use crate::config::Config;
use crate::telemetry::escape;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this platform
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// Print each event as the JSON that came
    #[arg(long)]
    json: bool,
    /// Stop after this many lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// The running server, if it is not the configured one
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
}

/// What comes over the socket, as far as it is printed.
#[derive(Deserialize)]
struct Frame {
    /// Frames of other types have none.
    #[serde(default)]
    events: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Event {
    kind: String,
    platform: Platform,
    #[serde(default)]
    state: String,
    #[serde(default)]
    text: String,
    author: Option<Author>,
    alert: Option<Alert>,
}

#[derive(Deserialize)]
struct Author {
    name: String,
}

#[derive(Deserialize)]
struct Alert {
    r#type: String,
    system_text: Option<String>,
}

pub fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<ExitCode> {
    client::wait(async {
        let request = request(arguments, config)?;
        let url = request.uri().to_string();
        let (mut socket, _) = connect_async(request).await.map_err(|error| refused(&url, error))?;
        let mut left = arguments.limit.unwrap_or(u64::MAX);
        while let Some(message) = socket.next().await {
            let message = message.map_err(|error| anyhow::anyhow!("the connection broke: {error}"))?;
            let Message::Text(text) = message else { continue };
            let frame: Frame = serde_json::from_str(&text).context("the server sent no frame")?;
            for event in frame.events {
                if print(&event, arguments.json).is_err() {
                    // Whoever read our lines has gone.
                    return Ok(ExitCode::SUCCESS);
                }
                left -= 1;
                if left == 0 {
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
        anyhow::bail!("the server ended the connection")
    })
}

fn print(event: &RawValue, json: bool) -> io::Result<()> {
    let line = if json { escape(event.get()).into_owned() } else { line(event.get()) };
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// `[Twitch] name: text`, safe for a terminal whatever people wrote.
fn line(event: &str) -> String {
    let Ok(event) = serde_json::from_str::<Event>(event) else { return "an event of another shape".to_owned() };
    let name = event.author.as_ref().map_or("", |author| author.name.as_str());
    let text = if event.state == "removed" { "(removed)" } else { event.text.as_str() };
    let said = match (event.kind.as_str(), &event.alert) {
        ("message", _) => format!("{name}: {text}"),
        ("alert", Some(alert)) => {
            let what = alert.system_text.as_deref().unwrap_or(&alert.r#type);
            let said = if text.is_empty() { String::new() } else { format!(" · {name}: {text}") };
            format!("* {what}{said}")
        }
        (kind, _) => format!("- {kind}"),
    };
    escape(&format!("[{}] {said}", event.platform.title())).into_owned()
}

/// The feed's address and, for our own server, the owner's token.
fn request(arguments: &Arguments, config: &Config) -> anyhow::Result<Request> {
    let base = client::base(arguments.url.as_ref(), config);
    let token = client::token(&base, config)?;
    let mut url = base.clone();
    let scheme = match base.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        other => anyhow::bail!("--url: {other} is not a scheme this can speak: use http, https, ws or wss"),
    };
    url.set_scheme(scheme).ok().context("--url: not an address of a server")?;
    if url.path() == "/" {
        url.set_path("/api/feed");
    }
    if let Some(platform) = &arguments.platform {
        url.query_pairs_mut().append_pair("platform", platform);
    }
    let mut request = url.as_str().into_client_request()?;
    if let Some(token) = token {
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?);
    }
    Ok(request)
}

fn refused(url: &str, error: tungstenite::Error) -> anyhow::Error {
    match error {
        tungstenite::Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            anyhow::anyhow!("the server answered {}: {}", response.status(), client::detail(body))
        }
        error => anyhow::anyhow!("nothing answers at {url}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_lines_that_drive_no_terminal() {
        let cases = [
            (
                r#"{"kind":"message","platform":"twitch","state":"visible","text":"hi \u001b[2J","author":{"name":"Ann"}}"#,
                "[Twitch] Ann: hi \\u001b[2J",
            ),
            (
                r#"{"kind":"message","platform":"twitch","state":"removed","text":"","author":{"name":"Ann"}}"#,
                "[Twitch] Ann: (removed)",
            ),
            (
                r#"{"kind":"alert","platform":"kick","text":"","author":null,"alert":{"type":"raid","system_text":"Bo raids"}}"#,
                "[Kick] * Bo raids",
            ),
            (
                r#"{"kind":"alert","platform":"twitch","text":"yay","author":{"name":"Bo"},"alert":{"type":"sub"}}"#,
                "[Twitch] * sub · Bo: yay",
            ),
            (r#"{"kind":"cleared","platform":"twitch","target":{}}"#, "[Twitch] - cleared"),
            ("7", "an event of another shape"),
        ];
        for (event, expected) in cases {
            assert_eq!(line(event), expected);
        }
    }

    #[test]
    fn frames_without_events_are_passed_over() {
        let count = |text| serde_json::from_str::<Frame>(text).expect("a frame").events.len();

        assert_eq!(count(r#"{"type":"hello","epoch":"x","cursor":"x:1","resumed":false}"#), 0);
        assert_eq!(count(r#"{"type":"state","topic":"sources","data":{"sources":[]}}"#), 0);
        assert_eq!(count(r#"{"type":"events","cursor":"x:1","events":[{"id":"1"},{"id":"2"}]}"#), 2);
    }

    #[test]
    fn any_address_of_a_server_leads_to_its_feed() {
        let url = |given: &str, platform: Option<&str>| {
            let url = given.parse().ok();
            let arguments = Arguments { platform: platform.map(str::to_owned), json: false, limit: None, url };
            let mut config = Config::default();
            config.store.path = "nowhere/elora.db".into();
            request(&arguments, &config).map(|request| request.uri().to_string()).unwrap_or_default()
        };

        assert_eq!(url("http://127.0.0.1:8080", None), "ws://127.0.0.1:8080/api/feed");
        assert_eq!(url("https://chat.test/", Some("twitch")), "wss://chat.test/api/feed?platform=twitch");
        assert_eq!(
            url("ws://127.0.0.1:1/api/feed?last=5", Some("kick")),
            "ws://127.0.0.1:1/api/feed?last=5&platform=kick"
        );
        assert_eq!(url("ftp://chat.test", None), "");
    }
}
