//! From starting the program to its first `/readyz` that says so, with a million rows in the store. Beside it, an
//! empty store, and the bare broadcast.

use std::time::{Duration, Instant};

use super::Plan;
use super::report::{Section, median, percentile, short};
use super::scene::{bare, block_on, ours};
use super::stamp::Clock;
use super::support::http::Request;
use super::support::server::{Launch, Server};

const ROWS: usize = 1_000_000;
const RUNS: usize = 9;
const LOOK_AGAIN: Duration = Duration::from_micros(500);
/// Every row a copy of the one that came in, but for its id and time.
const FILL: &str = "
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
    insert into events (platform, kind, native_id, channel_id, author_id, at, received_at, text, body)
    select platform, kind, lower(hex(randomblob(16))), channel_id, author_id, at + i, received_at + i, text, body
    from n, (select * from events where kind = 'message' order by id limit 1)";

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("start");
    let rows = plan.count(ROWS);
    plan.progress(&format!("filling a store with {rows} rows"));
    let full = filled(rows);
    let runs = if plan.is_bench { RUNS } else { 2 };
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let launches = [full, Launch::new(), bare(Launch::new())];
    for run in 0..runs {
        plan.progress(&format!("start {} of {runs}", run + 1));
        for (launch, times) in launches.iter().zip(&mut times) {
            times.push(block_on(start(launch.clone())));
        }
    }
    let row = |name: &str, times: &[f64]| vec![name.to_owned(), short(median(times)), short(percentile(times, 1.0))];
    section.say(&format!("{runs} runs each, the file in the system's cache:"));
    section.table(
        &["server", "median ms", "longest ms"],
        &[
            row(&format!("elora-chat, {} rows", short(rows as f64)), &times[0]),
            row("elora-chat, empty store", &times[1]),
            row("bare broadcast", &times[2]),
        ],
    );
    section.at_most("start to ready with 1 M rows", 100.0, median(&times[0]), "ms");
    section
}

/// A store of the program's own making, with that many copies of a line it heard.
fn filled(rows: usize) -> Launch {
    let (server, mut upstream) = ours(None, Clock::start());
    upstream.say(1);
    block_on(stored(&server));
    let launch = server.launch().clone();
    let ended = block_on(server.stop());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let mut store = rusqlite::Connection::open(launch.db_path()).expect("the store opens");
    let filling = store.transaction().expect("the store is free");
    let filled =
        filling.execute(FILL, [i64::try_from(rows).expect("not so many rows")]).expect("the rows fit the schema");
    filling.commit().expect("the rows are kept");
    assert_eq!(filled, rows);
    // A start with nothing to listen to, as the others.
    launch.env("TWITCH_CHANNELS", "").env("ELORA_INGEST_DRIVER", "none")
}

/// Waits until the line is in the store.
async fn stored(server: &Server) {
    let began = Instant::now();
    while server.column::<i64>("select count(*) from events where kind = 'message'") != [1] {
        assert!(began.elapsed() < Duration::from_secs(10), "a line comes into the store");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Milliseconds until it is ready. It is asked to stop afterwards, so that each start finds a clean end.
async fn start(launch: Launch) -> f64 {
    let began = Instant::now();
    let server = launch.start().await;
    while Request::get("/readyz").send(server.addr).await.status != 200 {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let took = began.elapsed();
    server.stop().await;
    took.as_secs_f64() * 1000.0
}
