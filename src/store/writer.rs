//! The one thread that writes: takes events and closures from its queues, commits them in batches, tells everyone.
//!
//! What is accepted is not let go: a commit that fails is tried again until it succeeds, while the full queue makes
//! the drivers wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::append::{Appended, Appender};
use super::health::Backlog;
use super::job::{Job, Tools};
use super::{
    Committed, Entry, Error, Health, HealthState, Identity, checkpoint, connection, entry, lock, place, purge,
};
use crate::chat::{EventId, Millis, NewEvent, Platform};
use crate::config::Synchronous;
use crate::telemetry::Metrics;

/// Events in one transaction at most. More only makes the first of them wait.
const MOST_PER_COMMIT: usize = 512;

/// How much a power loss may take: a durable commit follows within this time.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often it is told that events come from a time that was purged.
const REMIND_EVERY: Duration = Duration::from_secs(60);

/// Pauses between attempts at a commit that fails.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_MOST: Duration = Duration::from_secs(1);

pub struct Writer {
    pub connection: Connection,
    pub lock: lock::Lock,
    pub queue: mpsc::Receiver<Entry>,
    pub jobs: mpsc::Receiver<Job>,
    pub committed: watch::Sender<Committed>,
    pub purged: watch::Sender<EventId>,
    pub health: watch::Sender<Health>,
    pub(super) backlog: Backlog,
    pub metrics: Metrics,
    pub synchronous: Synchronous,
    pub(super) identity: Arc<Identity>,
}

/// What the writer woke up for.
enum Wake {
    Events,
    Job(Job),
    /// Time for a durable commit.
    Heartbeat,
    /// Every driver is gone and the queue is empty.
    Done,
}

impl Writer {
    /// Runs on a thread of its own until every queue sender is dropped.
    pub fn start(self, ended: oneshot::Sender<()>) {
        let handle = Handle::current();
        let checkpoints = checkpoint::start(self.identity.path.clone());
        let run = move || {
            Loop::new(self).run(&handle);
            drop(checkpoints);
            let _ = ended.send(());
        };
        std::thread::Builder::new().name("writer".to_owned()).spawn(run).expect("a thread can be started at start-up");
    }
}

/// What one transaction brought.
#[derive(Default)]
struct Written {
    /// The newest id, if anything was new.
    last: Option<EventId>,
    /// Whether there is anything that a power loss could take.
    is_dirty: bool,
    duplicates: BTreeMap<Platform, u64>,
    outdated: BTreeMap<Platform, u64>,
}

impl Written {
    /// History is nobody's news: it wakes nobody, and is not counted among what was heard twice.
    fn note(&mut self, event: &NewEvent, appended: Option<Appended>) {
        match appended {
            Some(Appended::Stored(id)) => {
                self.is_dirty = true;
                self.last = if event.backfill { self.last } else { Some(id) };
            }
            Some(Appended::Duplicate) if !event.backfill => count(&mut self.duplicates, event),
            Some(Appended::Outdated) if !event.backfill => count(&mut self.outdated, event),
            _ => {}
        }
    }
}

struct Loop {
    writer: Writer,
    appender: Appender,
    batch: Vec<Entry>,
    commits: u64,
    /// When rows were first written since the last durable commit.
    dirty_since: Option<Instant>,
    /// When it was last told that events are left out.
    reminded_at: Option<Instant>,
}

impl Loop {
    fn new(writer: Writer) -> Self {
        let batch = Vec::with_capacity(MOST_PER_COMMIT);
        Self { writer, appender: Appender::default(), batch, commits: 0, dirty_since: None, reminded_at: None }
    }

    fn run(mut self, handle: &Handle) {
        loop {
            match handle.block_on(self.wake()) {
                Wake::Events => self.commit_batch(handle),
                Wake::Job(job) => {
                    self.run_job(job);
                    // One change, then events: however many changes wait, chat goes on.
                    if self.take_ready() {
                        self.commit_batch(handle);
                    }
                }
                Wake::Heartbeat => self.heartbeat(),
                Wake::Done => break,
            }
            if self.dirty_since.is_some_and(|since| since.elapsed() >= HEARTBEAT) {
                self.heartbeat();
            }
        }
        self.close();
    }

    async fn wake(&mut self) -> Wake {
        let heartbeat = self.dirty_since.map(|since| tokio::time::Instant::from_std(since + HEARTBEAT));
        let due = async {
            match heartbeat {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(job) = self.writer.jobs.recv() => Wake::Job(job),
            count = self.writer.queue.recv_many(&mut self.batch, MOST_PER_COMMIT) => {
                if count == 0 { Wake::Done } else { Wake::Events }
            }
            () = due => Wake::Heartbeat,
        }
    }

    /// What a job changed must reach the disk in time, just as events must, and shows as well that the store works.
    fn run_job(&mut self, job: Job) {
        let Writer { connection, health, purged, .. } = &self.writer;
        let (started, before) = (Instant::now(), connection.total_changes());
        let (dirty_since, mut is_changed) = (&mut self.dirty_since, false);
        job(Ok(Tools { connection, appender: &mut self.appender }), &mut || {
            if connection.total_changes() > before {
                is_changed = true;
                tell_purged(connection, purged);
                dirty_since.get_or_insert(started);
                health.send_modify(|health| health.last_commit = Some(Millis::now()));
            }
        });
        if is_changed {
            self.appender.forget_mark();
        }
    }

    /// Takes the events that are there already.
    fn take_ready(&mut self) -> bool {
        while self.batch.len() < MOST_PER_COMMIT
            && let Ok(event) = self.writer.queue.try_recv()
        {
            self.batch.push(event);
        }
        !self.batch.is_empty()
    }

    /// Commits what was taken, however often it takes.
    fn commit_batch(&mut self, handle: &Handle) {
        let mut pause = RETRY_FIRST;
        self.writer.backlog.taken(self.batch.iter().filter(|entry| matches!(entry, Entry::Event(_))).count());
        loop {
            let started = Instant::now();
            match self.try_commit() {
                Ok(written) => return self.committed(written, started),
                Err(error) => self.failing(&error),
            }
            handle.block_on(self.wait_to_retry(pause));
            pause = (pause * 2).min(RETRY_MOST);
        }
    }

    /// Whoever wants to change something meanwhile hears what is wrong rather than nothing.
    async fn wait_to_retry(&mut self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until
            && let Ok(Some(job)) = tokio::time::timeout_at(until, self.writer.jobs.recv()).await
        {
            self.run_job(job);
        }
        // With nobody left to ask for a change, `recv` does not wait.
        tokio::time::sleep_until(until).await;
    }

    fn try_commit(&mut self) -> rusqlite::Result<Written> {
        let written = self.write_batch();
        if written.is_err() {
            self.appender.forget();
            if !self.writer.connection.is_autocommit() {
                // A failed rollback leaves nothing to roll back.
                let _ = self.writer.connection.execute_batch("rollback");
            }
        }
        written
    }

    fn write_batch(&mut self) -> rusqlite::Result<Written> {
        let connection = &self.writer.connection;
        let mut written = Written::default();
        connection.execute_batch("begin immediate")?;
        for entry in &self.batch {
            match entry {
                Entry::Event(event) => written.note(event, self.appender.append_or_skip(connection, event)?),
                Entry::Mark { name, value } => {
                    entry::set(connection, name, value)?;
                    written.is_dirty = true;
                }
            }
        }
        connection.execute_batch("commit")?;
        Ok(written)
    }

    fn committed(&mut self, written: Written, started: Instant) {
        self.batch.clear();
        self.writer.backlog.taken(0);
        self.commits += 1;
        self.writer.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
        for (platform, count) in written.duplicates {
            self.writer.metrics.duplicated(platform.as_str(), count);
        }
        self.remind(&written.outdated);
        let was_failing = matches!(self.writer.health.borrow().state, HealthState::Failing { .. });
        if was_failing {
            tracing::info!("commits succeed again; nothing was lost");
        }
        self.writer.health.send_replace(Health { state: HealthState::Writing, last_commit: Some(Millis::now()) });
        if written.is_dirty {
            self.dirty_since.get_or_insert(started);
        }
        if let Some(last) = written.last {
            self.writer.committed.send_replace(Committed { last, at: Instant::now() });
        }
        self.bound_log();
    }

    /// A backlog is left out in silence by nature; but so would be live chat, had the clock been ahead at a purge.
    fn remind(&mut self, outdated: &BTreeMap<Platform, u64>) {
        for (platform, count) in outdated {
            self.writer.metrics.outdated(platform.as_str(), *count);
        }
        let is_due = self.reminded_at.is_none_or(|at| at.elapsed() >= REMIND_EVERY);
        if let Some((platform, count)) = outdated.iter().next().filter(|_| is_due) {
            self.reminded_at = Some(Instant::now());
            tracing::warn!(%platform, count, "events from a time that was purged are left out; if they are new, this machine's clock was ahead at the purge");
        }
    }

    /// The log shrinks only between writes, so a long burst needs the writer's own hand now and then.
    fn bound_log(&self) {
        if self.commits.is_multiple_of(checkpoint::LOOK_EVERY) && checkpoint::log_is_long(&self.writer.identity.path) {
            checkpoint::truncate(&self.writer.connection);
        }
    }

    fn failing(&self, error: &rusqlite::Error) {
        let cause = error.to_string();
        self.writer.health.send_if_modified(|health| match &health.state {
            HealthState::Failing { cause: known, .. } if *known == cause => false,
            _ => {
                tracing::error!(%cause, "the store takes no events; they wait, and are tried again");
                health.state = HealthState::Failing { cause, since: Millis::now() };
                true
            }
        });
    }

    /// One row under full synchronization makes everything before it durable.
    fn heartbeat(&mut self) {
        self.dirty_since = None;
        let last = self.writer.committed.borrow().last;
        if self.writer.synchronous == Synchronous::Normal
            && let Err(error) = connection::durably(&self.writer.connection, Synchronous::Normal, beat)
        {
            tracing::warn!(%error, "the durable commit failed; the next one covers it");
        }
        self.writer.lock.remember(&self.writer.identity.epoch, last);
    }

    /// The queue is drained: the last word, then the file is closed in order.
    fn close(mut self) {
        while let Ok(job) = self.writer.jobs.try_recv() {
            self.run_job(job);
        }
        self.writer.jobs.close();
        while let Ok(job) = self.writer.jobs.try_recv() {
            job(Err(Error::Closed), &mut || {});
        }
        let ended = lock::mark_clean(&self.writer.connection);
        if let Err(error) = ended {
            tracing::warn!(%error, "the store was not marked as closed");
        }
        self.heartbeat();
        checkpoint::truncate(&self.writer.connection);
        self.writer.health.send_modify(|health| health.state = HealthState::Closed);
        let Writer { connection, lock, identity, .. } = self.writer;
        drop(connection);
        if identity.ephemeral {
            place::remove(&identity.path);
        }
        drop(lock);
    }
}

/// Tells of a purge before any later event has an id, so that nobody can be sent one without knowing.
fn tell_purged(connection: &Connection, purged: &watch::Sender<EventId>) {
    match purge::last_end(connection) {
        Ok(end) => {
            purged.send_if_modified(|known| std::mem::replace(known, end) != end);
        }
        Err(error) => tracing::warn!(%error, "whether something was purged could not be read; the next change tells"),
    }
}

fn count(counts: &mut BTreeMap<Platform, u64>, event: &NewEvent) {
    *counts.entry(event.channel.platform.clone()).or_default() += 1;
}

fn beat(connection: &Connection) -> rusqlite::Result<()> {
    lock::set_meta(connection, "heartbeat", &Millis::now().0.to_string())
}
