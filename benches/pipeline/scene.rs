//! A server with what feeds it and who watches it: ours with a stand-in Twitch, or the bare broadcast.

use std::future::Future;

use futures_util::StreamExt as _;

use super::crowd::Crowd;
use super::floor;
use super::machine::Cores;
use super::stamp::Clock;
use super::support::feed::upgrade;
use super::support::server::{Launch, Server};
use super::support::soon;
use super::upstream::{DIFFERENT, Listener, Recorded, Upstream};

/// Nothing from before.
pub const FEED: &str = "/api/feed?last=0";

/// A server, its source, and its clients.
pub struct Scene {
    pub server: Server,
    pub upstream: Upstream,
    pub crowd: Crowd,
}

/// Waits for what the kit of the tests does.
pub fn block_on<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(what)
}

/// Ours, listening to a stand-in.
pub fn ours(cores: Option<&Cores>, clock: Clock) -> (Server, Upstream) {
    let listener = Listener::start();
    let launch = Launch::new()
        .env("TWITCH_IRC_URL", &format!("ws://{}", listener.addr()))
        .env("TWITCH_CHANNELS", "room")
        .wrapped(cores.map_or(&[], Cores::wrapper));
    let server = block_on(launch.start());
    (server, listener.chat(clock))
}

/// The bare broadcast, with nothing to pass on.
pub fn bare(launch: Launch) -> Launch {
    launch.program(std::env::current_exe().expect("this program has a path")).arg(floor::ARGUMENT)
}

impl Scene {
    pub fn ours(cores: &Cores, clients: usize, clock: Clock) -> (Self, Vec<Recorded>) {
        let (server, mut upstream) = ours(Some(cores), clock);
        let recorded = block_on(record(&server, &mut upstream));
        let crowd = Crowd::connect(server.addr, FEED, clients, upstream.next, clock);
        (Self { server, upstream, crowd }, recorded)
    }

    pub fn floor(cores: &Cores, clients: usize, recorded: Vec<Recorded>, clock: Clock) -> Self {
        let source = Listener::start();
        let launch = bare(Launch::new().wrapped(cores.wrapper())).env(floor::SOURCE, &source.addr().to_string());
        let server = block_on(launch.start());
        let upstream = source.frames(recorded, clock);
        let crowd = Crowd::connect(server.addr, floor::PATH, clients, 0, clock);
        Self { server, upstream, crowd }
    }
}

/// Says each of the different texts once, and gives the frames the feed makes of them.
async fn record(server: &Server, upstream: &mut Upstream) -> Vec<Recorded> {
    let mut socket = upgrade(server.addr, FEED, &[]).await.expect("a viewer is let in");
    let mut recorded = Vec::new();
    while recorded.len() < DIFFERENT {
        upstream.say(1);
        let frame = loop {
            let message = soon("a frame of events", socket.next()).await.expect("the feed goes on").expect("a frame");
            let text = message.into_text().expect("frames are texts");
            if text.starts_with(r#"{"type":"events""#) {
                break text;
            }
        };
        recorded.push(Recorded::new(&frame));
    }
    recorded
}
