//! What each setting must be. Only what differs from what stands already is looked at: a value that
//! the environment gave is nobody's mistake here.

mod gnasty;

use std::time::Duration;

use serde::Serialize;

use super::Kept;
use super::document::{self, Document};
use super::spelling::{api_base, fixed, millis, only, origins, trimmed, twitch_channel, whole, ws_url, youtube_source};
use crate::config;

/// One thing that is wrong with what was sent.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// As `tailer.maxBatch`.
    pub field: &'static str,
    pub message: String,
}

/// Reads what was sent in place of `known`, which is how `kept` is shown. What is wrong stays as it is kept.
pub fn read(sent: &Document, known: &Document, kept: &Kept) -> (Kept, Vec<Violation>) {
    let mut rules = Rules::default();
    let settings = settings(&mut rules, sent, known, &kept.settings);
    let twitch = rules.read(
        "twitchChannel",
        sent.twitch_channel.as_str(),
        known.twitch_channel.as_str(),
        &kept.twitch,
        twitch_channel,
    );
    let youtube = (sent.youtube_source_url.as_str(), known.youtube_source_url.as_str());
    let youtube = rules.read("youtubeSourceUrl", youtube.0, youtube.1, &kept.youtube, youtube_source);
    (Kept { settings, twitch, youtube }, rules.violations)
}

#[derive(Default)]
struct Rules {
    violations: Vec<Violation>,
}

impl Rules {
    /// One setting: what is kept if nothing else was sent, or if what was sent is wrong.
    fn read<T: PartialEq + ?Sized, V: Clone>(
        &mut self,
        field: &'static str,
        sent: &T,
        known: &T,
        kept: &V,
        read: impl FnOnce(&T) -> Result<V, String>,
    ) -> V {
        if sent == known {
            return kept.clone();
        }
        read(sent).unwrap_or_else(|message| {
            self.violations.push(Violation { field, message });
            kept.clone()
        })
    }

    /// Two settings of which the second must not be below the first.
    fn ordered<V: PartialOrd + Clone>(
        &mut self,
        field: &'static str,
        least: &str,
        sent: (V, V),
        kept: (V, V),
    ) -> (V, V) {
        if sent == kept || sent.0 <= sent.1 {
            return sent;
        }
        self.violations.push(Violation { field, message: format!("must not be below {least}") });
        kept
    }
}

fn settings(rules: &mut Rules, sent: &Document, known: &Document, kept: &config::Settings) -> config::Settings {
    let (backoff_base, backoff_max) = ingest(rules, &sent.ingest, &known.ingest, kept);
    let nick = |nick: &str| Ok(nick.trim().to_owned());
    let nicks = (sent.gnasty.twitch.nick.as_str(), known.gnasty.twitch.nick.as_str());
    config::Settings {
        allowed_origins: rules.read(
            "allowedOrigins",
            sent.allowed_origins.as_slice(),
            known.allowed_origins.as_slice(),
            &kept.allowed_origins,
            origins,
        ),
        api_base: rules.read(
            "apiBaseUrl",
            sent.api_base_url.as_str(),
            known.api_base_url.as_str(),
            &kept.api_base,
            api_base,
        ),
        ws_url: rules.read("wsUrl", sent.ws_url.as_str(), known.ws_url.as_str(), &kept.ws_url, ws_url),
        ui: config::Ui {
            yt_prefix_at: !sent.features.hide_youtube_at,
            show_badges: sent.features.show_badges,
            palette: kept.ui.palette,
        },
        socket: config::Socket {
            envelope: sent.features.ws_envelope,
            drop_empty: sent.features.ws_drop_empty,
            ..websocket(rules, &sent.websocket, &known.websocket, &kept.socket)
        },
        tailer: tailer(rules, &sent.tailer, &known.tailer, &kept.tailer),
        backoff_base,
        backoff_max,
        gnasty: gnasty::read(rules, &sent.gnasty, &known.gnasty, &kept.gnasty),
        gnasty_nick: rules.read("gnasty.twitch.nick", nicks.0, nicks.1, &kept.gnasty_nick, nick),
    }
}

fn tailer(
    rules: &mut Rules,
    sent: &document::Tailer,
    known: &document::Tailer,
    kept: &config::Tailer,
) -> config::Tailer {
    let path = fixed(known.offset_path.clone(), kept.offset_path.clone(), "ELORA_TAILER_OFFSET_PATH");
    let poll = (&sent.poll_interval_ms, &known.poll_interval_ms);
    config::Tailer {
        enabled: sent.enabled,
        poll: rules.read("tailer.pollIntervalMs", poll.0, poll.1, &kept.poll, millis(25..=60_000)),
        max_batch: rules.read("tailer.maxBatch", &sent.max_batch, &known.max_batch, &kept.max_batch, whole(1..=5000)),
        max_lag: rules.read(
            "tailer.maxLagMs",
            &sent.max_lag_ms,
            &known.max_lag_ms,
            &kept.max_lag,
            millis(0..=3_600_000),
        ),
        persist_offsets: sent.persist_offsets,
        offset_path: rules.read(
            "tailer.offsetPath",
            sent.offset_path.as_str(),
            known.offset_path.as_str(),
            &kept.offset_path,
            path,
        ),
    }
}

fn websocket(
    rules: &mut Rules,
    sent: &document::Websocket,
    known: &document::Websocket,
    kept: &config::Socket,
) -> config::Socket {
    let (ping, pong) = (&sent.ping_interval_ms, &sent.pong_wait_ms);
    let (write, bytes) = (&sent.write_deadline_ms, &sent.max_message_bytes);
    let bytes_range = 1024..=16_777_216;
    let size = |bytes: &i64| whole(bytes_range)(bytes).map(|bytes| bytes as usize);
    config::Socket {
        ping_interval: rules.read(
            "websocket.pingIntervalMs",
            ping,
            &known.ping_interval_ms,
            &kept.ping_interval,
            millis(500..=120_000),
        ),
        pong_wait: rules.read(
            "websocket.pongWaitMs",
            pong,
            &known.pong_wait_ms,
            &kept.pong_wait,
            millis(500..=120_000),
        ),
        write_deadline: rules.read(
            "websocket.writeDeadlineMs",
            write,
            &known.write_deadline_ms,
            &kept.write_deadline,
            millis(0..=60_000),
        ),
        max_message_bytes: rules.read(
            "websocket.maxMessageBytes",
            bytes,
            &known.max_message_bytes,
            &kept.max_message_bytes,
            size,
        ),
        ..kept.clone()
    }
}

/// The waits. The rest of the block is only the environment's to say.
fn ingest(
    rules: &mut Rules,
    sent: &document::Ingest,
    known: &document::Ingest,
    kept: &config::Settings,
) -> (Duration, Duration) {
    let bin = fixed(known.gnasty_bin.clone(), (), "GNASTY_BIN");
    rules.read("ingest.gnastyBin", sent.gnasty_bin.as_str(), known.gnasty_bin.as_str(), &(), bin);
    let same_args = |args: &[String]| {
        let is = |list: &[String]| trimmed(args).eq(list.iter().map(String::as_str));
        // A file of old may have them unmasked.
        (is(&known.gnasty_args) || is(&kept.gnasty.args)).then_some(()).ok_or_else(|| only("GNASTY_ARGS"))
    };
    rules.read("ingest.gnastyArgs", sent.gnasty_args.as_slice(), known.gnasty_args.as_slice(), &(), same_args);
    let (base, max) = (&sent.backoff_base_ms, &sent.backoff_max_ms);
    let base =
        rules.read("ingest.backoffBaseMs", base, &known.backoff_base_ms, &kept.backoff_base, millis(100..=60_000));
    let max = rules.read("ingest.backoffMaxMs", max, &known.backoff_max_ms, &kept.backoff_max, millis(1000..=600_000));
    rules.ordered("ingest.backoffMaxMs", "ingest.backoffBaseMs", (base, max), (kept.backoff_base, kept.backoff_max))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;

    fn kept() -> Kept {
        Kept { settings: config::Settings::of(&Config::default()), twitch: None, youtube: None }
    }

    /// The fields that are wrong once `value` stands at `path`, and what is kept then.
    fn wrong(path: &str, value: Value) -> (Vec<&'static str>, Kept) {
        let (kept, known) = (kept(), Document::of(&kept()));
        let mut sent = known.to_value();
        *sent.pointer_mut(path).expect("a setting") = value;
        let sent = serde_json::from_value(sent).expect("a document");
        let (after, violations) = read(&sent, &known, &kept);
        (violations.into_iter().map(|violation| violation.field).collect(), after)
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let most = i64::from(u32::MAX);
        for (path, least, highest) in [
            ("/tailer/pollIntervalMs", 25, 60_000),
            ("/tailer/maxBatch", 1, 5000),
            ("/tailer/maxLagMs", 0, 3_600_000),
            ("/websocket/pingIntervalMs", 500, 120_000),
            ("/websocket/pongWaitMs", 500, 120_000),
            ("/websocket/writeDeadlineMs", 0, 60_000),
            ("/websocket/maxMessageBytes", 1024, 16_777_216),
            ("/ingest/backoffBaseMs", 100, 30_000),
            ("/ingest/backoffMaxMs", 1000, 600_000),
            ("/gnasty/sinks/batchSize", 1, most),
            ("/gnasty/sinks/flushMaxMs", 0, most),
            ("/gnasty/twitch/backoffMinMs", 1, 60_000),
            ("/gnasty/twitch/backoffMaxMs", 1000, most),
            ("/gnasty/twitch/refreshBackoffMinMs", 1, 60_000),
            ("/gnasty/twitch/refreshBackoffMaxMs", 1000, most),
            ("/gnasty/youtube/retrySeconds", 1, most),
            ("/gnasty/youtube/pollTimeoutSecs", 0, most),
            ("/gnasty/youtube/pollIntervalMs", 0, most),
        ] {
            for good in [least, highest] {
                let (fields, after) = wrong(path, json!(good));
                assert_eq!(fields, [""; 0], "{path} {good}");
                assert_eq!(Document::of(&after).to_value().pointer(path), Some(&json!(good)), "{path}");
            }
            for bad in [least - 1, highest + 1, i64::MIN, i64::MAX] {
                let (fields, after) = wrong(path, json!(bad));
                assert_eq!(fields.len(), 1, "{path} {bad}");
                assert_eq!(after, kept(), "{path} {bad}: what is wrong stays as it was");
            }
        }
    }

    #[test]
    fn the_longest_wait_is_not_below_the_shortest() {
        for (path, value, field) in [
            ("/ingest/backoffBaseMs", 30_001, "ingest.backoffMaxMs"),
            ("/gnasty/twitch/backoffMinMs", 60_001, "gnasty.twitch.backoffMaxMs"),
            ("/gnasty/twitch/refreshBackoffMaxMs", 999, "gnasty.twitch.refreshBackoffMaxMs"),
        ] {
            assert_eq!(wrong(path, json!(value)).0, [field]);
        }
    }

    #[test]
    fn what_stands_already_is_never_wrong() {
        let mut kept = kept();
        kept.settings.tailer.max_batch = 0;
        (kept.settings.backoff_base, kept.settings.backoff_max) = (Duration::from_secs(900), Duration::ZERO);
        kept.settings.gnasty.sinks = vec!["stdout".to_owned()];
        let known = Document::of(&kept);
        let mut sent = known.clone();
        sent.tailer.enabled = true;

        let (after, violations) = read(&sent, &known, &kept);

        assert_eq!(violations, []);
        kept.settings.tailer.enabled = true;
        assert_eq!(after, kept);
    }

    #[test]
    fn arguments_may_be_sent_back_with_their_secrets_or_without() {
        let mut kept = kept();
        kept.settings.gnasty.args = vec!["--token=canary".to_owned(), "-v".to_owned()];
        let known = Document::of(&kept);
        let violations = |args: [&str; 2]| {
            let mut sent = known.clone();
            sent.ingest.gnasty_args = args.map(str::to_owned).to_vec();
            read(&sent, &known, &kept).1.len()
        };

        assert_eq!(known.ingest.gnasty_args, ["--token=***", "-v"]);
        assert_eq!(violations(["--token=***", " -v"]), 0);
        assert_eq!(violations(["--token=canary", "-v"]), 0);
        assert_eq!(violations(["--token=other", "-v"]), 1);
        assert_eq!(violations(["-v", "--token=***"]), 1);
    }

    #[test]
    fn what_only_the_environment_says_may_be_sent_back_and_not_changed() {
        let path = Document::of(&kept()).tailer.offset_path;

        for (path, value, fields) in [
            ("/tailer/offsetPath", json!(format!(" {path} ")), &[][..]),
            ("/tailer/offsetPath", json!("/etc/passwd"), &["tailer.offsetPath"]),
            ("/tailer/offsetPath", json!(""), &["tailer.offsetPath"]),
            ("/ingest/gnastyBin", json!("  "), &[]),
            ("/ingest/gnastyBin", json!("/bin/sh"), &["ingest.gnastyBin"]),
            ("/ingest/gnastyArgs", json!([" ", ""]), &[]),
            ("/ingest/gnastyArgs", json!(["-c"]), &["ingest.gnastyArgs"]),
        ] {
            let (wrong, after) = wrong(path, value.clone());
            assert_eq!(wrong, fields, "{path} {value}");
            assert_eq!(after, kept(), "{path} {value}");
        }
    }
}
