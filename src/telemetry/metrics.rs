//! The numbers behind `/metrics`. The registry is owned, so two servers in one process count apart.
//! Labels come from closed sets (platform, kind, route, status): no name of a channel or person is ever one.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

type Word = Cow<'static, str>;

/// From a tenth of a millisecond to seconds: commits, deliveries and requests all lie in between.
const FAST: [f64; 14] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// From a platform's stamp to the feed: the network lies in between.
const SLOW: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByPlatform {
    platform: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByPlatformAndKind {
    platform: Word,
    kind: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByKind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByRoute {
    route: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByRouteAndStatus {
    route: Word,
    status: u16,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every number of one server. Cloning is cheap and counts into the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    messages: Family<ByPlatformAndKind, Counter>,
    duplicates: Family<ByPlatform, Counter>,
    outdated: Family<ByPlatform, Counter>,
    odd: Family<ByPlatformAndKind, Counter>,
    lag: Histograms<ByPlatform>,
    sources_up: Family<ByPlatform, Gauge>,
    last_heard: Family<ByPlatform, Gauge<f64, AtomicU64>>,
    reconnects: Family<ByPlatform, Counter>,
    clients: Family<ByKind, Gauge>,
    dropped: Family<ByKind, Counter>,
    requests: Family<ByRouteAndStatus, Counter>,
    request_seconds: Histograms<ByRoute>,
    serialized: Serialized,
    /// From commit to the socket's write.
    pub delivery_seconds: Histogram,
    pub commit_seconds: Histogram,
    pub db_bytes: Gauge,
    pub wal_bytes: Gauge,
    /// Events accepted and not yet committed.
    pub writer_queue: Gauge,
}

/// How often an event was turned into bytes, per wire form; held by those who do it.
#[derive(Debug, Clone)]
pub struct Serialized {
    pub feed: Counter,
    pub classic: Counter,
    /// For a client that reads from the store what the hub no longer keeps, or what came before it.
    pub again: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Registers a metric and hands it on.
fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn fast() -> Histogram {
    Histogram::new(FAST)
}

fn slow() -> Histogram {
    Histogram::new(SLOW)
}

impl Metrics {
    pub fn new() -> Self {
        let mut all = Registry::with_prefix("elora");
        let r = &mut all;
        r.register("build", "The running program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let forms = Family::<ByKind, Counter>::default();
        r.register("feed_serialized", "Events turned into bytes, by wire form", forms.clone());
        let form = |kind| forms.get_or_create_owned(&ByKind { kind });
        let by_platform = Histograms::new_with_constructor(slow as fn() -> Histogram);
        let by_route = Histograms::new_with_constructor(fast as fn() -> Histogram);
        Self {
            serialized: Serialized { feed: form("feed"), classic: form("classic"), again: form("again") },
            messages: add(r, "ingest_messages", "Events committed", Family::default()),
            duplicates: add(r, "ingest_duplicates", "Events heard again and not kept twice", Family::default()),
            outdated: add(r, "ingest_outdated", "Events from a time that was purged, not kept", Family::default()),
            odd: add(r, "ingest_odd", "Input that had to be cut or mended", Family::default()),
            lag: add(r, "ingest_lag_seconds", "From the platform's stamp to the feed", by_platform),
            sources_up: add(r, "source_up", "Sources that are live", Family::default()),
            last_heard: add(
                r,
                "source_last_message_timestamp_seconds",
                "When a platform's last event came, since 1970",
                Family::default(),
            ),
            reconnects: add(r, "source_reconnects", "Connections opened again", Family::default()),
            clients: add(r, "clients", "Open sockets", Family::default()),
            dropped: add(r, "fanout_dropped", "Sockets closed for reading too slowly", Family::default()),
            requests: add(r, "http_requests", "Answered requests", Family::default()),
            request_seconds: add(r, "http_request_duration_seconds", "From request to answer's head", by_route),
            delivery_seconds: add(r, "delivery_seconds", "From commit to the socket's write", fast()),
            commit_seconds: add(r, "db_commit_seconds", "One transaction of the writer", fast()),
            db_bytes: add(r, "db_size_bytes", "The store's file", Gauge::default()),
            wal_bytes: add(r, "wal_size_bytes", "The store's write-ahead log", Gauge::default()),
            writer_queue: add(r, "writer_queue", "Events accepted and not yet committed", Gauge::default()),
            registry: Arc::new(all),
        }
    }

    /// The text of `/metrics`, in the OpenMetrics format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes everything");
        text
    }

    /// The counters of wire forms, to be held by whoever serializes.
    pub fn serialized(&self) -> Serialized {
        self.serialized.clone()
    }

    /// A platform is listened to. Its counters begin at zero: the first step of one that appears with it goes unseen.
    pub fn heard(&self, platform: &str) {
        self.duplicated(platform, 0);
        self.outdated(platform, 0);
        self.reconnected(platform, 0);
    }

    /// `count` events of one kind were committed.
    pub fn ingested(&self, platform: &str, kind: &str, count: u64) {
        let labels = ByPlatformAndKind { platform: platform.to_owned().into(), kind: kind.to_owned().into() };
        self.messages.get_or_create(&labels).inc_by(count);
    }

    /// `count` events were already there.
    pub fn duplicated(&self, platform: &str, count: u64) {
        self.duplicates.get_or_create(&by(platform)).inc_by(count);
    }

    /// `count` events were from a time that was purged.
    pub fn outdated(&self, platform: &str, count: u64) {
        self.outdated.get_or_create(&by(platform)).inc_by(count);
    }

    /// From the platform's stamp to the feed.
    pub fn lagged(&self, platform: &str, lag: Duration) {
        self.lag.get_or_create(&by(platform)).observe(lag.as_secs_f64());
    }

    /// How many of a platform's sources are live now.
    pub fn sources_up(&self, platform: &str, count: usize) {
        self.sources_up.get_or_create(&by(platform)).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// When a platform's last event came, in milliseconds since 1970.
    pub fn last_heard(&self, platform: &str, at_ms: i64) {
        self.last_heard.get_or_create(&by(platform)).set(at_ms as f64 / 1000.0);
    }

    /// How often a platform's connection was opened again since the program started.
    pub fn reconnected(&self, platform: &str, count: u64) {
        let counter = self.reconnects.get_or_create(&by(platform));
        counter.inc_by(count.saturating_sub(counter.get()));
    }

    /// How often a platform has sent something odd since the program started.
    pub fn odd(&self, platform: &'static str, kind: &'static str, count: u64) {
        let counter = self.odd.get_or_create(&ByPlatformAndKind { platform: platform.into(), kind: kind.into() });
        counter.inc_by(count.saturating_sub(counter.get()));
    }

    /// The gauge of open sockets of one kind.
    pub fn clients(&self, kind: &'static str) -> Gauge {
        // From the first socket on, for the same reason as in `heard`.
        drop(self.dropped.get_or_create(&ByKind { kind }));
        self.clients.get_or_create_owned(&ByKind { kind })
    }

    /// A socket of this kind was closed for reading too slowly.
    pub fn dropped(&self, kind: &'static str) {
        self.dropped.get_or_create(&ByKind { kind }).inc();
    }

    /// A request was answered. The route is a template, never a path.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        let route: Word = route.to_owned().into();
        self.requests.get_or_create(&ByRouteAndStatus { route: route.clone(), status }).inc();
        self.request_seconds.get_or_create(&ByRoute { route }).observe(took.as_secs_f64());
    }
}

fn by(platform: &str) -> ByPlatform {
    ByPlatform { platform: platform.to_owned().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_under_their_documented_names() {
        let metrics = Metrics::new();
        metrics.ingested("twitch", "message", 3);
        metrics.duplicated("twitch", 1);
        metrics.sources_up("twitch", 2);
        metrics.serialized().feed.inc();
        metrics.clients("feed").inc();
        metrics.answered("/api/messages", 200, Duration::from_millis(2));
        metrics.commit_seconds.observe(0.002);

        let text = metrics.render();

        for line in [
            "elora_ingest_messages_total{platform=\"twitch\",kind=\"message\"} 3",
            "elora_ingest_duplicates_total{platform=\"twitch\"} 1",
            "elora_source_up{platform=\"twitch\"} 2",
            "elora_feed_serialized_total{kind=\"feed\"} 1",
            "elora_feed_serialized_total{kind=\"classic\"} 0",
            "elora_clients{kind=\"feed\"} 1",
            "elora_http_requests_total{route=\"/api/messages\",status=\"200\"} 1",
            "elora_http_request_duration_seconds_count{route=\"/api/messages\"} 1",
            "elora_db_commit_seconds_count 1",
            "elora_writer_queue 0",
            concat!("elora_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn two_servers_in_one_process_count_apart() {
        let (one, other) = (Metrics::new(), Metrics::new());

        one.serialized().feed.inc();

        assert_eq!(other.serialized().feed.get(), 0);
    }
}
