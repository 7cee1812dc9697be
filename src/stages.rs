//! The house closes in order: each stage is told to stop and waited for, and whoever is late is known by name.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Tasks that stop together. Cloning is cheap.
#[derive(Clone)]
pub struct Stage {
    /// Fires when the stage is to end.
    pub stop: CancellationToken,
    tracker: TaskTracker,
    running: Running,
    /// Fires when a task ends that nobody told to.
    alarm: CancellationToken,
}

/// Who is still busy, in every stage.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Running {
    /// The names, each once.
    pub fn names(&self) -> Vec<&'static str> {
        self.known().iter().filter(|(_, count)| **count > 0).map(|(name, _)| *name).collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage {
    pub fn new(running: &Running, alarm: &CancellationToken) -> Self {
        Self {
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            running: running.clone(),
            alarm: alarm.clone(),
        }
    }

    /// Runs an essential task: if it ends before the stage does, even by a panic, the house closes.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let mut presence = self.enter(name);
        presence.essential = true;
        self.tracker.spawn(async move {
            let _presence = presence;
            task.await;
        });
    }

    /// Runs a task that ends by itself, such as what one answer still needs. It is waited for all the same.
    pub fn spawn_guest(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let presence = self.enter(name);
        self.tracker.spawn(async move {
            let _presence = presence;
            task.await;
        });
    }

    /// Counts somebody who came from outside, such as a socket, until the presence is dropped.
    pub fn enter(&self, name: &'static str) -> Presence {
        *self.running.known().entry(name).or_default() += 1;
        Presence { name, stage: self.clone(), essential: false, _token: self.tracker.token() }
    }

    /// Tells everybody to stop and waits until they have.
    pub async fn end(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Being counted in a stage.
pub struct Presence {
    name: &'static str,
    stage: Stage,
    essential: bool,
    _token: TaskTrackerToken,
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(count) = self.stage.running.known().get_mut(self.name) {
            *count = count.saturating_sub(1);
        }
        if self.essential && !self.stage.stop.is_cancelled() {
            tracing::error!(task = self.name, "the {} ended by itself", self.name);
            self.stage.alarm.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> (Stage, Running, CancellationToken) {
        let (running, alarm) = (Running::default(), CancellationToken::new());
        (Stage::new(&running, &alarm), running, alarm)
    }

    #[tokio::test]
    async fn a_stage_ends_when_its_last_task_has_and_names_who_is_busy() {
        let (stage, running, alarm) = stage();
        let stop = stage.stop.clone();
        stage.spawn("tailer", async move { stop.cancelled().await });
        let guest = stage.enter("socket");
        assert_eq!(running.names(), ["socket", "tailer"]);

        let ending = tokio::spawn({
            let stage = stage.clone();
            async move { stage.end().await }
        });
        stage.stop.cancelled().await;
        drop(guest);
        ending.await.expect("it ends");

        assert!(running.names().is_empty() && !alarm.is_cancelled());
    }

    #[tokio::test]
    async fn a_guest_may_end_by_itself_and_is_waited_for() {
        let (stage, running, alarm) = stage();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let stop = stage.stop.clone();

        stage.spawn_guest("short", async {});
        stage.spawn_guest("long", async move {
            stop.cancelled().await;
            let _ = done.send(());
        });
        stage.end().await;

        assert_eq!(is_done.await, Ok(()));
        assert!(running.names().is_empty() && !alarm.is_cancelled());
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_raises_the_alarm() {
        let (stage, _, alarm) = stage();

        stage.spawn("tailer", async {});

        alarm.cancelled().await;
    }
}
