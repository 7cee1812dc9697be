//! Keeps one driver running: calls it again after a loss, waits when asked to, stops when refused.
//! The only place that retries. It knows no platform.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Backoff, Driver, DriverError, Sink, SourceState, changed};
use crate::chat::Channel;

/// How long a driver may take to leave once told to: within the second in which everything upstream has to be closed.
const LEAVE: Duration = Duration::from_millis(800);

/// Runs `driver` until `stop` fires, and tells on the board how its channels are doing while it is not running.
///
/// `name` is the platform's word in logs and metrics. A driver that panics is named in the log and run again, as after
/// a lost connection.
pub async fn supervise(
    name: &'static str,
    driver: Box<dyn Driver>,
    wanted: watch::Receiver<BTreeSet<Channel>>,
    sink: Sink,
    backoff: Backoff,
    stop: CancellationToken,
) {
    let mut charge = Charge { name, driver, wanted, sink, backoff, stop };
    while !charge.stop.is_cancelled() {
        let began = Instant::now();
        let Some(error) = charge.listen().await else { break };
        charge.rest(error, began.elapsed()).await;
    }
    charge.report(SourceState::Stopped, None);
    info!(driver = name, "{name} stopped");
}

/// A driver and all it takes to run it once more.
struct Charge {
    name: &'static str,
    driver: Box<dyn Driver>,
    wanted: watch::Receiver<BTreeSet<Channel>>,
    sink: Sink,
    backoff: Backoff,
    stop: CancellationToken,
}

impl Charge {
    /// One run, to its end. None when it ended because it was told to.
    async fn listen(&mut self) -> Option<DriverError> {
        self.wanted.mark_unchanged();
        self.report(SourceState::Connecting, None);
        let (wanted, sink, stop) = (self.wanted.clone(), self.sink.clone(), self.stop.clone());
        // A driver that panicked may be left half changed: it is told to start over, and `run` does so by contract.
        let driver = &mut self.driver;
        let run = AssertUnwindSafe(async move { driver.run(wanted, sink, stop).await }).catch_unwind();
        tokio::pin!(run);
        let ended = tokio::select! {
            ended = &mut run => Some(ended),
            () = self.stop.cancelled() => timeout(LEAVE, &mut run).await.ok(),
        };
        if self.stop.is_cancelled() {
            if ended.is_none() {
                warn!(
                    driver = self.name,
                    "{} did not leave within {} ms and was dropped",
                    self.name,
                    LEAVE.as_millis()
                );
            }
            return None;
        }
        match ended? {
            Ok(Ok(())) => Some(DriverError::Lost("the listener ended by itself".to_owned())),
            Ok(Err(error)) => Some(error),
            Err(panic) => {
                error!(
                    driver = self.name,
                    panic = words(&*panic),
                    "the {} driver panicked and is restarted",
                    self.name
                );
                Some(DriverError::Lost(format!("the {} driver broke down; see the log", self.name)))
            }
        }
    }

    /// What happens between two runs.
    async fn rest(&mut self, error: DriverError, ran: Duration) {
        let pause = match error {
            DriverError::Refused(reason) => return self.wait_for_change(&reason).await,
            DriverError::Limited(pause) => pause,
            DriverError::Lost(_) => self.backoff.after(ran),
        };
        let reason = format!("{error}; trying again in {} s", pause.as_millis().div_ceil(1000));
        warn!(driver = self.name, "{}: {reason}", self.name);
        let until = Instant::now() + pause;
        loop {
            self.wanted.mark_unchanged();
            self.report(SourceState::Backoff, Some(&reason));
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep_until(until) => break,
                // Channels added meanwhile are told the same.
                () = changed(&mut self.wanted) => {}
            }
        }
        self.sink.reconnected(self.name);
    }

    async fn wait_for_change(&mut self, reason: &str) {
        warn!(driver = self.name, "{} refused: {reason}; waiting until the list of channels changes", self.name);
        // A change that came during the run counts: at worst the driver is asked once more for nothing.
        self.report(SourceState::Refused, Some(reason));
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = changed(&mut self.wanted) => {}
        }
    }

    fn report(&self, state: SourceState, reason: Option<&str>) {
        for channel in self.wanted.borrow().iter() {
            self.sink.report(channel, state, reason);
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use futures_util::future::BoxFuture;
    use tokio::sync::mpsc;

    use super::*;
    use crate::chat::Platform;
    use crate::ingest::Board;

    const NAME: &str = "twitch";
    const NO_WAIT: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));

    /// A driver whose runs end as written down, and whose last one lasts until it is told to stop.
    #[derive(Clone, Default)]
    struct Scripted {
        ends: Arc<Mutex<VecDeque<End>>>,
        stubborn: bool,
    }

    enum End {
        With(DriverError),
        Panic,
    }

    impl Driver for Scripted {
        fn run(
            &mut self,
            wanted: watch::Receiver<BTreeSet<Channel>>,
            sink: Sink,
            stop: CancellationToken,
        ) -> BoxFuture<'_, Result<(), DriverError>> {
            let end = self.ends.lock().expect("no test panics while holding it").pop_front();
            Box::pin(async move {
                match end {
                    Some(End::With(error)) => return Err(error),
                    Some(End::Panic) => panic!("written down"),
                    None => {}
                }
                wanted.borrow().iter().for_each(|channel| sink.report(channel, SourceState::Live, None));
                stop.cancelled().await;
                if self.stubborn { std::future::pending().await } else { Ok(()) }
            })
        }
    }

    struct House {
        board: Board,
        wanted: watch::Sender<BTreeSet<Channel>>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    fn start(driver: Scripted) -> House {
        let board = Board::default();
        let (wanted, receiver) = watch::channel(BTreeSet::from([channel("somebody")]));
        let sink = Sink::new(mpsc::channel(1).0, board.clone());
        let stop = CancellationToken::new();
        let task = tokio::spawn(supervise(NAME, Box::new(driver), receiver, sink, NO_WAIT, stop.clone()));
        House { board, wanted, stop, task }
    }

    fn channel(login: &str) -> Channel {
        Channel::new(Platform::TWITCH, login)
    }

    fn ends(ends: impl IntoIterator<Item = End>) -> Scripted {
        Scripted { ends: Arc::new(Mutex::new(ends.into_iter().collect())), stubborn: false }
    }

    impl House {
        async fn until(&self, login: &str, state: SourceState) {
            let key = channel(login).to_string();
            let mut watch = self.board.watch();
            let reached = watch.wait_for(|all| all.get(&key).is_some_and(|condition| condition.state == state));
            timeout(Duration::from_secs(5), reached).await.expect("the state comes").expect("the board is alive");
        }
    }

    #[tokio::test]
    async fn a_lost_a_limited_and_a_panicking_driver_are_run_again() {
        let house = start(ends([
            End::With(DriverError::Lost("closed".into())),
            End::Panic,
            End::With(DriverError::Limited(Duration::from_millis(1))),
        ]));

        house.until("somebody", SourceState::Live).await;

        assert_eq!(house.board.reconnects()[NAME], 3);
    }

    #[tokio::test]
    async fn a_refused_driver_rests_until_the_list_changes() {
        let house = start(ends([End::With(DriverError::Refused("not you".into()))]));
        house.until("somebody", SourceState::Refused).await;
        assert_eq!(house.board.snapshot()["twitch:somebody"].reason.as_deref(), Some("not you"));

        house.wanted.send_modify(|wanted| wanted.extend([channel("another")]));

        house.until("another", SourceState::Live).await;
    }

    #[tokio::test]
    async fn stop_ends_it_within_a_second_even_if_the_driver_will_not_leave() {
        let house = start(Scripted { stubborn: true, ..ends([]) });
        house.until("somebody", SourceState::Live).await;

        house.stop.cancel();

        timeout(Duration::from_secs(1), house.task).await.expect("it leaves").expect("it does not panic");
        assert_eq!(house.board.snapshot()["twitch:somebody"].state, SourceState::Stopped);
    }

    #[tokio::test]
    async fn a_channel_added_during_a_pause_is_told_of_it() {
        let house = start(ends([End::With(DriverError::Limited(Duration::from_secs(600)))]));
        house.until("somebody", SourceState::Backoff).await;

        house.wanted.send_modify(|wanted| wanted.extend([channel("another")]));

        house.until("another", SourceState::Backoff).await;
        house.stop.cancel();
        house.until("another", SourceState::Stopped).await;
    }
}
