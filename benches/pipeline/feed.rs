//! From a line that Twitch writes to a frame that a client reads, with many clients: at the rate of a busy chat, and
//! as fast as it goes. Beside it, a bare broadcast of the same bytes.

use std::time::{Duration, Instant};

use super::Plan;
use super::machine::{Cores, cpu};
use super::report::{Section, median, percentile, ratio, short};
use super::scene::Scene;
use super::stamp::Clock;

/// Messages a second: a busy chat.
pub const RATE: u32 = 150;
/// Before each measurement, so that it finds everything as it is in the middle of work.
const WARM_UP: Duration = Duration::from_secs(1);
/// Messages under way at most, and in one write, when it goes as fast as it can.
const WINDOW: u32 = 512;
const STEP: u32 = 64;
const LOOK_AGAIN: Duration = Duration::from_micros(200);

/// One contender's results, a number a round.
#[derive(Default)]
struct Results {
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// Processor microseconds of the server per delivery.
    cost: Vec<f64>,
    per_second: Vec<f64>,
    events_per_frame: Vec<f64>,
    /// How much came together in one read of a client.
    events_per_read: Vec<f64>,
    bytes: Vec<f64>,
    busy: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("feed");
    let (cores, clock) = (Cores::part(), Clock::start());
    let alone = alone(plan, &cores, clock);
    let (mut ours, recorded) = Scene::ours(&cores, plan.clients, clock);
    let mut floor = Scene::floor(&cores, plan.clients, recorded, clock);
    section.say(cores.describe());
    at_rate(plan, &mut ours, &mut floor, &mut section);
    section.say(&format!(
        "With one client, a message costs ours {} µs and the bare broadcast {} µs. What ours has to do for a message however \
         many watch is {} µs of each delivery above.",
        short(alone[0]),
        short(alone[1]),
        short((alone[0] - alone[1]) / plan.clients as f64)
    ));
    saturated(plan, &mut ours, &mut floor, &mut section);
    section
}

/// Processor microseconds a message where one client watches, of ours and of the bare broadcast.
fn alone(plan: &Plan, cores: &Cores, clock: Clock) -> [f64; 2] {
    plan.progress(&format!("one client at {RATE} msg/s"));
    let (mut ours, recorded) = Scene::ours(cores, 1, clock);
    let mut floor = Scene::floor(cores, 1, recorded, clock);
    [&mut ours, &mut floor].map(|scene| {
        let mut results = Results::default();
        pace(plan, scene, &mut results);
        median(&results.cost)
    })
}

fn at_rate(plan: &Plan, ours: &mut Scene, floor: &mut Scene, section: &mut Section) {
    let mut results = [Results::default(), Results::default()];
    for round in 0..plan.rounds {
        plan.progress(&format!("feed at {RATE} msg/s, round {} of {}", round + 1, plan.rounds));
        // Who begins takes turns too.
        for n in [round % 2, (round + 1) % 2] {
            let scene = if n == 0 { &mut *ours } else { &mut *floor };
            pace(plan, scene, &mut results[n]);
        }
    }
    let [mine, bare] = &results;
    section.say(&format!("{} clients, {RATE} messages a second, {} rounds each:", plan.clients, plan.rounds));
    let row = |name: &str, r: &Results| {
        let columns = [&r.p50, &r.p99, &r.cost, &r.busy, &r.events_per_frame, &r.events_per_read, &r.bytes];
        std::iter::once(name.to_owned()).chain(columns.map(|numbers| short(median(numbers)))).collect()
    };
    section.table(
        &["server", "p50 ms", "p99 ms", "CPU µs/delivery", "cores busy", "events/frame", "events/read", "bytes/event"],
        &[row("elora-chat", mine), row("bare broadcast", bare)],
    );
    section.at_most("p99 at 150 msg/s, beside the bare broadcast", 1.5, ratio(&mine.p99, &bare.p99), "×");
    section.at_most("CPU per delivery at 150 msg/s, beside it", 1.1, ratio(&mine.cost, &bare.cost), "×");
}

fn pace(plan: &Plan, scene: &mut Scene, results: &mut Results) {
    scene.upstream.pace(RATE, plan.warm_up(WARM_UP));
    scene.crowd.wait(scene.upstream.next);
    scene.crowd.begin(true);
    let (before, began) = (cpu(scene.server.pid()), Instant::now());
    scene.upstream.pace(RATE, plan.round);
    scene.crowd.wait(scene.upstream.next);
    let (spent, took) = (cpu(scene.server.pid()) - before, began.elapsed());
    let counts = scene.crowd.counted();
    let latencies: Vec<f64> = counts.latencies.iter().map(|&micros| f64::from(micros) / 1000.0).collect();
    results.p50.push(percentile(&latencies, 0.5));
    results.p99.push(percentile(&latencies, 0.99));
    results.add(spent, took, &counts);
}

/// Which of them, and how many events the bare broadcast gets in one frame: as many as ours makes, or one.
#[derive(Clone, Copy)]
enum Contender {
    Ours,
    BareJoined,
    BareSingle,
}

fn saturated(plan: &Plan, ours: &mut Scene, floor: &mut Scene, section: &mut Section) {
    const ORDER: [Contender; 3] = [Contender::Ours, Contender::BareJoined, Contender::BareSingle];
    let mut results = [Results::default(), Results::default(), Results::default()];
    for round in 0..plan.rounds {
        plan.progress(&format!("feed saturated, round {} of {}", round + 1, plan.rounds));
        for contender in ORDER {
            let joined = results[0].events_per_frame.last().copied().unwrap_or(1.0);
            let scene = if matches!(contender, Contender::Ours) { &mut *ours } else { &mut *floor };
            scene.upstream.join(if matches!(contender, Contender::BareJoined) { joined.round() as u32 } else { 1 });
            flood(plan, scene, &mut results[contender as usize]);
        }
    }
    let [mine, joined, single] = &results;
    section.say(&format!(
        "{} clients, as fast as it goes: {STEP} messages at a time, at most {WINDOW} that not all clients have yet:",
        plan.clients
    ));
    let row = |name: &str, r: &Results| {
        let columns = [&r.per_second, &r.cost, &r.busy, &r.events_per_frame, &r.events_per_read, &r.bytes];
        let per_core = short(1e6 / median(&r.cost));
        let cells = columns.map(|numbers| short(median(numbers)));
        [name.to_owned(), cells[0].clone(), per_core].into_iter().chain(cells[1..].iter().cloned()).collect()
    };
    section.table(
        &[
            "server",
            "deliveries/s",
            "per CPU second",
            "CPU µs/delivery",
            "cores busy",
            "events/frame",
            "events/read",
            "bytes/event",
        ],
        &[
            row("elora-chat", mine),
            row("bare broadcast, as many events a frame", joined),
            row("bare broadcast, one event a frame", single),
        ],
    );
    let cost = ratio(&mine.cost, &joined.cost);
    section.at_most("CPU per delivery saturated, beside as many events a frame", 1.1, cost, "×");
    section.at_least("deliveries per CPU second", 1e6, 1e6 / median(&mine.cost), "/s");
}

/// Says as much as the window takes, for one round. What lies before and after it is not counted.
fn flood(plan: &Plan, scene: &mut Scene, results: &mut Results) {
    keep_full(scene, plan.warm_up(WARM_UP));
    scene.crowd.begin(false);
    let (before, began) = (cpu(scene.server.pid()), Instant::now());
    keep_full(scene, plan.round / 2);
    let (counts, took) = (scene.crowd.counted(), began.elapsed());
    results.add(cpu(scene.server.pid()) - before, took, &counts);
    scene.crowd.wait(scene.upstream.next);
}

fn keep_full(scene: &mut Scene, duration: Duration) {
    let began = Instant::now();
    while began.elapsed() < duration {
        say_more(scene);
    }
}

/// Says so many messages, never more at a time than clients who read can take.
pub fn say_within(scene: &mut Scene, count: u32) {
    let end = scene.upstream.next + count;
    while scene.upstream.next < end {
        say_more(scene);
    }
    scene.crowd.wait(scene.upstream.next);
}

/// Says as much as the window takes, or waits a moment.
fn say_more(scene: &mut Scene) {
    let joined = scene.upstream.joined();
    // Whole frames.
    let step = STEP.div_ceil(joined) * joined;
    if scene.upstream.next - scene.crowd.complete() + step <= WINDOW {
        scene.upstream.say(step);
    } else {
        std::thread::sleep(LOOK_AGAIN);
    }
}

impl Results {
    fn add(&mut self, spent: Duration, took: Duration, counts: &super::crowd::Counts) {
        let deliveries = counts.deliveries as f64;
        self.cost.push(spent.as_secs_f64() * 1e6 / deliveries);
        self.busy.push(spent.as_secs_f64() / took.as_secs_f64());
        self.per_second.push(deliveries / took.as_secs_f64());
        self.events_per_frame.push(deliveries / counts.frames as f64);
        self.events_per_read.push(deliveries / counts.reads as f64);
        self.bytes.push(counts.bytes as f64 / deliveries);
    }
}
