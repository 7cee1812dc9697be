//! Keeps one driver running: calls it again after a loss, waits when asked to, stops when refused, and starts it over
//! when the owner says so.
//! The only place that retries. It knows no platform.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Backoff, Driver, DriverError, Sink, SourceState, changed};
use crate::chat::Channel;

/// How long a driver may take to leave once the house closes: within the second in which everything upstream has to be
/// closed. A restart waits longer, and says so from here on.
const LEAVE: Duration = Duration::from_millis(800);

/// Runs `driver` until `stop` fires, and tells on the board how its channels are doing while it is not running.
///
/// `name` is the platform's word in logs and metrics. A driver that panics is named in the log and run again, as after
/// a lost connection. A `restart` ends its run, or whatever it waits for, and runs it again once what it heard is handed
/// over.
pub async fn supervise(
    name: &'static str,
    driver: Box<dyn Driver>,
    wanted: watch::Receiver<BTreeSet<Channel>>,
    sink: Sink,
    backoff: Backoff,
    restart: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    sink.begin(name);
    let mut charge = Charge { name, driver, wanted, sink, backoff, restart, stop };
    while !charge.stop.is_cancelled() {
        let began = Instant::now();
        match charge.listen().await {
            End::Stopped => break,
            End::Restarted => charge.sink.reconnected(name),
            End::Failed(error) => charge.rest(error, began.elapsed()).await,
        }
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
    restart: watch::Receiver<u64>,
    stop: CancellationToken,
}

/// How a run ended.
enum End {
    /// The house closes.
    Stopped,
    /// The owner said so.
    Restarted,
    Failed(DriverError),
}

impl Charge {
    /// One run, to its end.
    async fn listen(&mut self) -> End {
        self.wanted.mark_unchanged();
        // Whatever was called for until now begins here.
        self.restart.mark_unchanged();
        self.report(SourceState::Connecting, None);
        let leave = self.stop.child_token();
        let (wanted, sink, stop) = (self.wanted.clone(), self.sink.clone(), leave.clone());
        // A driver that panicked may be left half changed: it is told to start over, and `run` does so by contract.
        let driver = &mut self.driver;
        let run = AssertUnwindSafe(async move { driver.run(wanted, sink, stop).await }).catch_unwind();
        tokio::pin!(run);
        let ended = tokio::select! {
            ended = &mut run => Some(ended),
            () = self.stop.cancelled() => None,
            () = changed(&mut self.restart) => None,
        };
        if let Some(ended) = ended {
            let closes = self.stop.is_cancelled();
            return if closes { End::Stopped } else { End::Failed(failure(self.name, ended)) };
        }
        leave.cancel();
        let tell = || {
            let reason = "what was heard before the restart is still being stored";
            warn!(driver = self.name, "{} begins again as soon as what it has heard is stored", self.name);
            report(&self.sink, &self.wanted, SourceState::Connecting, Some(reason));
        };
        tokio::select! {
            _ = &mut run => {}
            () = patience(&self.stop, tell) => {
                warn!(driver = self.name, "{} did not leave within {} ms and was dropped", self.name, LEAVE.as_millis());
            }
        }
        if self.stop.is_cancelled() { End::Stopped } else { End::Restarted }
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
                () = changed(&mut self.restart) => break,
                // Channels added meanwhile are told the same.
                () = changed(&mut self.wanted) => {}
            }
        }
        self.sink.reconnected(self.name);
    }

    async fn wait_for_change(&mut self, reason: &str) {
        warn!(
            driver = self.name,
            "{} refused: {reason}; waiting until the list of channels changes, or a restart", self.name
        );
        // A change that came during the run counts: at worst the driver is asked once more for nothing.
        self.report(SourceState::Refused, Some(reason));
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = changed(&mut self.wanted) => {}
            () = changed(&mut self.restart) => {}
        }
    }

    fn report(&self, state: SourceState, reason: Option<&str>) {
        report(&self.sink, &self.wanted, state, reason);
    }
}

fn report(sink: &Sink, wanted: &watch::Receiver<BTreeSet<Channel>>, state: SourceState, reason: Option<&str>) {
    for channel in wanted.borrow().iter() {
        sink.report(channel, state, reason);
    }
}

/// How long a run that was told to leave is waited for: without end, since what it has heard must not be lost, until the
/// house closes. Tells if that takes longer than it should.
async fn patience(stop: &CancellationToken, tell: impl FnOnce()) {
    if timeout(LEAVE, stop.cancelled()).await.is_err() {
        tell();
        stop.cancelled().await;
    }
    sleep(LEAVE).await;
}

/// Why a run ended that nobody had ended.
fn failure(name: &str, ended: Result<Result<(), DriverError>, Box<dyn Any + Send>>) -> DriverError {
    match ended {
        Ok(Ok(())) => DriverError::Lost("the listener ended by itself".to_owned()),
        Ok(Err(error)) => error,
        Err(panic) => {
            error!(driver = name, panic = words(&*panic), "the {name} driver panicked and is restarted");
            DriverError::Lost(format!("the {name} driver broke down; see the log"))
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
    use crate::ingest::{Board, Restart};

    const NAME: &str = "twitch";
    const NO_WAIT: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));

    /// A driver whose runs end as written down, and whose last one lasts until it is told to stop.
    #[derive(Clone, Default)]
    struct Scripted {
        ends: Arc<Mutex<VecDeque<Ending>>>,
        stubborn: bool,
    }

    enum Ending {
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
                    Some(Ending::With(error)) => return Err(error),
                    Some(Ending::Panic) => panic!("written down"),
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
        restart: Restart,
        wanted: watch::Sender<BTreeSet<Channel>>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    fn start(driver: Scripted) -> House {
        let board = Board::default();
        let (wanted, receiver) = watch::channel(BTreeSet::from([channel("somebody")]));
        let sink = Sink::new(mpsc::channel(1).0, board.clone());
        let stop = CancellationToken::new();
        let restart = Restart::default();
        let calls = restart.calls();
        let task = tokio::spawn(supervise(NAME, Box::new(driver), receiver, sink, NO_WAIT, calls, stop.clone()));
        House { board, restart, wanted, stop, task }
    }

    fn channel(login: &str) -> Channel {
        Channel::new(Platform::TWITCH, login)
    }

    fn ends(ends: impl IntoIterator<Item = Ending>) -> Scripted {
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
            Ending::With(DriverError::Lost("closed".into())),
            Ending::Panic,
            Ending::With(DriverError::Limited(Duration::from_millis(1))),
        ]));

        house.until("somebody", SourceState::Live).await;

        assert_eq!(house.board.reconnects()[NAME], 3);
    }

    #[tokio::test]
    async fn a_refused_driver_rests_until_the_list_changes() {
        let house = start(ends([Ending::With(DriverError::Refused("not you".into()))]));
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
        let house = start(ends([Ending::With(DriverError::Limited(Duration::from_secs(600)))]));
        house.until("somebody", SourceState::Backoff).await;

        house.wanted.send_modify(|wanted| wanted.extend([channel("another")]));

        house.until("another", SourceState::Backoff).await;
        house.stop.cancel();
        house.until("another", SourceState::Stopped).await;
    }

    /// Restarts until the driver was started over as often.
    async fn started_over(house: &House, times: u64) {
        house.restart.call();
        let counted = async {
            while house.board.reconnects().get(NAME).copied().unwrap_or_default() < times {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), counted).await.expect("it is started over");
    }

    #[tokio::test]
    async fn a_restart_ends_the_run_and_begins_another() {
        let house = start(ends([]));
        house.until("somebody", SourceState::Live).await;

        started_over(&house, 1).await;
        house.until("somebody", SourceState::Live).await;
        started_over(&house, 2).await;

        house.until("somebody", SourceState::Live).await;
    }

    #[tokio::test]
    async fn a_restart_waits_for_a_driver_that_has_still_something_to_hand_over_and_a_stop_does_not() {
        let house = start(Scripted { stubborn: true, ..ends([]) });
        house.until("somebody", SourceState::Live).await;

        house.restart.call();

        house.until("somebody", SourceState::Connecting).await;
        assert!(!house.board.reconnects().contains_key(NAME), "it was not started over");
        house.stop.cancel();
        timeout(Duration::from_secs(1), house.task).await.expect("it leaves").expect("it does not panic");
    }

    #[tokio::test]
    async fn a_restart_ends_a_pause_and_a_refusal() {
        for end in [DriverError::Limited(Duration::from_secs(600)), DriverError::Refused("not you".into())] {
            let state =
                if matches!(end, DriverError::Limited(_)) { SourceState::Backoff } else { SourceState::Refused };
            let house = start(ends([Ending::With(end)]));
            house.until("somebody", state).await;

            house.restart.call();

            house.until("somebody", SourceState::Live).await;
        }
    }
}
