//! How many pictures are under way at once. Whoever comes too many waits a little, and is then asked to come again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::Problem;

/// Enough for the pages of several viewers; each holds a connection and a few pieces of at most 4 MiB.
const AT_ONCE: usize = 16;
/// Requests that may wait for a turn.
const WAITING: usize = 256;
/// A picture that has to wait longer is asked for again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const COME_AGAIN: Duration = Duration::from_secs(5);

/// Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Turns {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self::new(AT_ONCE, WAITING, LONGEST_WAIT)
    }
}

impl Turns {
    fn new(at_once: usize, waiting: usize, patience: Duration) -> Self {
        let [running, waiting] = [at_once, waiting].map(|count| Arc::new(Semaphore::new(count)));
        Self { running, waiting, patience }
    }

    /// A turn, which lasts as long as its value.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || Problem::unavailable("too many pictures are asked for at once").retry_after(COME_AGAIN);
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        match timeout(self.patience, Arc::clone(&self.running).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_waits_too_long_is_asked_to_come_again() {
        let turns = Turns::new(1, 1, Duration::from_millis(1));
        let taken = turns.take().await;

        assert_eq!(turns.take().await.expect_err("all are taken").status(), 503);
        drop(taken);

        assert!(turns.take().await.is_ok(), "a turn that ended is another's");
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let turns = Turns::new(1, 2, Duration::from_secs(600));
        let taken = turns.take().await;
        let (mut first, mut second) = (pin!(turns.take()), pin!(turns.take()));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());

        assert!(turns.take().await.is_err(), "a third does not wait");
        drop(taken);

        assert!(first.await.is_ok());
    }
}
