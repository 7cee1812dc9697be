//! What the whole way costs, from a chat line to a client's frame: each number beside a peer or a floor that was
//! measured in the same run, in turns. Prints Markdown.
//!
//! `--only feed,slow,ingest,export,purge,import,harvester,memory,start,parse` measures some of it, `--seconds N` says how long a round takes, and
//! `--into FILE` puts the results into a document. Without `--bench`, which cargo adds where it benches, everything
//! runs small and short: whether every client gets every message in order is asserted, and never a time.

mod crowd;
mod export;
mod feed;
mod filled;
mod floor;
mod harvester;
mod import;
mod ingest;
mod machine;
mod memory;
mod parse;
mod purge;
mod report;
mod scan;
mod scene;
mod slow;
mod stamp;
mod start;
#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests' kit, of which a bench needs a part")]
mod support;
mod upstream;

use std::path::{Path, PathBuf};
use std::time::Duration;

use report::Section;

type Measure = fn(&Plan) -> Section;

const MEASUREMENTS: [(&str, Measure); 10] = [
    ("parse", parse::measure),
    ("feed", feed::measure),
    ("slow", slow::measure),
    ("ingest", ingest::measure),
    ("export", export::measure),
    ("purge", purge::measure),
    ("import", import::measure),
    ("harvester", harvester::measure),
    ("memory", memory::measure),
    ("start", start::measure),
];

/// A short run does this part of what is counted.
const SHORT: usize = 50;

/// How much is done.
pub struct Plan {
    /// Whether times count, or only whether everything works.
    pub is_bench: bool,
    pub clients: usize,
    pub rounds: usize,
    pub round: Duration,
}

impl Plan {
    fn read(args: &[String]) -> Self {
        let is_bench = args.iter().any(|arg| arg == "--bench");
        let seconds = value(args, "--seconds").map(|seconds| seconds.parse::<f64>().expect("--seconds takes a number"));
        let (clients, rounds, usual) = if is_bench { (500, 9, 4.0) } else { (50, 1, 0.5) };
        Self { is_bench, clients, rounds, round: Duration::from_secs_f64(seconds.unwrap_or(usual)) }
    }

    /// A warm-up, which a short run shortens.
    pub fn warm_up(&self, usual: Duration) -> Duration {
        usual.min(self.round / 4)
    }

    /// How many of something, of which a short run has few.
    pub fn count(&self, usual: usize) -> usize {
        if self.is_bench { usual } else { usual / SHORT }
    }

    pub fn progress(&self, what: &str) {
        if self.is_bench {
            eprintln!("{what}");
        }
    }
}

fn main() {
    if let Some(path) = std::env::var_os(support::harvester::ROLE) {
        return support::harvester::run(Path::new(&path));
    }
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == floor::ARGUMENT) {
        return floor::run();
    }
    let plan = Plan::read(&args);
    let only = value(&args, "--only");
    let document = value(&args, "--into").map(PathBuf::from);
    let chosen = |name: &str| only.is_none_or(|only| only.split(',').any(|one| one == name));
    for (name, measure) in MEASUREMENTS.iter().filter(|(name, _)| chosen(name)) {
        let section = measure(&plan);
        if plan.is_bench {
            println!("\n## {name}\n\n{}", section.markdown());
        } else {
            println!("{name}: works");
        }
        if let Some(document) = &document {
            section.write_into(document);
        }
    }
}

/// What follows a flag.
fn value<'a>(args: &'a [String], flag: &str) -> Option<&'a str> {
    let at = args.iter().position(|arg| arg == flag)?;
    Some(args.get(at + 1).unwrap_or_else(|| panic!("{flag} takes a value")))
}
