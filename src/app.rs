//! The composition root: builds every room, serves them, and closes them in order. The only file that knows everyone.

mod import;

use std::collections::BTreeSet;
use std::future::IntoFuture as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::serve::ListenerExt as _;
use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::chat::Channel;
use crate::config::{self, Config, Current, Mode};
use crate::features::handoff::Courier;
use crate::features::history::{History, Neighbor};
use crate::features::import::Import;
use crate::features::live::Live;
use crate::features::seed::Seed;
use crate::features::settings::{self, Settings};
use crate::features::sources::{Sources, top};
use crate::features::{self, alerts, images, legacy};
use crate::feed::{Forms, Hub, Tailer};
use crate::ingest::{Backoff, Board, Sink, supervise, supervise_each};
use crate::platforms::harvester::Purging;
use crate::platforms::{self, Drivers, Kit, Opened};
use crate::stages::{Running, Stage};
use crate::store::{self, WriterThread};
use crate::telemetry::{self, Metrics};
use crate::web::{self, Guard, Owner, Route, Upstream};

pub use import::import;

/// How long closing may take before whoever is late is named and left behind.
const CLOSING: Duration = Duration::from_secs(10);

/// How long a request that is under way may take once the house closes.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// The rooms, and what has to run for them.
struct House {
    router: Router,
    table: Vec<Route>,
    guard: Guard,
    metrics: Metrics,
    current: Current,
    desk: settings::Desk,
    gnasty: Option<settings::Gnasty>,
    opened: Vec<(&'static str, Opened)>,
    courier: Courier,
    sources: Sources,
    history: History,
    import: Import,
    /// A file of another program where our store was configured.
    old: Option<PathBuf>,
    /// The harvester's file whose reader brings its history in.
    read: Option<PathBuf>,
    tailer: Tailer,
    board: Board,
    queue: mpsc::Sender<store::Entry>,
    writer: WriterThread,
}

/// The stages in the order in which they end.
struct Stages {
    /// Those who listen to platforms, and the listener for clients.
    intake: Stage,
    listener: Stage,
    /// The writer ends by itself when nobody can send it anything any more.
    writer: Stage,
    /// From the store to the hub.
    pipeline: Stage,
    sockets: Stage,
    running: Running,
    /// Somebody essential has ended unasked.
    alarm: CancellationToken,
}

impl Stages {
    fn new() -> Self {
        let (running, alarm) = (Running::default(), CancellationToken::new());
        let stage = || Stage::new(&running, &alarm);
        let (intake, listener, writer, pipeline, sockets) = (stage(), stage(), stage(), stage(), stage());
        Self { intake, listener, writer, pipeline, sockets, running, alarm }
    }
}

/// Every route with who may use it.
pub async fn table(config: &Config) -> anyhow::Result<Vec<Route>> {
    let House { table, queue, mut writer, .. } = build(config, &Stages::new()).await?;
    drop(queue);
    // A temporary store is removed when its writer ends, which must not be cut short.
    writer.ended().await;
    Ok(table)
}

/// Serves until a signal, or until something essential ends by itself.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let stages = Stages::new();
    let signal = signal();
    let addr = config.http.addr;
    let listener = bind(addr).await?;
    let addr = listener.local_addr()?;
    let mut house = build(&config, &stages).await?;
    // Before those who read the files.
    house.courier.begin().await;
    telemetry::summarize(&config, &house.current.now());
    let guard = house.guard.clone();
    let sink = start(house, listener, &stages);
    announce(&guard, addr);

    let failed = tokio::select! {
        () = signal => false,
        () = stages.alarm.cancelled() => true,
    };
    tracing::info!("stopping");
    if tokio::time::timeout(CLOSING, close(&stages, sink)).await.is_err() {
        let late = stages.running.names().join(", ");
        anyhow::bail!("still busy after {} s: {late}", CLOSING.as_secs());
    }
    tracing::info!("stopped");
    if failed { anyhow::bail!("a part of the program ended by itself; the log says which") } else { Ok(()) }
}

async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => "stop what does, or set ELORA_HTTP_ADDR",
            io::ErrorKind::PermissionDenied => {
                "this user may not use that port; set ELORA_HTTP_ADDR to one from 1024 on"
            }
            io::ErrorKind::AddrNotAvailable => "this machine has no such address; set ELORA_HTTP_ADDR to one it has",
            _ => "set ELORA_HTTP_ADDR to another address",
        };
        anyhow::Error::new(error).context(format!("cannot listen on {addr}: {remedy}"))
    })
}

async fn build(config: &Config, stages: &Stages) -> anyhow::Result<House> {
    let metrics = Metrics::new();
    let store::Opened { db, queue, writer } = store::open(&config.store, config.ingest.queue, &metrics)?;
    let owner = Owner::open(&config.store, db.clone())?;
    let old = old_file(config, &db);
    let old_settings = old.as_deref().and_then(features::import::old_settings);
    // Whoever reads a harvester's file brings its history in, too, and alone knows where that ends and news begin.
    let read = config.reads_harvester().then(|| config.harvester_file().to_owned());
    let old = old.filter(|old| Some(old) != read.as_ref());
    let mut settings = Settings::open(config, &db, old_settings).await?;
    let current = settings.current();
    let guard = Guard::new(&config.http, current.clone(), owner);
    let forms = Forms { settings: current.clone(), serialized: metrics.serialized() };
    let head = db.committed().borrow().last;
    let hub = Hub::new(head, *db.purged().borrow());
    let tailer = Tailer::new(db.clone(), hub.clone(), forms.clone(), metrics.clone(), config.feed.clone());
    let board = Board::default();
    let purging = Purging::default();
    let kit = Kit { current: current.clone(), marks: db.marks().await?, purging: purging.clone() };
    let opened: Vec<_> = platforms::ALL.iter().filter_map(|(name, open)| Some((*name, open(config, &kit)?))).collect();
    let answering = opened.iter().filter(|(_, opened)| !matches!(opened.drivers, Drivers::Beside(_)));
    let heard = answering.flat_map(|(_, opened)| opened.hears).cloned().collect();
    let sources = Sources::open(db.clone(), hub.clone(), board.clone(), config.sources.clone(), heard)
        .await
        .with_context(|| format!("{} cannot take the list of sources", db.path().display()))?;
    sources.adopt(settings.adopted()).await?;
    let wanted = sources.clone();
    let import = Import::new(db.clone(), hub.clone(), Arc::new(move || wanted.channels()));
    let live = Live::new(config, db.clone(), hub, forms, metrics.clone(), stages.sockets.clone());
    let history = History::open(db.clone(), stages.intake.clone(), neighbor(config, &current, purging)).await?;
    let upstream = Upstream::new();
    let courier = Courier::new(config, db.clone(), upstream.clone());
    let settings = settings.serve(config, db.clone(), list(&sources), upstream.clone());
    let routes = web::routes(&db, &guard, &metrics)
        .merge(settings.routes)
        .merge(sources.routes())
        .merge(live.routes())
        .merge(history.routes(&config.dev))
        .merge(import.routes())
        .merge(alerts::routes(&db))
        .merge(Seed::new(queue.downgrade()).routes(&config.dev))
        .merge(legacy::routes(config, current.clone()))
        .merge(images::routes(&config.images, upstream.clone(), stages.sockets.clone()))
        .merge(top::routes(config, upstream));
    let table = routes.table().to_vec();
    let router = web::finish(routes, &guard, &metrics);
    let (desk, gnasty) = (settings.desk, settings.gnasty);
    Ok(House {
        router,
        table,
        guard,
        metrics,
        current,
        desk,
        gnasty,
        opened,
        courier,
        sources,
        history,
        import,
        old,
        read,
        tailer,
        board,
        queue,
        writer,
    })
}

/// The file that was configured for the store and holds another program's messages: then our store lies beside it.
fn old_file(config: &Config, db: &store::Db) -> Option<PathBuf> {
    let configured = &config.store.path;
    let is_beside = config.store.mode == Mode::Persistent && db.path() != configured.as_path();
    is_beside.then(|| configured.clone())
}

/// What a purge does with a harvester's file.
fn neighbor(config: &Config, current: &Current, purging: Purging) -> Neighbor {
    let (path, is_driver, current) =
        (config.harvester_file().to_owned(), config.harvester_is_driver(), current.clone());
    Neighbor {
        is_read: Arc::new(move || is_driver || current.now().tailer.enabled),
        purge: Arc::new(move |before| {
            let (purging, path) = (purging.clone(), path.clone());
            async move { Ok(purging.purge(path, before).await?) }.boxed()
        }),
    }
}

/// What the settings may do with the list of sources.
fn list(sources: &Sources) -> settings::List {
    let sources = sources.clone();
    settings::List {
        first: Sources::first,
        replace: Sources::replace_first,
        change: Arc::new(move |change| {
            let sources = sources.clone();
            async move { sources.change_with(change).await }.boxed()
        }),
    }
}

/// Starts everything that runs by itself. What is returned keeps the writer waiting for more.
fn start(house: House, listener: TcpListener, stages: &Stages) -> Sink {
    let House { router, metrics, current, desk, gnasty, opened, courier, sources, history, tailer, board, .. } = house;
    let (queue, mut writer, import) = (house.queue, house.writer, house.import);
    let sink = Sink::new(queue, board);
    listen(opened, &current.now(), &sources, &sink, &stages.intake);
    stages.intake.spawn("handoff", courier.run(stages.intake.stop.clone()));
    stages.intake.spawn("settings", desk.run(stages.intake.stop.clone()));
    if let Some(gnasty) = gnasty {
        stages.intake.spawn("gnasty", gnasty.run(stages.intake.stop.clone()));
    }
    if let Some(read) = house.read {
        stages.intake.spawn_guest("import", import.clone().follow(read, stages.intake.stop.clone()));
    }
    if let Some(old) = house.old {
        stages.intake.spawn_guest("import", import.run(old, stages.intake.stop.clone()));
    }
    stages.intake.spawn("sources", sources.announce(metrics, stages.intake.stop.clone()));
    history.resume();
    let stop = stages.writer.stop.clone();
    stages.writer.spawn("writer", async move {
        writer.ended().await;
        // Ending is its answer to everybody having left, not a failure.
        if !stop.is_cancelled() {
            tracing::error!("the writer ended");
        }
    });
    stages.pipeline.spawn("tailer", tailer.run(stages.pipeline.stop.clone()));
    let stop = stages.listener.stop.clone();
    stages.listener.spawn("listener", async move {
        // Small frames must not wait for each other.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let cut_off = async {
            stop.cancelled().await;
            tokio::time::sleep(UNDER_WAY).await;
        };
        tokio::select! {
            served = served.into_future() => if let Err(error) = served {
                tracing::error!(%error, "the listener failed");
            },
            // Whoever never finishes asking must not hold up the end.
            () = cut_off => tracing::debug!("requests that are still under way are left behind"),
        }
    });
    sink
}

fn listen(
    opened: Vec<(&'static str, Opened)>,
    settings: &config::Settings,
    sources: &Sources,
    sink: &Sink,
    intake: &Stage,
) {
    for (name, Opened { hears, drivers }) in opened {
        // Filled before the driver starts: what it hears first has its channel, too.
        let first = sources.channels().into_iter().filter(|channel| hears.contains(&channel.platform));
        let (list, wanted) = watch::channel(first.collect::<BTreeSet<Channel>>());
        intake.spawn("sources", sources.clone().follow(hears, list, intake.stop.clone()));
        let backoff = Backoff::new(settings.backoff_base, settings.backoff_max);
        let (sink, restarts, stop) = (sink.clone(), sources.restarts(), intake.stop.clone());
        match drivers {
            Drivers::One(driver) => intake.spawn(name, supervise(name, driver, wanted, sink, backoff, restarts, stop)),
            Drivers::Beside(driver) => {
                intake.spawn(name, supervise(name, driver, wanted, sink.beside(), backoff, restarts, stop));
            }
            Drivers::Each(make) => {
                intake.spawn(name, supervise_each(name, make, wanted, sink, backoff, restarts, stop));
            }
        }
    }
}

/// Says where it listens, and prints the link that signs the owner in.
fn announce(guard: &Guard, addr: SocketAddr) {
    tracing::info!("listening on http://{addr}");
    let here = match addr.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port()),
        _ => addr,
    };
    // Nobody may be reading.
    let _ = writeln!(io::stdout(), "open {}", guard.link(&format!("http://{here}")));
}

/// Each stage ends before the next is told to.
async fn close(stages: &Stages, sink: Sink) {
    stages.listener.stop.cancel();
    stages.intake.end().await;
    stages.writer.stop.cancel();
    drop(sink);
    stages.writer.end().await;
    stages.pipeline.end().await;
    stages.sockets.end().await;
    stages.listener.end().await;
}

/// The handler is there from this call on, not only once somebody waits.
fn signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let handler = |kind| signal(kind).expect("a handler can be installed at start-up");
    let (mut terminate, mut interrupt) = (handler(SignalKind::terminate()), handler(SignalKind::interrupt()));
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
