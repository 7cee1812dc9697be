//! From clean pairs to typed sections. Every wrong value is told at once.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::env::{Layers, Pair};
use super::{Config, DriverKind, Http, Mode, value};
use crate::chat::Channel;
use crate::chat::source::SourceError;

/// What the command line may set; it wins over everything else.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// A file to read instead of `.env`.
    pub config: Option<PathBuf>,
    pub db_path: Option<PathBuf>,
    pub http_addr: Option<String>,
}

/// Everything that is wrong with the configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

/// One wrong value: which, where it stands, and what would have been right.
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    pub name: String,
    /// `***` for a secret.
    pub value: Option<String>,
    pub file: Option<PathBuf>,
    pub problem: String,
}

impl std::error::Error for Errors {}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} error{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(f, "={}", value.escape_debug())?;
        }
        if let Some(file) = &self.file {
            write!(f, " (in {})", file.display())?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Reads flags, environment and file.
pub fn load(flags: &Flags) -> Result<Config, Errors> {
    let layers = Layers::gather(flags.config.as_deref()).map_err(|error| Errors(vec![error]))?;
    read(flags, &layers)
}

/// The same from layers that are already there.
pub fn read(flags: &Flags, layers: &Layers) -> Result<Config, Errors> {
    let mut loader = Loader { pairs: layers.pairs(), errors: Vec::new() };
    let addr = address(flags, layers);
    loader.pairs.retain(|pair| !matches!(pair.field, "http_addr" | "http_port"));
    let mut config = Config {
        http: loader.section("http_"),
        store: loader.section("store_"),
        feed: loader.section("feed_"),
        socket: loader.section("socket_"),
        ingest: loader.section("ingest_"),
        twitch: loader.section("twitch_"),
        youtube: loader.section("youtube_"),
        tailer: loader.section("tailer_"),
        harvester: loader.section("harvester_"),
        gnasty: loader.section("gnasty_"),
        handoff: loader.section("handoff_"),
        replay: loader.section("replay_"),
        exec: loader.section("exec_"),
        sources: loader.sources(),
        log: loader.section("log_"),
        ui: loader.section("ui_"),
        dev: loader.section("dev_"),
        images: loader.section("images_"),
        remarks: layers.remarks(),
    };
    match addr {
        Ok(addr) => config.http.addr = addr,
        Err(error) => loader.errors.push(error),
    }
    if let Some(path) = &flags.db_path {
        config.store.path.clone_from(path);
    }
    loader.token_folder(&mut config);
    loader.passing_store(flags, &mut config);
    config.exec.passed = layers.passed(|name| config.exec.passes(config.ingest.driver, name));
    config.store.is_shared = config.reads_harvester() && is_same(config.harvester_file(), &config.store.path);
    loader.contradictions(&config);
    config.remarks.extend(config.http.remarks().map(str::to_owned));
    if loader.errors.is_empty() { Ok(config) } else { Err(Errors(loader.errors)) }
}

/// Whether two paths mean one file, however each is spelled, and whether or not it is there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    resolved(one) == resolved(other)
}

fn resolved(path: &Path) -> PathBuf {
    let whole = || path.canonicalize();
    let by_folder = |_| {
        let absolute = std::path::absolute(path)?;
        let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else { return Ok(absolute) };
        Ok(folder.canonicalize()?.join(name))
    };
    whole().or_else(by_folder).unwrap_or_else(|_: std::io::Error| path.to_owned())
}

const PASSING_STORE: &str = "what is played goes to a temporary store, which is removed at the end: \
    set ELORA_DB_PATH to keep it";

/// How an item of a list of sources is read.
type Reader = fn(&str) -> Result<Channel, SourceError>;

struct Loader {
    pairs: Vec<Pair>,
    errors: Vec<Error>,
}

impl Loader {
    /// One section by its prefix. Each pair is first tried alone, because serde stops at the first error.
    fn section<T: DeserializeOwned + Default>(&mut self, prefix: &str) -> T {
        let pairs = self.pairs.iter().filter(|pair| pair.field.starts_with(prefix));
        let mut good = Vec::new();
        for pair in pairs {
            let entry = (pair.field.to_owned(), pair.value.clone());
            match envy::prefixed(prefix).from_iter::<_, T>([entry.clone()]) {
                Ok(_) => good.push(entry),
                Err(error) => self.errors.push(pair.wrong(&error)),
            }
        }
        envy::prefixed(prefix).from_iter(good).unwrap_or_default()
    }

    fn pair(&self, field: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.field == field)
    }

    /// The channels of all lists, each once, in the order given.
    fn sources(&mut self) -> Vec<Channel> {
        let on_twitch = |item: &str| format!("twitch:{}", item.strip_prefix("twitch:").unwrap_or(item)).parse();
        let lists: [(_, Reader); 3] =
            [("sources_twitch", on_twitch), ("sources_youtube", Channel::on_youtube), ("sources_urls", str::parse)];
        let mut seen = BTreeSet::new();
        let mut sources = Vec::new();
        for (field, read) in lists {
            let Some(pair) = self.pair(field).cloned() else { continue };
            for item in value::items(&pair.value) {
                match read(item) {
                    Ok(channel) if seen.insert(channel.to_string()) => sources.push(channel),
                    Ok(_) => {}
                    Err(error) => self.errors.push(pair.wrong(&error)),
                }
            }
        }
        sources
    }

    /// A relative token file lies in the token folder, where one is named.
    fn token_folder(&self, config: &mut Config) {
        if let (Some(folder), Some(file)) = (self.pair("twitch_token_dir"), &config.twitch.token_file) {
            config.twitch.token_file = Some(PathBuf::from(&folder.value).join(file));
        }
    }

    /// What is played must not mix into an archive, unless somebody names a store for it.
    fn passing_store(&self, flags: &Flags, config: &mut Config) {
        let is_named =
            flags.db_path.is_some() || ["store_path", "store_mode"].iter().any(|field| self.pair(field).is_some());
        if config.ingest.driver == DriverKind::Replay && !is_named {
            config.store.mode = Mode::Ephemeral;
            config.remarks.push(PASSING_STORE.to_owned());
        }
    }

    /// Values that are right alone and wrong together.
    fn contradictions(&mut self, config: &Config) {
        let Http { addr, open_local, .. } = &config.http;
        self.contradiction("http_open_local", *open_local && !config.http.is_loopback(), || {
            format!(
                "works only on loopback, and the server would listen on {addr}: \
                 listen on 127.0.0.1, or sign in with `elora-chat token --link`"
            )
        });
        let socket = &config.socket;
        let pong = "socket_pong_wait_ms";
        let pong = if self.pair(pong).is_some() { pong } else { "socket_ping_interval_ms" };
        self.contradiction(pong, socket.pong_wait <= socket.ping_interval, || {
            let (ping, pong) = (socket.ping_interval.as_millis(), socket.pong_wait.as_millis());
            format!("every client would time out: ELORA_WS_PONG_WAIT_MS ({pong}) must be above ELORA_WS_PING_INTERVAL_MS ({ping})")
        });
        let ingest = &config.ingest;
        let base = "ingest_backoff_base_ms";
        let base = if self.pair(base).is_some() { base } else { "ingest_backoff_max_ms" };
        self.contradiction(base, ingest.backoff_base > ingest.backoff_max, || {
            let (base, max) = (ingest.backoff_base.as_millis(), ingest.backoff_max.as_millis());
            format!("ELORA_INGEST_BACKOFF_BASE_MS ({base}) must not be above ELORA_INGEST_BACKOFF_MAX_MS ({max})")
        });
        let has_no_program = ingest.driver == DriverKind::Exec && config.exec.command.is_empty();
        self.contradiction("ingest_driver", has_no_program, || {
            "there is no program to run: set ELORA_EXEC to it and its arguments, separated by commas, \
             such as `my-reader,{url}`"
                .to_owned()
        });
    }

    fn contradiction(&mut self, field: &str, holds: bool, problem: impl FnOnce() -> String) {
        if let Some(pair) = self.pair(field).filter(|_| holds) {
            self.errors.push(pair.wrong(&problem()));
        }
    }
}

/// Names of the listener's address, the strongest first.
const ADDRESS_NAMES: [&str; 4] = ["ELORA_HTTP_ADDR", "ELORA_HTTP_PORT", "HTTP_ADDR", "PORT"];

/// The listener's address from up to two statements: one names the host, one the port.
fn address(flags: &Flags, layers: &Layers) -> Result<SocketAddr, Error> {
    let flag = flags.http_addr.as_ref().map(|value| Pair {
        field: "http_addr",
        name: "--http-addr".to_owned(),
        value: value.trim().to_owned(),
        file: None,
    });
    let (mut host, mut port) = (None, None);
    for pair in flag.into_iter().chain(layers.statements("http_addr", &ADDRESS_NAMES)) {
        let is_port = pair.name.ends_with("PORT");
        let (its_host, its_port) =
            if is_port { (None, Some(port_number(&pair.value))) } else { host_and_port(&pair.value) };
        // What a stronger statement said is not asked of a weaker one.
        let its_host = its_host.filter(|_| host.is_none()).transpose().map_err(|problem| pair.wrong(&problem))?;
        let its_port = its_port.filter(|_| port.is_none()).transpose().map_err(|problem| pair.wrong(&problem))?;
        host = host.or(its_host);
        port = port.or(its_port);
    }
    let default = Http::default().addr;
    Ok(SocketAddr::new(host.unwrap_or(default.ip()), port.unwrap_or(default.port())))
}

type Part<T> = Option<Result<T, &'static str>>;

/// `host`, `host:port` or `:port`. A missing host before a colon is loopback: nobody is let in by leaving it out.
fn host_and_port(text: &str) -> (Part<IpAddr>, Part<u16>) {
    if let Ok(addr) = text.parse::<SocketAddr>() {
        return (Some(Ok(addr.ip())), Some(Ok(addr.port())));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (Some(ip(host)), Some(port_number(port))),
        _ => (Some(ip(text)), None),
    }
}

fn ip(host: &str) -> Result<IpAddr, &'static str> {
    const REMEDY: &str = "not an address to listen on: write 127.0.0.1:8080, 0.0.0.0:8080, [::1]:8080 or :8080";
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().map_err(|_| REMEDY)
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "not a port: write a number from 0 to 65535")
}
