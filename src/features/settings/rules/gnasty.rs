//! What each setting must be that gnasty is told.

use super::Rules;
use crate::config;
use crate::features::settings::document::{Gnasty, Twitch, Youtube};
use crate::features::settings::spelling::{enabled_sinks, whole};

pub fn read(rules: &mut Rules, sent: &Gnasty, known: &Gnasty, kept: &config::Gnasty) -> config::Gnasty {
    let (sinks, of) = (&sent.sinks, &known.sinks);
    let at_least = |least: i64| whole(least..=u32::MAX.into());
    let (size, flush) = (&kept.sink_batch_size, &kept.sink_flush_max_ms);
    let mut all = kept.clone();
    all.sinks =
        rules.read("gnasty.sinks.enabled", sinks.enabled.as_slice(), of.enabled.as_slice(), &kept.sinks, enabled_sinks);
    all.sink_batch_size = rules.read("gnasty.sinks.batchSize", &sinks.batch_size, &of.batch_size, size, at_least(1));
    all.sink_flush_max_ms =
        rules.read("gnasty.sinks.flushMaxMs", &sinks.flush_max_ms, &of.flush_max_ms, flush, at_least(0));
    twitch(rules, &sent.twitch, &known.twitch, &mut all);
    youtube(rules, &sent.youtube, &known.youtube, &mut all);
    all
}

fn twitch(rules: &mut Rules, sent: &Twitch, known: &Twitch, all: &mut config::Gnasty) {
    let mut wait =
        |field, sent: i64, known: i64, kept| rules.read(field, &sent, &known, &kept, whole(1..=u32::MAX.into()));
    let kept = (all.twitch_backoff_min_ms, all.twitch_backoff_max_ms);
    let backoff = (
        wait("gnasty.twitch.backoffMinMs", sent.backoff_min_ms, known.backoff_min_ms, kept.0),
        wait("gnasty.twitch.backoffMaxMs", sent.backoff_max_ms, known.backoff_max_ms, kept.1),
    );
    let kept_refresh = (all.twitch_refresh_backoff_min_ms, all.twitch_refresh_backoff_max_ms);
    let (min, max) = (sent.refresh_backoff_min_ms, sent.refresh_backoff_max_ms);
    let refresh = (
        wait("gnasty.twitch.refreshBackoffMinMs", min, known.refresh_backoff_min_ms, kept_refresh.0),
        wait("gnasty.twitch.refreshBackoffMaxMs", max, known.refresh_backoff_max_ms, kept_refresh.1),
    );
    all.twitch_tls = sent.tls;
    all.twitch_debug_drops = sent.debug_drops;
    (all.twitch_backoff_min_ms, all.twitch_backoff_max_ms) =
        rules.ordered("gnasty.twitch.backoffMaxMs", "gnasty.twitch.backoffMinMs", backoff, kept);
    (all.twitch_refresh_backoff_min_ms, all.twitch_refresh_backoff_max_ms) =
        rules.ordered("gnasty.twitch.refreshBackoffMaxMs", "gnasty.twitch.refreshBackoffMinMs", refresh, kept_refresh);
}

fn youtube(rules: &mut Rules, sent: &Youtube, known: &Youtube, all: &mut config::Gnasty) {
    let mut wait = |field, sent: i64, known: i64, kept, least| {
        rules.read(field, &sent, &known, &kept, whole(least..=u32::MAX.into()))
    };
    let (timeout, interval) = (sent.poll_timeout_secs, sent.poll_interval_ms);
    all.yt_retry_secs =
        wait("gnasty.youtube.retrySeconds", sent.retry_seconds, known.retry_seconds, all.yt_retry_secs, 1);
    all.yt_poll_timeout_secs =
        wait("gnasty.youtube.pollTimeoutSecs", timeout, known.poll_timeout_secs, all.yt_poll_timeout_secs, 0);
    all.yt_poll_interval_ms =
        wait("gnasty.youtube.pollIntervalMs", interval, known.poll_interval_ms, all.yt_poll_interval_ms, 0);
    all.yt_dump_unhandled = sent.dump_unhandled;
    all.yt_debug = sent.debug;
}
