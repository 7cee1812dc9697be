//! The reading itself, a step at a time: what is new in the file, what was changed in it, and what is history. Blocks,
//! for as long as a short query takes; is told what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file::{Manners, Moment, SharedFile, Trouble, Version};
use super::offsets::{self, Offset};
use super::progress::Progress;
use super::sql::{self, Line};
use crate::chat::{Channel, Edited, Kind, Millis, NewEvent, Target};
use crate::dialects::{Row, Unreadable, stamp};

/// Rows of history in one step.
const PAGE: u32 = 500;
/// Rows that are told once more when a run begins, as they may have been changed meanwhile.
const RECALLED: usize = 2_000;
/// The newest rows are looked through for changes: an upsert of an older one is not noticed before the next start.
const SWEPT: u32 = 10_000;
/// Most changed rows told after one sweep; the next sweep finds the others.
const CHANGED: usize = 500;
/// Sweeps take at most one part of so many of the time.
const SWEEP_SHARE: u32 = 20;
/// Even a file that nobody touched is looked into so often: its times may not tell everything.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Of the rows that were written while nobody read along, those that were sent in this time are news: who looks at a
/// chat after a pause still wants the end of it. In milliseconds.
const RECENT: i64 = 60 * 60 * 1000;

/// What a step is to heed.
pub struct Wish {
    /// Most rows at once.
    pub most: u32,
    pub manners: Manners,
    pub now: Millis,
    /// The channels that rows may be of which do not say it.
    pub wanted: BTreeSet<Channel>,
    /// Where the earlier reader kept its place, if that counts.
    pub offset: Option<PathBuf>,
}

/// What a step found, in order.
#[derive(Default)]
pub struct Found {
    pub told: Vec<Told>,
    /// There is more to read at once.
    pub is_full: bool,
    /// Rows that could not be read, and one of them.
    pub unreadable: usize,
    pub example: Option<(i64, Unreadable)>,
}

pub enum Told {
    News(NewEvent),
    /// Heard before, or long ago: no sign of life.
    Again(NewEvent),
}

pub struct Reader {
    file: SharedFile,
    /// None until the file was first read.
    progress: Option<Progress>,
    /// What the newest rows said when they were last looked at.
    said: BTreeMap<i64, u64>,
    swept: Option<Version>,
    sweep_at: Instant,
    /// When the file was last read to its end, and what version it then was.
    looked: Option<(Instant, Version)>,
    /// What is left to be told once more: rows below this one, and how many.
    recall: Option<(i64, usize)>,
    /// Rows come up that were written while nobody read along.
    is_behind: bool,
    /// There was no table yet.
    was_absent: bool,
    /// When the row of history was sent that was told last.
    about: Option<Millis>,
}

impl Reader {
    pub fn new(path: &Path, progress: Option<Progress>) -> Self {
        let recall = progress.as_ref().map(|progress| (progress.row_id.saturating_add(1), RECALLED));
        let (said, sweep_at) = (BTreeMap::new(), Instant::now());
        Self {
            file: SharedFile::new(path),
            progress,
            said,
            swept: None,
            sweep_at,
            looked: None,
            recall,
            is_behind: true,
            was_absent: false,
            about: None,
        }
    }

    /// Nobody reads along for a while.
    pub fn rest(&mut self) {
        self.is_behind = true;
    }

    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Whether history is left to be told.
    pub fn has_history(&self) -> bool {
        self.recall.is_some() || self.progress.as_ref().is_some_and(|progress| progress.history.is_some())
    }

    /// News first; when there is no more of that, one step of everything else. A file that nobody touches is not opened.
    pub fn step(&mut self, wish: &Wish) -> Result<Found, Trouble> {
        let mut found = Found::default();
        let version = self.file.version();
        if let (Some((at, looked)), Some(version)) = (self.looked, version)
            && looked == version
            && at.elapsed() < LOOK_EVERY
            && !self.has_history()
        {
            return Ok(found);
        }
        self.looked = None;
        let caught_up = self.catch_up(wish, &mut found);
        if let Err(Trouble::Missing(_) | Trouble::NoTable(_)) = caught_up {
            (self.was_absent, self.is_behind) = (true, true);
        }
        caught_up?;
        if !found.is_full {
            // What was found already is told all the same; what fails now is tried again with the next step.
            let looked = self.look_back(wish, version, &mut found);
            // What a sweep has left over is not left alone.
            let is_done = looked.is_ok() && self.swept == version;
            self.looked = version.filter(|_| is_done).map(|version| (Instant::now(), version));
        }
        Ok(found)
    }

    /// Everything but news.
    fn look_back(&mut self, wish: &Wish, version: Option<Version>, found: &mut Found) -> Result<(), Trouble> {
        self.sweep(wish, version, found)?;
        self.recall(wish, found)?;
        self.tell_history(wish, found)
    }

    /// The rows after the last.
    fn catch_up(&mut self, wish: &Wish, found: &mut Found) -> Result<(), Trouble> {
        let Self { file, progress: known, was_absent, .. } = self;
        let (Start { mut progress, is_behind }, lines) = file.read(wish.manners, |moment| {
            let start = match &known {
                Some(known) => go_on(moment, known)?,
                None => begin(moment, *was_absent, wish.offset.as_deref())?,
            };
            let lines = sql::after(moment, start.progress.row_id, wish.most)?;
            Ok((start, lines))
        })?;
        if known.as_ref().is_some_and(|known| progress.row_id < known.row_id) {
            // All may be gone because somebody purged them.
            if !lines.is_empty() {
                tracing::warn!(path = %file.path().display(), "harvester: the rows are others than they were: reading from the beginning");
            }
            self.said.clear();
            self.recall = None;
        }
        self.is_behind = is_behind.unwrap_or(self.is_behind);
        found.is_full = lines.len() >= wish.most as usize;
        for line in lines {
            self.said.insert(line.row_id, line.digest());
            let is_news = !self.is_behind || is_recent(&line, wish.now);
            if !is_news {
                progress.leave(&line);
            }
            progress.pass(&line);
            if is_news && let Some(event) = found.event(line, wish) {
                found.told.push(Told::News(event));
            }
        }
        self.is_behind &= found.is_full;
        while self.said.len() > SWEPT as usize {
            self.said.pop_first();
        }
        self.progress = Some(progress);
        Ok(())
    }

    /// Rows that say something else than before.
    fn sweep(&mut self, wish: &Wish, version: Option<Version>, found: &mut Found) -> Result<(), Trouble> {
        let begun = Instant::now();
        let Some(last) = self.progress.as_ref().map(|progress| progress.row_id) else { return Ok(()) };
        if begun < self.sweep_at {
            return Ok(());
        }
        if version.is_some() && self.swept == version {
            return Ok(());
        }
        let digests = self.file.read(wish.manners, |moment| sql::digests(moment, SWEPT))?;
        let mut changed = Vec::new();
        for (row_id, digest) in digests.into_iter().filter(|(row_id, _)| *row_id <= last) {
            let known = *self.said.entry(row_id).or_insert(digest);
            if known != digest && changed.len() < CHANGED {
                changed.push(row_id);
            }
        }
        while self.said.len() > SWEPT as usize {
            self.said.pop_first();
        }
        self.sweep_at = Instant::now() + pause_after(begun.elapsed());
        let lines = self.file.read(wish.manners, |moment| {
            changed
                .iter()
                .rev()
                .filter_map(|row_id| sql::one(moment, *row_id).transpose())
                .collect::<Result<Vec<_>, _>>()
        })?;
        for line in lines {
            self.said.insert(line.row_id, line.digest());
            let edit = edit(line, wish);
            found.told.extend(edit.map(Told::News));
        }
        // With more than is told at once, or in the middle of changes, another look is worth it.
        self.swept = version.filter(|_| changed.len() < CHANGED);
        Ok(())
    }

    /// The newest rows once more: what was changed while nobody read is told as an edit, and the store knows the rest.
    fn recall(&mut self, wish: &Wish, found: &mut Found) -> Result<(), Trouble> {
        let Some((before, left)) = self.recall else { return Ok(()) };
        let lines = self.file.read(wish.manners, |moment| sql::before(moment, before, PAGE))?;
        let is_end = lines.len() < PAGE as usize || left <= PAGE as usize;
        self.recall = lines.last().filter(|_| !is_end).map(|last| (last.row_id, left - PAGE as usize));
        let mut about = None;
        for (line, about) in dated(lines, &mut about) {
            self.said.insert(line.row_id, line.digest());
            let edit = edit(line.clone(), wish);
            let message = found.event(line, wish).map(|event| of_old(event, about));
            found.told.extend(message.into_iter().chain(edit).map(Told::Again));
        }
        Ok(())
    }

    /// What was there before the reading began, or was old when it went on, newest first.
    fn tell_history(&mut self, wish: &Wish, found: &mut Found) -> Result<(), Trouble> {
        let Some(progress) = self.progress.as_mut() else { return Ok(()) };
        let Some(before) = progress.history else { return Ok(()) };
        let mut lines = self.file.read(wish.manners, |moment| sql::before(moment, before, PAGE))?;
        let is_page = lines.len() >= PAGE as usize;
        lines.retain(|line| !progress.was_told(line.row_id));
        progress.history = lines.last().filter(|_| is_page).map(|last| last.row_id);
        let is_end = progress.history.is_none();
        for (line, about) in dated(lines, &mut self.about) {
            let event = found.event(line, wish).map(|event| of_old(event, about));
            found.told.extend(event.map(Told::Again));
        }
        // The next history is another one.
        self.about = self.about.filter(|_| !is_end);
        Ok(())
    }
}

impl Found {
    fn event(&mut self, line: Line, wish: &Wish) -> Option<NewEvent> {
        let row_id = line.row_id;
        match row(line).into_event(&wish.wanted) {
            Ok(event) => Some(event),
            Err(why) => {
                self.unreadable += 1;
                self.example.get_or_insert((row_id, why));
                None
            }
        }
    }
}

/// That a message says this now. Only one that has an id can have been changed.
fn edit(line: Line, wish: &Wish) -> Option<NewEvent> {
    line.native_id.as_ref()?;
    let event = row(line).into_event(&wish.wanted).ok()?;
    let Kind::Message(message) = event.kind else { return None };
    let target = Target { native_id: event.native_id, author_id: message.author.id, ..Target::default() };
    let edited = Edited { target, text: message.text, fragments: message.fragments };
    Some(NewEvent { native_id: None, kind: Kind::Edited(edited), ..event })
}

fn row(line: Line) -> Row {
    Row {
        platform: line.platform,
        platform_msg_id: line.native_id,
        ts: stamp::of_text(&line.ts),
        username: line.username,
        text: line.text,
        emotes_json: line.emotes_json,
        raw_json: line.raw_json,
        badges_json: line.badges_json,
        colour: line.color,
    }
}

/// Whether a row is news although it was written while nobody read along.
fn is_recent(line: &Line, now: Millis) -> bool {
    stamp::of_text(&line.ts).is_some_and(|ts| now.0.saturating_sub(ts.0) <= RECENT)
}

/// Rows of history, newest first, with about when each was sent: one that does not say it, when its neighbor was.
fn dated(lines: Vec<Line>, last: &mut Option<Millis>) -> Vec<(Line, Option<Millis>)> {
    let ts = |line: &Line| stamp::of_text(&line.ts);
    // The newest rows may have none: then the next one that has says when.
    *last = last.or_else(|| lines.iter().find_map(ts));
    let date = |line: Line| {
        *last = ts(&line).or(*last);
        (line, *last)
    };
    lines.into_iter().map(date).collect()
}

/// As history: it was received when it was sent, which is what moderation and a purge go by.
fn of_old(event: NewEvent, about: Option<Millis>) -> NewEvent {
    let event = NewEvent { at: event.at.or(about), backfill: true, ..event };
    NewEvent { received_at: event.happened_at(), ..event }
}

/// Where the reading begins.
struct Start {
    progress: Progress,
    /// Whether what comes there was written while nobody read along; none where that is as it was.
    is_behind: Option<bool>,
}

/// Where the reading was left, or the beginning, if the rows there are others now.
fn go_on(moment: &Moment<'_>, known: &Progress) -> rusqlite::Result<Start> {
    if !known.is_at(moment.identity, sql::at(moment, known.row_id)?.as_ref()) {
        return Ok(Start { progress: Progress::anew(moment.identity), is_behind: Some(true) });
    }
    let is_behind = Some(true).filter(|_| !known.is_of(moment.identity));
    Ok(Start { progress: known.clone().on(moment.identity), is_behind })
}

/// Where the reading of a file begins that was never read.
fn begin(moment: &Moment<'_>, was_absent: bool, offset: Option<&Path>) -> rusqlite::Result<Start> {
    if was_absent {
        return Ok(Start { progress: Progress::anew(moment.identity), is_behind: Some(true) });
    }
    if let Some(Offset { ts, row_id }) = offset.and_then(offsets::read)
        && let Some(place) = sql::at(moment, row_id)?
    {
        if stamp::of_text(&place.ts) == Some(Millis(ts)) {
            // The earlier reader would have told all that comes after its place.
            return Ok(Start { progress: Progress::after(moment.identity, Some(&place)), is_behind: Some(false) });
        }
        tracing::warn!(row_id, "harvester: the offset file is ignored: its row is another one now");
    }
    let progress = Progress::after(moment.identity, sql::newest(moment)?.as_ref());
    Ok(Start { progress, is_behind: Some(true) })
}

fn pause_after(sweep: Duration) -> Duration {
    sweep * SWEEP_SHARE
}
