//! The configuration as documents: `/configz`, the start-up line, and everything. Secrets are `***` in all of them.

use serde_json::{Value, json};

use super::{Config, Store};

/// The document of `/configz`. Its keys are a contract with operators' scripts.
pub fn configz(config: &Config) -> Value {
    let origins = &config.http.allowed_origins;
    let mut websocket = timers(config);
    websocket["allow_any_origin"] = json!(origins.any);
    if !origins.list.is_empty() {
        websocket["allowed_origins"] = json!(origins.list);
    }
    let Store { max_conns, busy_timeout, pragmas_extra, .. } = &config.store;
    let pragmas: Vec<String> = pragmas_extra.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut db = db(config);
    db["max_conns"] = json!(max_conns);
    db["busy_timeout_ms"] = json!(busy_timeout.as_millis());
    db["pragmas_extra_csv"] = json!(pragmas.join(","));
    let mut tailer = tailer(config);
    tailer["persist_offsets"] = json!(config.tailer.persist_offsets);
    tailer["offset_path"] = json!(config.offset_path());
    json!({ "db": db, "tailer": tailer, "ingest": ingest(config), "websocket": websocket })
}

/// `/configz` and, in sections of their own, what it does not show.
pub fn everything(config: &Config) -> Value {
    let mut document = configz(config);
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
        ("gnasty", json!(config.gnasty)),
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

/// What start-up logs in one line.
pub fn summary(config: &Config) -> Value {
    json!({ "db": db(config), "tailer": tailer(config), "ingest": ingest(config), "websocket": timers(config) })
}

fn db(config: &Config) -> Value {
    let Store { mode, path, journal_mode, .. } = &config.store;
    json!({ "mode": mode, "path": path.display().to_string(), "journal_mode": journal_mode.to_uppercase() })
}

/// The reader of a harvester's file; the feed's own tailer has nothing that can be set here.
fn tailer(config: &Config) -> Value {
    let tailer = &config.tailer;
    json!({ "enabled": tailer.enabled, "interval_ms": tailer.poll.as_millis(), "batch": tailer.max_batch,
            "max_lag_ms": tailer.max_lag.as_millis() })
}

fn ingest(config: &Config) -> Value {
    json!({ "driver": config.ingest.driver })
}

fn timers(config: &Config) -> Value {
    let socket = &config.socket;
    json!({
        "ping_interval_ms": socket.ping_interval.as_millis(),
        "pong_wait_ms": socket.pong_wait.as_millis(),
        "write_deadline_ms": socket.write_deadline.as_millis(),
        "max_message_bytes": socket.max_message_bytes,
    })
}
