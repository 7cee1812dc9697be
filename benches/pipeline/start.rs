//! From starting the program to its first `/readyz` that says so, with a million rows in the store. Beside it, an
//! empty store, and the bare broadcast.

use std::time::{Duration, Instant};

use super::Plan;
use super::filled::filled;
use super::report::{Section, median, percentile, short};
use super::scene::{bare, block_on};
use super::support::http::Request;
use super::support::server::Launch;

const ROWS: usize = 1_000_000;
const RUNS: usize = 9;
const LOOK_AGAIN: Duration = Duration::from_micros(500);

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("start");
    let rows = plan.count(ROWS);
    plan.progress(&format!("filling a store with {rows} rows"));
    let (full, _) = filled(rows);
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
