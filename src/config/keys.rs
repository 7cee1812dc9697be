//! Every name that can be set, and the one table of the older names that mean the same.

use super::env::distance;

/// A field of a section and the names it is set by; the first one that is set wins.
pub struct Key {
    /// `section_field`, as the section's struct spells it.
    pub field: &'static str,
    pub names: &'static [&'static str],
}

const fn key(field: &'static str, names: &'static [&'static str]) -> Key {
    Key { field, names }
}

/// All keys. `.env.example` lists the first name of each.
pub const KEYS: &[Key] = &[
    key("http_addr", &["ELORA_HTTP_ADDR", "HTTP_ADDR"]),
    key("http_port", &["ELORA_HTTP_PORT", "PORT"]),
    key("http_open_local", &["ELORA_OPEN_LOCAL"]),
    key("http_public_read", &["ELORA_PUBLIC_READ"]),
    key("http_hosts", &["ELORA_HOSTS"]),
    key("http_allowed_origins", &["ELORA_WS_ALLOWED_ORIGINS", "ELORA_ALLOWED_ORIGINS"]),
    key("http_deployed_url", &["DEPLOYED_URL"]),
    key("http_api_base", &["VITE_PUBLIC_API_BASE"]),
    key("http_ws_url", &["VITE_PUBLIC_WS_URL"]),
    key("store_path", &["ELORA_DB_PATH", "DB_PATH"]),
    key("store_mode", &["ELORA_DB_MODE"]),
    key("store_synchronous", &["ELORA_DB_SYNCHRONOUS"]),
    key("store_busy_timeout_ms", &["ELORA_SQLITE_BUSY_TIMEOUT_MS", "ELORA_DB_BUSY_TIMEOUT_MS"]),
    key("store_journal_mode", &["ELORA_SQLITE_JOURNAL_MODE"]),
    key("store_pragmas_extra", &["ELORA_DB_PRAGMAS_EXTRA"]),
    key("store_max_conns", &["ELORA_DB_MAX_CONNS"]),
    key("feed_poll_ms", &["ELORA_FEED_POLL_MS"]),
    key("feed_batch", &["ELORA_FEED_BATCH"]),
    key("feed_keepalive_ms", &["ELORA_FEED_KEEPALIVE_MS"]),
    key("socket_envelope", &["ELORA_WS_ENVELOPE"]),
    key("socket_drop_empty", &["ELORA_WS_DROP_EMPTY"]),
    key("socket_ping_interval_ms", &["ELORA_WS_PING_INTERVAL_MS"]),
    key("socket_pong_wait_ms", &["ELORA_WS_PONG_WAIT_MS"]),
    key("socket_write_deadline_ms", &["ELORA_WS_WRITE_DEADLINE_MS"]),
    key("socket_max_message_bytes", &["ELORA_WS_MAX_MESSAGE_BYTES"]),
    key("ingest_driver", &["ELORA_INGEST_DRIVER"]),
    key("ingest_backoff_base_ms", &["ELORA_INGEST_BACKOFF_BASE_MS", "GNASTY_BACKOFF_BASE_MS"]),
    key("ingest_backoff_max_ms", &["ELORA_INGEST_BACKOFF_MAX_MS", "GNASTY_BACKOFF_MAX_MS"]),
    key("ingest_queue", &["ELORA_INGEST_QUEUE"]),
    key("sources_urls", &["ELORA_CHAT_URLS", "CHAT_URLS"]),
    key("sources_twitch", &["ELORA_TWITCH_CHANNELS", "TWITCH_CHANNELS", "TWITCH_CHANNEL", "GNASTY_TWITCH_CHANNELS"]),
    key("sources_youtube", &["ELORA_YOUTUBE_URL", "YOUTUBE_URL", "GNASTY_YT_URL"]),
    key("twitch_irc_url", &["ELORA_TWITCH_IRC_URL", "TWITCH_IRC_URL"]),
    key("twitch_username", &["ELORA_TWITCH_USERNAME", "TWITCH_USERNAME", "GNASTY_TWITCH_NICK", "TWITCH_NICK"]),
    key(
        "twitch_oauth_token",
        &["ELORA_TWITCH_OAUTH_TOKEN", "TWITCH_OAUTH_TOKEN", "GNASTY_TWITCH_TOKEN", "TWITCH_TOKEN"],
    ),
    key("twitch_token_file", &["ELORA_TWITCH_TOKEN_FILE", "TWITCH_TOKEN_FILE", "GNASTY_TWITCH_TOKEN_FILE"]),
    key("twitch_token_dir", &["ELORA_TWITCH_TOKEN_DIR"]),
    key("twitch_ping_interval_ms", &["ELORA_TWITCH_PING_INTERVAL_MS"]),
    key("twitch_pong_wait_ms", &["ELORA_TWITCH_PONG_WAIT_MS"]),
    key("twitch_connect_timeout_ms", &["ELORA_TWITCH_CONNECT_TIMEOUT_MS"]),
    key("twitch_join_timeout_ms", &["ELORA_TWITCH_JOIN_TIMEOUT_MS"]),
    key("twitch_joins_per_10s", &["ELORA_TWITCH_JOINS_PER_10S"]),
    key("twitch_client_id", &["TWITCH_OAUTH_CLIENT_ID", "TWITCH_CLIENT_ID", "GNASTY_TWITCH_CLIENT_ID"]),
    key("twitch_client_secret", &["TWITCH_OAUTH_CLIENT_SECRET", "TWITCH_CLIENT_SECRET", "GNASTY_TWITCH_CLIENT_SECRET"]),
    key("twitch_api_url", &["ELORA_TWITCH_API_URL"]),
    key("twitch_id_url", &["ELORA_TWITCH_ID_URL"]),
    key("twitch_redirect_url", &["TWITCH_OAUTH_REDIRECT_URL", "TWITCH_REDIRECT_URL"]),
    key("youtube_api_key", &["YOUTUBE_API_KEY", "GNASTY_YT_API_KEY"]),
    key("youtube_suggestions", &["GNASTY_YT_SUGGESTIONS_JSON"]),
    key("tailer_enabled", &["ELORA_TAILER_ENABLED", "ELORA_DB_TAIL_ENABLED"]),
    key("tailer_poll_ms", &["ELORA_TAILER_POLL_MS", "ELORA_DB_TAIL_INTERVAL_MS", "ELORA_DB_TAIL_POLL_MS"]),
    key("tailer_max_batch", &["ELORA_TAILER_MAX_BATCH", "ELORA_DB_TAIL_BATCH"]),
    key("tailer_max_lag_ms", &["ELORA_TAILER_MAX_LAG_MS"]),
    key("tailer_persist_offsets", &["ELORA_TAILER_PERSIST_OFFSETS"]),
    key("tailer_offset_path", &["ELORA_TAILER_OFFSET_PATH"]),
    key("harvester_path", &["GNASTY_SINK_SQLITE_PATH"]),
    key("gnasty_bin", &["GNASTY_BIN"]),
    key("gnasty_args", &["GNASTY_ARGS"]),
    key("gnasty_admin_base", &["ELORA_GNASTY_ADMIN_BASE"]),
    key("handoff_data_dir", &["ELORA_DATA_DIR"]),
    key("handoff_write_tokens", &["ELORA_TWITCH_WRITE_GNASTY_TOKENS"]),
    key("handoff_reload_url", &["ELORA_GNASTY_RELOAD_URL"]),
    key("gnasty_sinks", &["GNASTY_SINKS", "GNASTY_RECEIVERS"]),
    key("gnasty_sink_batch_size", &["GNASTY_SINK_BATCH_SIZE"]),
    key("gnasty_sink_flush_max_ms", &["GNASTY_SINK_FLUSH_MAX_MS"]),
    key("gnasty_twitch_tls", &["GNASTY_TWITCH_TLS", "TWITCH_TLS"]),
    key("gnasty_twitch_debug_drops", &["GNASTY_TWITCH_DEBUG_DROPS"]),
    key("gnasty_twitch_backoff_min_ms", &["GNASTY_TWITCH_BACKOFF_MIN_MS"]),
    key("gnasty_twitch_backoff_max_ms", &["GNASTY_TWITCH_BACKOFF_MAX_MS"]),
    key("gnasty_twitch_refresh_backoff_min_ms", &["GNASTY_TWITCH_REFRESH_BACKOFF_MIN_MS"]),
    key("gnasty_twitch_refresh_backoff_max_ms", &["GNASTY_TWITCH_REFRESH_BACKOFF_MAX_MS"]),
    key("gnasty_yt_retry_secs", &["GNASTY_YT_RETRY_SECS"]),
    key("gnasty_yt_dump_unhandled", &["GNASTY_YT_DUMP_UNHANDLED"]),
    key("gnasty_yt_poll_timeout_secs", &["GNASTY_YT_POLL_TIMEOUT_SECS"]),
    key("gnasty_yt_poll_interval_ms", &["GNASTY_YT_POLL_INTERVAL_MS"]),
    key("gnasty_yt_debug", &["GNASTY_YT_DEBUG"]),
    key("replay_file", &["ELORA_REPLAY_FILE"]),
    key("replay_speed", &["ELORA_REPLAY_SPEED"]),
    key("replay_loop", &["ELORA_REPLAY_LOOP"]),
    key("exec_command", &["ELORA_EXEC"]),
    key("exec_env", &["ELORA_EXEC_ENV"]),
    key("exec_python", &["ELORA_PYTHON"]),
    key("log_level", &["ELORA_LOG_LEVEL", "LOG_LEVEL"]),
    key("log_format", &["ELORA_LOG_FORMAT", "LOG_FORMAT"]),
    key("ui_yt_prefix_at", &["ELORA_UI_YT_PREFIX_AT"]),
    key("ui_show_badges", &["ELORA_UI_SHOW_BADGES"]),
    key("ui_palette", &["ELORA_UI_PALETTE"]),
    key("dev_seed", &["ELORA_DEV_SEED_ENABLED"]),
    key("dev_raw_messages", &["ELORA_DEBUG_RAW_MESSAGES"]),
    key("dev_environment", &["ELORA_ENV", "GO_ENV", "ENVIRONMENT"]),
    key("images_origins", &["ELORA_IMAGE_ORIGINS"]),
];

/// Fields whose values are never shown.
const SECRETS: &[&str] =
    &["twitch_oauth_token", "twitch_client_secret", "youtube_api_key", "gnasty_args", "exec_command"];

/// Names that other programs of a deployment read from the same file, or that mean nothing here.
const OF_OTHERS: &[&str] = &[
    "ELORA_GNASTY_ALERT_BASE",
    "ELORA_TWITCH_SERVICE_REFRESH_BEFORE_EXPIRY_MINUTES",
    "ELORA_TWITCH_SERVICE_REFRESH_INTERVAL_MINUTES",
];

/// What `docker-compose.yml` and `scripts/compose` read, and hand on to the container with everything else.
const OF_COMPOSE: &[&str] = &["ELORA_DOCKER_NETWORK", "ELORA_ENV_FILE", "ELORA_HOST_DATA_DIR", "ELORA_IMAGE"];

/// At most this many slips of the keyboard are forgiven in a suggestion.
const SLIPS: usize = 4;

pub fn is_secret(field: &str) -> bool {
    SECRETS.contains(&field)
}

/// What to say about a name of ours that no section reads, if anything.
pub fn remark(name: &str) -> Option<String> {
    let names = || KEYS.iter().flat_map(|key| key.names);
    if !name.starts_with("ELORA_") || names().chain(OF_COMPOSE).any(|known| *known == name) {
        return None;
    }
    if OF_OTHERS.contains(&name) {
        return Some(format!("{name} has no effect in this version"));
    }
    let nearest = names().map(|known| (distance(name, known), known)).min();
    Some(match nearest {
        Some((slips, known)) if slips <= SLIPS => {
            format!("{name} is not a setting and has no effect: did you mean {known}?")
        }
        _ => format!("{name} is not a setting and has no effect: .env.example lists them all"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_gets_a_suggestion() {
        let remark = |name| remark(name).unwrap_or_default();

        assert!(remark("ELORA_HTTP_ADR").ends_with("did you mean ELORA_HTTP_ADDR?"));
        assert!(remark("ELORA_WS_ENVELOP").ends_with("did you mean ELORA_WS_ENVELOPE?"));
        assert!(remark("ELORA_WHATEVER_ELSE_THIS_IS").contains(".env.example"));
        assert!(remark("ELORA_GNASTY_ALERT_BASE").contains("no effect in this version"));
        assert_eq!(remark("ELORA_HTTP_ADDR"), "");
        assert_eq!(remark("ELORA_IMAGE"), "");
        assert_eq!(remark("PATH"), "");
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names: Vec<_> = KEYS.iter().flat_map(|key| key.names).chain(OF_OTHERS).chain(OF_COMPOSE).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();

        assert_eq!(names.len(), all);
    }
}
