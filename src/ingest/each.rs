//! Keeps a driver for every channel: each is supervised by itself, so that one that fails takes no other along.
//! Knows no platform, and leaves retrying to the supervisor.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Backoff, Driver, Sink, changed, supervise};
use crate::chat::Channel;

/// Makes the driver of one channel.
pub type Make = Box<dyn Fn() -> Box<dyn Driver> + Send + Sync>;

/// Supervises a driver for each wanted channel until `stop` fires. A channel that is not wanted any more is left, and one
/// that is wanted again meanwhile begins anew once it has been.
pub async fn supervise_each(
    name: &'static str,
    make: Make,
    mut wanted: watch::Receiver<BTreeSet<Channel>>,
    sink: Sink,
    backoff: Backoff,
    restart: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let mut running: BTreeMap<Channel, CancellationToken> = BTreeMap::new();
    let mut ends = FuturesUnordered::new();
    loop {
        let now = if stop.is_cancelled() { BTreeSet::new() } else { wanted.borrow_and_update().clone() };
        for (_, leave) in running.iter().filter(|(channel, _)| !now.contains(*channel)) {
            leave.cancel();
        }
        for channel in now {
            running.entry(channel).or_insert_with_key(|channel| {
                let leave = stop.child_token();
                let (only, alone) = watch::channel(BTreeSet::from([channel.clone()]));
                let (driver, channel) = (make(), channel.clone());
                let run = supervise(name, driver, alone, sink.clone(), backoff.clone(), restart.clone(), leave.clone());
                ends.push(async move {
                    run.await;
                    drop(only);
                    channel
                });
                leave
            });
        }
        if running.is_empty() && stop.is_cancelled() {
            return;
        }
        tokio::select! {
            Some(channel) = ends.next() => {
                running.remove(&channel);
            }
            () = changed(&mut wanted) => {}
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::BoxFuture;
    use tokio::sync::mpsc;

    use super::*;
    use crate::chat::Platform;
    use crate::ingest::{Board, DriverError, Restart, SourceState};

    const NAME: &str = "exec";
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Refused where the channel is called so, and live anywhere else.
    struct Picky;

    impl Driver for Picky {
        fn run(
            &mut self,
            wanted: watch::Receiver<BTreeSet<Channel>>,
            sink: Sink,
            stop: CancellationToken,
        ) -> BoxFuture<'_, Result<(), DriverError>> {
            Box::pin(async move {
                let channel = wanted.borrow().first().cloned().expect("there is one");
                assert_eq!(wanted.borrow().len(), 1);
                if channel.login == "refused" {
                    return Err(DriverError::Refused("not this one".to_owned()));
                }
                sink.report(&channel, SourceState::Live, None);
                stop.cancelled().await;
                Ok(())
            })
        }
    }

    fn channel(login: &str) -> Channel {
        Channel::new(Platform::TWITCH, login)
    }

    async fn until(board: &Board, login: &str, state: SourceState) {
        let (key, mut watch) = (channel(login).to_string(), board.watch());
        let reached = watch.wait_for(|all| all.get(&key).is_some_and(|condition| condition.state == state));
        tokio::time::timeout(PATIENCE, reached).await.expect("the state comes").expect("the board is alive");
    }

    #[tokio::test]
    async fn each_channel_fares_by_itself_comes_and_goes() {
        let board = Board::default();
        let (wanted, receiver) = watch::channel(BTreeSet::from([channel("ada"), channel("refused")]));
        let (sink, stop) = (Sink::new(mpsc::channel(1).0, board.clone()), CancellationToken::new());
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));
        let (restart, make): (_, Make) = (Restart::default(), Box::new(|| Box::new(Picky)));
        let task = tokio::spawn(supervise_each(NAME, make, receiver, sink, backoff, restart.calls(), stop.clone()));
        until(&board, "ada", SourceState::Live).await;
        until(&board, "refused", SourceState::Refused).await;

        wanted.send_replace(BTreeSet::from([channel("bob"), channel("refused")]));
        until(&board, "ada", SourceState::Stopped).await;
        until(&board, "bob", SourceState::Live).await;
        wanted.send_replace(BTreeSet::from([channel("ada")]));
        until(&board, "bob", SourceState::Stopped).await;
        until(&board, "ada", SourceState::Live).await;

        stop.cancel();
        tokio::time::timeout(PATIENCE, task).await.expect("it ends").expect("it does not panic");
        until(&board, "ada", SourceState::Stopped).await;
    }

    #[tokio::test]
    async fn with_nothing_wanted_it_waits_for_the_end() {
        let (wanted, receiver) = watch::channel(BTreeSet::new());
        let (sink, stop) = (Sink::new(mpsc::channel(1).0, Board::default()), CancellationToken::new());
        let (restart, make): (_, Make) = (Restart::default(), Box::new(|| Box::new(Picky)));
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));
        let task = tokio::spawn(supervise_each(NAME, make, receiver, sink, backoff, restart.calls(), stop.clone()));

        stop.cancel();

        tokio::time::timeout(PATIENCE, task).await.expect("it ends").expect("it does not panic");
        drop(wanted);
    }
}
