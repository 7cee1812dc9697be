//! One client that never reads, among many: what the others notice of it, beside rounds without it.

use std::time::Duration;

use super::Plan;
use super::feed::{RATE, say_within};
use super::machine::Cores;
use super::report::{Section, median, percentile, ratio, short};
use super::scene::{FEED, Scene, block_on};
use super::stamp::Clock;
use super::support::feed::upgrade_narrow;

/// More than the system's buffers between the server and one client hold.
const STUFFING: u32 = 8000;
/// Longer than the server's patience with somebody who takes nothing, so that a round sees it give up, too.
const LONGER_THAN_PATIENCE: Duration = Duration::from_secs(13);
const GIVEN_UP: &str = r#"elora_fanout_dropped_total{kind="feed"}"#;

#[derive(Default)]
struct Results {
    p50: Vec<f64>,
    p99: Vec<f64>,
    max: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("slow");
    let (cores, clock) = (Cores::part(), Clock::start());
    let (mut scene, _) = Scene::ours(&cores, plan.clients - 1, clock);
    let rounds = plan.rounds.min(5);
    let mut results = [Results::default(), Results::default()];
    for round in 0..rounds {
        for n in [round % 2, (round + 1) % 2] {
            let with = if n == 0 { "with" } else { "without" };
            plan.progress(&format!("{with} one that never reads, round {} of {rounds}", round + 1));
            one_round(plan, &mut scene, n == 0, &mut results[n]);
        }
    }
    let [with, without] = &results;
    section.say(cores.describe());
    section.say(&format!(
        "{} clients that read, {RATE} messages a second, {rounds} rounds each. Before each round {STUFFING} messages fill \
         what the system buffers for the one that does not read, and in the middle of it the server gives up on that one:",
        plan.clients - 1
    ));
    let row = |name: &str, r: &Results| {
        [name.to_owned()].into_iter().chain([&r.p50, &r.p99, &r.max].map(|n| short(median(n)))).collect()
    };
    section.table(
        &["the others", "p50 ms", "p99 ms", "longest ms"],
        &[row("without it", without), row("with one that never reads", with)],
    );
    section.at_most("p99 of the others, beside rounds without it", 1.5, ratio(&with.p99, &without.p99), "×");
    section
}

fn one_round(plan: &Plan, scene: &mut Scene, is_there: bool, results: &mut Results) {
    let given_up = block_on(scene.server.metric(GIVEN_UP));
    let stuck = is_there.then(|| block_on(upgrade_narrow(scene.server.addr, FEED)));
    say_within(scene, if plan.is_bench { STUFFING } else { STUFFING / 20 });
    scene.crowd.begin(true);
    scene.upstream.pace(RATE, if plan.is_bench { LONGER_THAN_PATIENCE.max(plan.round) } else { plan.round });
    scene.crowd.wait(scene.upstream.next);
    let latencies: Vec<f64> =
        scene.crowd.counted().latencies.iter().map(|&micros| f64::from(micros) / 1000.0).collect();
    results.p50.push(percentile(&latencies, 0.5));
    results.p99.push(percentile(&latencies, 0.99));
    results.max.push(percentile(&latencies, 1.0));
    if stuck.is_some() && plan.is_bench {
        let now = block_on(scene.server.metric(GIVEN_UP));
        assert!(now > given_up, "the server never noticed the one that does not read: {given_up} before, {now} now");
    }
}
