//! The configuration as documents: `/configz`, the start-up line, and everything. Secrets are `***` in all of them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::settings::{text, tidy};
use super::{Config, Settings, Store};

/// What stands where `/configz` of old had a secret.
const HIDDEN: &str = "[redacted]";

/// The document of `/configz`, with the settings as they are now. Its keys are a contract with operators' scripts.
pub fn configz(config: &Config, settings: &Settings) -> Value {
    let origins = &settings.allowed_origins;
    let mut websocket = timers(settings);
    websocket["allow_any_origin"] = json!(origins.any);
    if !origins.list.is_empty() {
        let mut list: Vec<String> = origins.list.iter().map(ToString::to_string).collect();
        list.sort();
        websocket["allowed_origins"] = json!(list);
    }
    let Store { max_conns, busy_timeout, pragmas_extra, .. } = &config.store;
    let pragmas: Vec<String> = pragmas_extra.iter().map(ToString::to_string).collect();
    let mut db = db(config);
    db["max_conns"] = json!(max_conns);
    db["busy_timeout_ms"] = json!(busy_timeout.as_millis());
    db["pragmas_extra_csv"] = json!(pragmas.join(","));
    let mut tailer = tailer(settings);
    tailer["persist_offsets"] = json!(settings.tailer.persist_offsets);
    tailer["offset_path"] = json!(settings.tailer.offset_path);
    let auth = json!({ "twitch": twitch(config) });
    json!({ "db": db, "tailer": tailer, "ingest": ingest(config), "websocket": websocket, "auth": auth })
}

/// The application that signs people in, and where a harvester finds tokens; nowhere, if it gets none.
fn twitch(config: &Config) -> Value {
    let twitch = &config.twitch;
    let files = config.pass_files();
    let path = |path: Option<&PathBuf>| path.map_or_else(String::new, |path| path.display().to_string());
    json!({
        "client_id": if twitch.client_id.is_some() { HIDDEN } else { "" },
        "redirect_url": twitch.redirect_url.clone().map_or_else(String::new, |url| text(&tidy(url))),
        "write_gnasty_tokens": files.is_some(),
        "access_token_path": path(files.as_ref().map(|files| &files.access)),
        "refresh_token_path": path(files.as_ref().map(|files| &files.refresh)),
    })
}

/// `/configz` and, in sections of their own, what it does not show.
pub fn everything(config: &Config) -> Value {
    let mut document = configz(config, &Settings::of(config));
    let sources: Vec<String> = config.sources.iter().map(ToString::to_string).collect();
    let sections = [
        ("http", json!(config.http)),
        ("store", json!(config.store)),
        ("feed", json!(config.feed)),
        ("socket", json!(config.socket)),
        ("ingest", json!(config.ingest)),
        ("twitch", json!(config.twitch)),
        ("youtube", json!(config.youtube)),
        ("tailer", json!(config.tailer)),
        ("harvester", json!(config.harvester)),
        ("gnasty", json!(config.gnasty)),
        ("handoff", json!(config.handoff)),
        ("replay", json!(config.replay)),
        ("exec", json!(config.exec)),
        ("sources", json!(sources)),
        ("log", json!(config.log)),
        ("ui", json!(config.ui)),
        ("dev", json!(config.dev)),
        ("images", json!(config.images)),
    ];
    for (name, section) in sections {
        document[name] = section;
    }
    document
}

/// What start-up logs in one line, with the settings as they are then.
pub fn summary(config: &Config, settings: &Settings) -> Value {
    json!({ "db": db(config), "tailer": tailer(settings), "ingest": ingest(config), "websocket": timers(settings),
            "auth": { "twitch": twitch(config) } })
}

fn db(config: &Config) -> Value {
    let Store { mode, path, journal_mode, .. } = &config.store;
    json!({ "mode": mode, "path": path.display().to_string(), "journal_mode": journal_mode.to_uppercase() })
}

/// The reader of a harvester's file; the feed's own tailer has nothing that can be set here.
fn tailer(settings: &Settings) -> Value {
    let tailer = &settings.tailer;
    json!({ "enabled": tailer.enabled, "interval_ms": tailer.poll.as_millis(), "batch": tailer.max_batch,
            "max_lag_ms": tailer.max_lag.as_millis() })
}

fn ingest(config: &Config) -> Value {
    json!({ "driver": config.ingest.driver })
}

fn timers(settings: &Settings) -> Value {
    let socket = &settings.socket;
    json!({
        "ping_interval_ms": socket.ping_interval.as_millis(),
        "pong_wait_ms": socket.pong_wait.as_millis(),
        "write_deadline_ms": socket.write_deadline.as_millis(),
        "max_message_bytes": socket.max_message_bytes,
    })
}
