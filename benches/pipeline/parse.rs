//! How long a PRIVMSG line takes until every field of it is read: ours beside the crates `tmi` and `twitch-irc`.
//!
//! All read the same lines in turns within one run, so that a busy machine slows them alike: read the ratios.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use elora_chat::chat::Millis;
use elora_chat::platforms::twitch::irc::Line;
use elora_chat::platforms::twitch::privmsg::Privmsg;
use elora_chat::platforms::twitch::{Heard, decode};
use twitch_irc::message::{IRCMessage, ServerMessage};

use super::Plan;
use super::report::{Section, median, percentile, short};

/// How long one parser works before it is the next one's turn: short against the scheduler's slices.
const TURN: Duration = Duration::from_millis(1);

/// Reads one line into what the parser makes of it; false if it refuses.
type Read = fn(&str) -> bool;

struct Contender {
    name: &'static str,
    read: Read,
}

/// The first is what the others are held against.
const CONTENDERS: [Contender; 6] = [
    Contender { name: "tmi: typed Privmsg", read: tmi_typed },
    Contender { name: "twitch-irc: ServerMessage", read: twitch_irc_typed },
    Contender { name: "ours: typed Privmsg, all fields", read: ours_typed },
    Contender { name: "ours: event with fragments", read: ours_event },
    Contender { name: "tmi: tags only", read: tmi_tags },
    Contender { name: "ours: tags only", read: ours_tags },
];

fn ours_typed(line: &str) -> bool {
    let message = Line::parse(line).and_then(|line| Privmsg::read(&line));
    black_box(message).is_some()
}

fn ours_event(line: &str) -> bool {
    matches!(black_box(decode(line, Millis(0))), Heard::Event(_))
}

fn ours_tags(line: &str) -> bool {
    let count = Line::parse(line).map_or(0, |line| line.tags.into_iter().map(black_box).count());
    black_box(count) > 0
}

fn tmi_typed(line: &str) -> bool {
    matches!(black_box(tmi::Message::parse(line)), Ok(tmi::Message::Privmsg(_)))
}

fn tmi_tags(line: &str) -> bool {
    black_box(tmi::IrcMessageRef::parse(line)).is_some()
}

fn twitch_irc_typed(line: &str) -> bool {
    let message = IRCMessage::parse(line).ok().and_then(|line| ServerMessage::try_from(line).ok());
    matches!(black_box(message), Some(ServerMessage::Privmsg(_)))
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("parse");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    plan.progress("reading the lines of our fixtures");
    compare(plan, "our fixtures", &lines(&manifest.join("tests/fixtures/twitch")), &mut section);

    let captures =
        std::env::var_os("ELORA_CAPTURES").map_or_else(|| manifest.join("../shared/captures"), PathBuf::from);
    let captures = captures.join("twitch");
    if captures.is_dir() {
        plan.progress("reading captured lines");
        compare(plan, "captures", &lines(&captures), &mut section);
    } else {
        section.say("SKIPPED captures: there are none; set `ELORA_CAPTURES` to their folder.");
    }
    section
}

/// The folder's PRIVMSG lines that every contender reads: a refusal is quick and would flatter.
fn lines(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    // twitch-irc overflows on a range that ends before it begins, and panics where overflow is checked.
    paths.retain(|path| path.file_stem().is_some_and(|name| name != "message_emotes_out_of_range"));
    paths.sort();
    let text: String = paths.iter().map(|path| fs::read_to_string(path).expect("a text file") + "\n").collect();
    let lines = text.lines().filter(|line| line.contains(" PRIVMSG #"));
    let (all, odd): (Vec<_>, Vec<_>) =
        lines.partition(|line| CONTENDERS.iter().all(|contender| (contender.read)(line)));
    for line in odd {
        assert!(ours_typed(line) && ours_event(line), "ours refuses a line: {line}");
    }
    assert!(all.len() > 20, "only {} lines in {} that all can read", all.len(), folder.display());
    all.into_iter().map(str::to_owned).collect()
}

fn compare(plan: &Plan, title: &str, lines: &[String], section: &mut Section) {
    let mut turns: [Vec<f64>; CONTENDERS.len()] = Default::default();
    let end = Instant::now() + plan.round / 2;
    while turns[0].is_empty() || Instant::now() < end {
        for (contender, turns) in CONTENDERS.iter().zip(&mut turns) {
            turns.push(turn(contender.read, lines));
        }
    }
    tell(title, lines, &turns, section);
}

/// Nanoseconds a line, over as many passes as fit into a turn.
fn turn(read: Read, lines: &[String]) -> f64 {
    let start = Instant::now();
    let mut passes = 0_u32;
    while passes == 0 || start.elapsed() < TURN {
        for line in lines {
            black_box(read(black_box(line)));
        }
        passes += 1;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(passes) / count(lines)
}

fn count(lines: &[String]) -> f64 {
    f64::from(u32::try_from(lines.len()).expect("few lines"))
}

fn tell(title: &str, lines: &[String], turns: &[Vec<f64>], section: &mut Section) {
    let bytes = f64::from(u32::try_from(lines.iter().map(String::len).sum::<usize>()).expect("few bytes"));
    let (number, mean, turned) = (lines.len(), bytes / count(lines), turns[0].len());
    section.say(&format!("{number} PRIVMSG lines of {title}, mean {mean:.0} bytes, {turned} turns each:"));
    let medians: Vec<f64> = turns.iter().map(|turns| median(turns)).collect();
    let rows = CONTENDERS.iter().zip(turns).zip(&medians).map(|((contender, turns), median)| {
        let numbers = [percentile(turns, 0.0), *median, median / medians[0], median / medians[1]];
        [contender.name.to_owned()].into_iter().chain(numbers.map(short)).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    section.table(&["parser", "best ns/line", "median", "× tmi typed", "× twitch-irc"], &rows);
    section.at_most(&format!("all fields, {title}, beside tmi typed"), 1.0, medians[2] / medians[0], "×");
    section.at_most(&format!("all fields, {title}, beside twitch-irc"), 0.3, medians[2] / medians[1], "×");
}
