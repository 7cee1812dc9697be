//! What an operator writes, and what comes of it.

use std::path::{Path, PathBuf};

use super::env::Layers;
use super::keys::KEYS;
use super::load::read;
use super::*;

fn config(process: &[(&str, &str)], file: &str) -> Result<Config, Errors> {
    config_with(&Flags::default(), process, file)
}

fn config_with(flags: &Flags, process: &[(&str, &str)], file: &str) -> Result<Config, Errors> {
    let process = process.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let layers = Layers::new(process, Path::new(".env"), file).map_err(|error| Errors(vec![error]))?;
    read(flags, &layers)
}

#[track_caller]
fn good(process: &[(&str, &str)]) -> Config {
    config(process, "").unwrap_or_else(|errors| panic!("{process:?}: {errors}"))
}

#[test]
fn nothing_set_gives_a_private_persistent_native_server() {
    let config = good(&[]);

    assert_eq!(config.http.addr.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store.path, Path::new("data/elora.db"));
    assert_eq!(config.store.mode, Mode::Persistent);
    assert_eq!(config.ingest.driver, DriverKind::Native);
    assert!(!config.http.open_local && !config.http.public_read && config.socket.envelope);
    assert_eq!(everything(&config), everything(&Config::default()));
}

#[test]
fn what_is_for_developers_stays_shut_where_it_is_in_earnest() {
    let switches = [("ELORA_DEV_SEED_ENABLED", "T"), ("ELORA_DEBUG_RAW_MESSAGES", "1")];
    let allowed = |environment: &[(&str, &str)]| {
        let dev = good(&[&switches[..], environment].concat()).dev;
        (dev.allows_seed(), dev.allows_raw_messages())
    };

    assert_eq!(allowed(&[]), (true, true));
    assert_eq!(allowed(&[("ELORA_ENV", " "), ("GO_ENV", "staging"), ("ENVIRONMENT", "prod")]), (true, true));
    assert_eq!(allowed(&[("GO_ENV", "Production"), ("ENVIRONMENT", "test")]), (false, false));
    assert_eq!(allowed(&[("ENVIRONMENT", "PROD")]), (false, false));
    let dev = good(&[]).dev;
    assert_eq!((dev.allows_seed(), dev.allows_raw_messages()), (false, false));
}

#[test]
fn the_example_file_shows_the_defaults() {
    let example = include_str!("../../.env.example");
    let is_setting = |line: &&str| line.split_once('=').is_some_and(|(name, _)| !name.contains(' '));
    let settings: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_setting).collect();

    let shown = config(&[], &settings.join("\n")).expect("the example is good");

    assert!(settings.len() > 40, "{settings:?}");
    assert_eq!(everything(&shown), everything(&Config::default()));
    assert_eq!(shown.remarks, [""; 0]);
}

/// A good value for every field, other than its default.
const SAMPLES: &[(&str, &str)] = &[
    ("http_addr", "127.0.0.2:9000"),
    ("http_port", "9001"),
    ("http_open_local", "yes"),
    ("http_public_read", "on"),
    ("http_hosts", "chat.test, other.test"),
    ("http_allowed_origins", "https://a.test, http://b.test:3000"),
    ("http_deployed_url", "https://chat.test"),
    ("http_api_base", "https://api.test/"),
    ("http_ws_url", "wss://api.test/ws/chat"),
    ("store_path", "/data/x.db"),
    ("store_mode", "Ephemeral"),
    ("store_synchronous", "FULL"),
    ("store_busy_timeout_ms", "2000"),
    ("store_journal_mode", "DELETE"),
    ("store_pragmas_extra", "mmap_size=268435456, cache_size=-100000,temp_store=MEMORY"),
    ("store_max_conns", "3"),
    ("feed_poll_ms", "1000"),
    ("feed_batch", "100"),
    ("feed_keepalive_ms", "5000"),
    ("socket_envelope", "off"),
    ("socket_drop_empty", "0"),
    ("socket_ping_interval_ms", "20000"),
    ("socket_pong_wait_ms", "40000"),
    ("socket_write_deadline_ms", "1000"),
    ("socket_max_message_bytes", "4096"),
    ("ingest_driver", "none"),
    ("ingest_backoff_base_ms", "10"),
    ("ingest_backoff_max_ms", "900"),
    ("ingest_queue", "16"),
    ("sources_urls", "https://youtu.be/jfKfPfyJRdk, twitch:xqc"),
    ("sources_twitch", "forsen, #xqc"),
    ("sources_youtube", "https://www.youtube.com/@LofiGirl/live"),
    ("twitch_client_id", "an-id"),
    ("twitch_client_secret", "canary"),
    ("twitch_api_url", "http://127.0.0.1:4001"),
    ("twitch_id_url", "http://127.0.0.1:4001"),
    ("twitch_redirect_url", "https://chat.test/callback/twitch"),
    ("youtube_api_key", "canary"),
    ("youtube_suggestions", r#"[{"display_name":"A","url":"https://youtube.test/@a"}]"#),
    ("tailer_enabled", "enable"),
    ("tailer_poll_ms", "25"),
    ("tailer_max_batch", "250"),
    ("tailer_max_lag_ms", "50"),
    ("tailer_persist_offsets", "1"),
    ("tailer_offset_path", "/data/offset.json"),
    ("harvester_path", "/data/gnasty.db"),
    ("gnasty_bin", "/usr/local/bin/gnasty"),
    ("gnasty_args", "--stdout,--format,ndjson"),
    ("gnasty_admin_base", "http://gnasty-harvester:8765"),
    ("handoff_data_dir", "/shared"),
    ("handoff_write_tokens", "off"),
    ("handoff_reload_url", "http://127.0.0.1:8765/admin/twitch/reload"),
    ("gnasty_sinks", "stdout; SQLite"),
    ("gnasty_sink_batch_size", "10"),
    ("gnasty_sink_flush_max_ms", "20"),
    ("gnasty_twitch_tls", "0"),
    ("gnasty_twitch_debug_drops", "1"),
    ("gnasty_twitch_backoff_min_ms", "1"),
    ("gnasty_twitch_backoff_max_ms", "2"),
    ("gnasty_twitch_refresh_backoff_min_ms", "3"),
    ("gnasty_twitch_refresh_backoff_max_ms", "4"),
    ("gnasty_yt_retry_secs", "5"),
    ("gnasty_yt_dump_unhandled", "1"),
    ("gnasty_yt_poll_timeout_secs", "0"),
    ("gnasty_yt_poll_interval_ms", "6"),
    ("gnasty_yt_debug", "1"),
    ("twitch_irc_url", "ws://127.0.0.1:4000"),
    ("twitch_username", "somebody"),
    ("twitch_oauth_token", "oauth:canary"),
    ("twitch_token_file", "pass/irc.pass"),
    ("twitch_token_dir", "/tokens"),
    ("twitch_ping_interval_ms", "100"),
    ("twitch_pong_wait_ms", "200"),
    ("twitch_connect_timeout_ms", "300"),
    ("twitch_join_timeout_ms", "400"),
    ("twitch_joins_per_10s", "2000"),
    ("replay_file", "evening.ndjson"),
    ("replay_speed", "0.5"),
    ("replay_loop", "0"),
    ("exec_command", "/usr/local/bin/reader,--from,{url}"),
    ("exec_env", "READER_HOME, READER_KEY"),
    ("exec_python", "/opt/chat/bin/python"),
    ("log_level", "debug"),
    ("log_format", "json"),
    ("ui_yt_prefix_at", "1"),
    ("ui_show_badges", "hide"),
    ("ui_palette", "8"),
    ("dev_seed", "1"),
    ("dev_raw_messages", "true"),
    ("dev_environment", "staging"),
    ("images_origins", "https://images.test, http://127.0.0.1:8000"),
];

#[test]
fn every_name_of_every_key_is_read() {
    for key in KEYS {
        let (_, value) = SAMPLES.iter().find(|(field, _)| *field == key.field).expect(key.field);
        // The folder of the token file is seen only with a file.
        let file = (if key.field == "twitch_token_dir" { "TWITCH_TOKEN_FILE" } else { "UNKNOWN" }, "irc.pass");
        let expected = everything(&good(&[(key.names[0], value), file]));
        assert_ne!(expected, everything(&good(&[file])), "{} changes nothing", key.field);
        for name in key.names {
            let commented = format!("  {value}   # a comment");
            assert_eq!(everything(&good(&[(name, &commented), file])), expected, "{name}");
        }
    }
}

#[test]
fn the_first_name_that_is_set_wins() {
    for key in KEYS.iter().filter(|key| key.names.len() > 1) {
        let (_, value) = SAMPLES.iter().find(|(field, _)| *field == key.field).expect(key.field);
        for pair in key.names.windows(2) {
            // The weaker name says nonsense, which must not even be looked at.
            let found = good(&[(pair[0], value), (pair[1], "\u{1}")]);
            assert_eq!(everything(&found), everything(&good(&[(pair[0], value)])), "{pair:?}");
            let found = good(&[(pair[0], "  # nothing"), (pair[1], value)]);
            assert_eq!(everything(&found), everything(&good(&[(pair[0], value)])), "blank {}", pair[0]);
        }
    }
}

#[test]
fn flags_win_over_elora_names_over_plain_names_over_the_file_over_defaults() {
    let flags = Flags { http_addr: Some("127.0.0.1:1".to_owned()), db_path: Some("flag.db".into()), config: None };
    let process = [("ELORA_HTTP_ADDR", "127.0.0.1:2"), ("HTTP_ADDR", "127.0.0.1:3"), ("ELORA_DB_PATH", "elora.db")];
    let file = "ELORA_HTTP_ADDR=127.0.0.1:4\nDB_PATH=file.db\nLOG_LEVEL=debug # loud\nELORA_WS_ENVELOPE=no";
    let addr = |config: &Config| config.http.addr.port();

    let flagged = config_with(&flags, &process, file).expect("all values are good");
    let elora = config(&process, file).expect("all values are good");
    let plain = config(&process[1..2], file).expect("all values are good");
    let from_file = config(&[], file).expect("all values are good");

    assert_eq!([addr(&flagged), addr(&elora), addr(&plain), addr(&from_file)], [1, 2, 3, 4]);
    let paths = [&flagged, &elora, &plain, &from_file].map(|config| config.store.path.clone());
    assert_eq!(paths, ["flag.db", "elora.db", "file.db", "file.db"].map(PathBuf::from));
    assert_eq!(from_file.log.level, "debug");
    assert!(!from_file.socket.envelope);
}

#[test]
fn an_address_may_come_in_two_parts() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("ELORA_HTTP_ADDR", ":9000")], "127.0.0.1:9000"),
        (&[("HTTP_ADDR", ":9000")], "127.0.0.1:9000"),
        (&[("ELORA_HTTP_ADDR", "0.0.0.0")], "0.0.0.0:8080"),
        (&[("ELORA_HTTP_ADDR", "0.0.0.0"), ("ELORA_HTTP_PORT", "81")], "0.0.0.0:81"),
        (&[("ELORA_HTTP_ADDR", "0.0.0.0"), ("PORT", "82")], "0.0.0.0:82"),
        (&[("ELORA_HTTP_ADDR", "0.0.0.0:83"), ("PORT", "82")], "0.0.0.0:83"),
        (&[("ELORA_HTTP_PORT", "84"), ("HTTP_ADDR", "0.0.0.0:85")], "0.0.0.0:84"),
        (&[("PORT", "86")], "127.0.0.1:86"),
        (&[("PORT", "0")], "127.0.0.1:0"),
        (&[("HTTP_ADDR", "localhost:87")], "127.0.0.1:87"),
        (&[("HTTP_ADDR", "[::1]:88")], "[::1]:88"),
        (&[("HTTP_ADDR", "::1")], "[::1]:8080"),
        (&[("HTTP_ADDR", "[::]"), ("PORT", "89")], "[::]:89"),
    ];
    for (process, expected) in cases {
        assert_eq!(good(process).http.addr.to_string(), *expected, "{process:?}");
    }
    for text in ["8080", "chat.test:80", "*:80", "http://127.0.0.1:80", "127.0.0.1:x", ":99999", "::1:x:"] {
        assert!(config(&[("HTTP_ADDR", text)], "").is_err(), "{text}");
    }
}

#[test]
fn every_bad_value_is_told_at_once_with_what_would_be_right() {
    let process = [
        ("ELORA_HTTP_ADDR", "nowhere:80"),
        ("ELORA_OPEN_LOCAL", "perhaps"),
        ("ELORA_HOSTS", "https://chat.test"),
        ("ELORA_ALLOWED_ORIGINS", "https://a.test/path"),
        ("DEPLOYED_URL", "chat.test"),
        ("ELORA_DB_MODE", "disk"),
        ("ELORA_DB_SYNCHRONOUS", "off"),
        ("ELORA_SQLITE_BUSY_TIMEOUT_MS", "5s"),
        ("ELORA_SQLITE_JOURNAL_MODE", "wal2"),
        ("ELORA_DB_PRAGMAS_EXTRA", "x=1;drop table events"),
        ("ELORA_DB_MAX_CONNS", "0"),
        ("ELORA_FEED_KEEPALIVE_MS", "15001"),
        ("ELORA_WS_PING_INTERVAL_MS", "0"),
        ("ELORA_WS_MAX_MESSAGE_BYTES", "-1"),
        ("ELORA_INGEST_DRIVER", "gnastee"),
        ("TWITCH_CHANNELS", "forsen, not a channel"),
        ("CHAT_URLS", "https://example.com/x"),
        ("TWITCH_IRC_URL", "https://irc.test"),
        ("LOG_LEVEL", "loud"),
    ];

    let errors = config(&process, "LOG_FORMAT=xml\n").expect_err("every value is wrong");

    let text = errors.to_string();
    for (name, value) in process {
        assert!(text.contains(&format!("\n  {name}={value}: ")), "{name} is not told in:\n{text}");
    }
    assert!(text.contains("\n  LOG_FORMAT=xml (in .env): unknown variant `xml`, expected `text` or `json`"), "{text}");
    assert!(text.starts_with("the configuration has 20 errors:"), "{text}");
    for error in &errors.0 {
        assert!(error.problem.len() > 25, "no remedy: {error}");
    }
}

#[test]
fn a_feed_is_never_silent_for_longer_than_its_readers_wait() {
    let longest = good(&[("ELORA_FEED_KEEPALIVE_MS", "15000")]);

    let errors = config(&[("ELORA_FEED_KEEPALIVE_MS", "15001")], "").expect_err("too long").to_string();

    assert_eq!(longest.feed.keepalive.as_secs(), 15);
    assert!(errors.contains("write a whole number from 1 to 15000"), "{errors}");
}

#[test]
fn what_is_right_alone_can_be_wrong_together() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("ELORA_OPEN_LOCAL", "1"), ("ELORA_HTTP_ADDR", "0.0.0.0:80")], "ELORA_OPEN_LOCAL=1: works only on loopback"),
        (&[("ELORA_WS_PING_INTERVAL_MS", "60000")], "ELORA_WS_PING_INTERVAL_MS=60000: every client would time out"),
        (&[("ELORA_WS_PONG_WAIT_MS", "10")], "ELORA_WS_PONG_WAIT_MS=10: every client would time out"),
        (&[("ELORA_INGEST_BACKOFF_MAX_MS", "1")], "ELORA_INGEST_BACKOFF_MAX_MS=1: ELORA_INGEST_BACKOFF_BASE_MS (500)"),
    ];
    for (process, expected) in cases {
        let errors = config(process, "").expect_err("contradicts itself").to_string();
        assert!(errors.contains(expected), "{errors}");
    }
    assert!(good(&[("ELORA_OPEN_LOCAL", "1"), ("HTTP_ADDR", "[::1]:80")]).http.open_local);
}

#[test]
fn what_is_played_goes_to_a_store_that_passes_unless_one_is_named() {
    let replay = ("ELORA_INGEST_DRIVER", "replay");
    let flags = Flags { db_path: Some("kept.db".into()), ..Flags::default() };

    let passing = good(&[replay]);
    assert_eq!(passing.store.mode, Mode::Ephemeral);
    assert!(passing.remarks.concat().contains("ELORA_DB_PATH"), "{:?}", passing.remarks);
    for kept in [
        good(&[replay, ("DB_PATH", "kept.db")]),
        good(&[replay, ("ELORA_DB_MODE", "persistent")]),
        config(&[replay], "ELORA_DB_PATH=kept.db").expect("a file may name it"),
        config_with(&flags, &[replay], "").expect("a flag may name it"),
        good(&[]),
    ] {
        assert_eq!((kept.store.mode, kept.remarks), (Mode::Persistent, Vec::new()));
    }
}

#[test]
fn only_what_ships_is_repeated_unasked_and_never_flat_out() {
    let repeats = |process: &[(&str, &str)]| good(process).replay.repeats();

    assert!(repeats(&[]) && repeats(&[("ELORA_REPLAY_SPEED", "20")]));
    assert!(!repeats(&[("ELORA_REPLAY_FILE", "x")]) && !repeats(&[("ELORA_REPLAY_SPEED", "MAX")]));
    assert!(repeats(&[("ELORA_REPLAY_FILE", "x"), ("ELORA_REPLAY_SPEED", "max"), ("ELORA_REPLAY_LOOP", "on")]));
    assert!(!repeats(&[("ELORA_REPLAY_LOOP", "off")]));
}

#[test]
fn a_speed_is_a_number_above_0_or_max() {
    for (text, speed) in
        [("2", Speed::Times(2.0)), ("0.25", Speed::Times(0.25)), ("1e3", Speed::Times(1000.0)), ("max", Speed::Max)]
    {
        assert_eq!(good(&[("ELORA_REPLAY_SPEED", text)]).replay.speed, speed);
    }
    for text in ["0", "-1", "inf", "NaN", "fast", "2x", "1,5"] {
        let errors = config(&[("ELORA_REPLAY_SPEED", text)], "").expect_err(text).to_string();
        assert!(errors.contains("number above 0") && errors.contains("max"), "{errors}");
    }
}

#[test]
fn a_driver_nobody_knows_is_told_which_there_are() {
    let unknown = config(&[("ELORA_INGEST_DRIVER", "irc")], "").expect_err("unknown").to_string();
    for name in ["native", "none", "gnasty", "chatdownloader", "exec", "replay"] {
        assert!(unknown.contains(name), "{unknown}");
    }
}

#[test]
fn a_secret_shows_in_no_document_and_no_error() {
    let config = good(&[
        ("TWITCH_OAUTH_TOKEN", "oauth:canary"),
        ("TWITCH_IRC_URL", "wss://me:canary@irc.test"),
        ("DEPLOYED_URL", "https://me:canary@chat.test"),
        ("TWITCH_CLIENT_SECRET", "canary"),
        ("GNASTY_YT_API_KEY", "canary"),
        ("GNASTY_ARGS", "--token=canary,--refresh-token,canary"),
        ("ELORA_EXEC", "reader,--token=canary,--key,canary"),
    ]);

    for text in [
        everything(&config).to_string(),
        summary(&config, &Settings::of(&config)).to_string(),
        format!("{:?}", config.twitch),
    ] {
        assert!(!text.contains("oauth:canary"), "{text}");
    }
    assert!(!everything(&config).to_string().contains("canary"));
    assert_eq!(config.twitch.oauth_token.map(|token| token.expose().clone()).as_deref(), Some("oauth:canary"));
}

#[test]
fn sources_of_both_lists_come_once_each() {
    let both = good(&[("TWITCH_CHANNELS", "Forsen,#xqc,,"), ("CHAT_URLS", "https://twitch.tv/forsen, kick:some-one")]);

    let sources: Vec<String> = both.sources.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["twitch:forsen", "twitch:xqc", "kick:some-one"]);
    assert!(config(&[("TWITCH_CHANNELS", "youtube:@x")], "").is_err());
}

#[test]
fn the_hosts_of_every_address_of_ours_are_known() {
    let config = good(&[
        ("ELORA_HOSTS", "One.test., two"),
        ("DEPLOYED_URL", "https://three.test:8443/x"),
        ("VITE_PUBLIC_API_BASE", "https://four.test"),
        ("VITE_PUBLIC_WS_URL", "wss://five.test/ws/chat"),
        ("ELORA_ALLOWED_ORIGINS", "https://Six.test"),
    ]);

    let names: Vec<String> = config.http.host_names().into_iter().collect();
    assert_eq!(names, ["one.test", "three.test", "two"]);
    let settings = Settings::of(&config);
    for name in ["four.test", "FIVE.test", "six.test"] {
        assert!(settings.names_host(name), "{name}");
    }
    assert!(!settings.names_host("seven.test"));
}

#[test]
fn configz_keeps_the_shape_that_scripts_read() {
    let config = good(&[("ELORA_ALLOWED_ORIGINS", "https://b.test,https://a.test"), ("TWITCH_CLIENT_ID", "canary")]);
    let document = configz(&config, &Settings::of(&config));

    assert_eq!(
        document,
        serde_json::json!({
            "db": { "mode": "persistent", "path": "data/elora.db", "journal_mode": "WAL", "max_conns": 8,
                    "busy_timeout_ms": 5000, "pragmas_extra_csv": "" },
            "tailer": { "enabled": false, "interval_ms": 1000, "batch": 200, "max_lag_ms": 0, "persist_offsets": false,
                        "offset_path": "data/elora.db.offset.json" },
            "ingest": { "driver": "native" },
            "websocket": { "allow_any_origin": false, "allowed_origins": ["https://a.test", "https://b.test"],
                           "ping_interval_ms": 25000, "pong_wait_ms": 30000, "write_deadline_ms": 5000,
                           "max_message_bytes": 131072 },
            "auth": { "twitch": { "client_id": "[redacted]", "redirect_url": "", "write_gnasty_tokens": false,
                                  "access_token_path": "", "refresh_token_path": "" } },
        })
    );
}

#[test]
fn pragmas_are_written_in_two_ways_and_shown_as_they_were() {
    let given = "mmap_size=268435456, Cache_Size(-100000),temp_store ( memory )";
    let good = good(&[("ELORA_DB_PRAGMAS_EXTRA", given)]);

    let read = good.store.pragmas_extra.iter().map(|pragma| (pragma.name.as_str(), pragma.value.as_str()));
    let expected = [("mmap_size", "268435456"), ("cache_size", "-100000"), ("temp_store", "memory")];
    assert_eq!(read.collect::<Vec<_>>(), expected);
    let shown = &configz(&good, &Settings::of(&good))["db"]["pragmas_extra_csv"];
    assert_eq!(shown, "mmap_size=268435456,Cache_Size(-100000),temp_store ( memory )");
    for bad in ["x", "x(1", "x1)", "x()", "(1)", "x(1);y", "x=(1)", "x(y(1))"] {
        assert!(config(&[("ELORA_DB_PRAGMAS_EXTRA", bad)], "").is_err(), "{bad}");
    }
}

#[test]
fn a_star_within_an_origin_is_refused_with_what_to_write() {
    for bad in ["https://*.example.com", "*.example.com", "https://a.test,https://*"] {
        let errors = config(&[("ELORA_WS_ALLOWED_ORIGINS", bad)], "").expect_err(bad).to_string();
        assert!(errors.contains("only a bare `*`") && errors.contains("https://chat.example.com"), "{errors}");
    }
}

#[test]
fn a_misspelled_name_is_remarked_on() {
    let config = config(&[("ELORA_DB_PAHT", "x.db")], "ELORA_OPEN_LOCL=1").expect("unknown names are no errors");

    assert_eq!(config.remarks.len(), 2);
    assert!(config.remarks[0].contains("did you mean ELORA_DB_PATH?"), "{:?}", config.remarks);
    assert!(config.remarks[1].contains("did you mean ELORA_OPEN_LOCAL?"), "{:?}", config.remarks);
}

#[test]
fn every_open_door_is_remarked_on() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("ELORA_OPEN_LOCAL", "1")], "With a proxy in front"),
        (&[("ELORA_ALLOWED_ORIGINS", "https://a.test,*")], "any web page"),
        (&[("ELORA_PUBLIC_READ", "1"), ("HTTP_ADDR", "0.0.0.0")], "may read chat"),
    ];
    for (process, words) in cases {
        let remarks = good(process).remarks;
        assert!(remarks.len() == 1 && remarks[0].contains(words), "{remarks:?}");
    }
    assert_eq!(good(&[("ELORA_PUBLIC_READ", "1")]).remarks, [""; 0]);
}
