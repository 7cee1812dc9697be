//! Resident memory: of a server that nobody watches, and of each client that only listens. Beside it, the bare
//! broadcast's.

use std::time::Duration;

use super::Plan;
use super::crowd::Crowd;
use super::floor;
use super::machine::{open_files, rss};
use super::report::{Section, short};
use super::scene::{FEED, bare, block_on, ours};
use super::stamp::Clock;
use super::support::server::{Launch, Server};

/// The first ones pay for buffers that all share.
const FIRST: usize = 1000;
const MORE: usize = 4000;
/// Files that are open besides the clients' sockets.
const OTHER_FILES: usize = 200;
/// Until what was started has settled.
const SETTLED: Duration = Duration::from_secs(2);

struct Memory {
    idle_mib: f64,
    client_kib: f64,
    clients: usize,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("memory");
    let clock = Clock::start();
    plan.progress("memory of elora-chat");
    let (server, upstream) = ours(None, clock);
    let mine = weigh(plan, &server, FEED, clock);
    drop((server, upstream));
    plan.progress("memory of the bare broadcast");
    let server = block_on(bare(Launch::new()).start());
    let floor = weigh(plan, &server, floor::PATH, clock);
    section.say(&format!(
        "Idle: listening to one channel, nobody watching. Per client: what the last {} of {} idle ones added.",
        mine.clients - plan.count(FIRST),
        mine.clients
    ));
    let row = |name: &str, memory: &Memory| vec![name.to_owned(), short(memory.idle_mib), short(memory.client_kib)];
    section.table(
        &["server", "RSS idle MiB", "KiB per idle client"],
        &[row("elora-chat", &mine), row("bare broadcast", &floor)],
    );
    section.at_most("RSS idle", 30.0, mine.idle_mib, "MiB");
    section.at_most("RSS per idle client", 4.0, mine.client_kib, "KiB");
    section
}

fn weigh(plan: &Plan, server: &Server, path: &str, clock: Clock) -> Memory {
    let settle = || std::thread::sleep(plan.warm_up(SETTLED));
    settle();
    let idle = rss(server.pid());
    let first = Crowd::connect(server.addr, path, plan.count(FIRST), 0, clock);
    settle();
    let some = rss(server.pid());
    // This process and the server hold one end each.
    let possible = open_files().saturating_sub(OTHER_FILES + FIRST);
    let more = plan.count(MORE).min(possible);
    let rest = Crowd::connect(server.addr, path, more, 0, clock);
    settle();
    let all = rss(server.pid());
    // Nobody was turned away.
    assert_eq!((first.complete(), rest.complete()), (0, 0));
    Memory { idle_mib: idle / 1024.0, client_kib: (all - some) / more as f64, clients: plan.count(FIRST) + more }
}
