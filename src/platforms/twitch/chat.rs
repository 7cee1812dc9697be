//! One run of the driver: hands the roster its news, carries out what it decides, tells the board. Retries nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::NAME;
use super::connection::{Command, Ended, News, Opening, Outlets};
use super::funnel::Item;
use super::joins::Limits;
use super::login::{Credentials, Login};
use super::roster::{Action, Cause, ConnId, Loss, Roster};
use crate::chat::Channel;
use crate::config;
use crate::ingest::{DriverError, Sink, SourceState, changed};

/// How often the token file is looked at. Reading one line of it costs less than to know whether that is needed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// News that may wait for the session; it is never away for long.
const NEWS: usize = 64;
/// Commands that may wait for a connection: a JOIN and a PART for each of its channels, and some.
const COMMANDS: usize = 256;

/// One run: all its connections, and what is known about them.
pub struct Session<'a> {
    config: &'a config::Twitch,
    limits: &'a mut Limits,
    credentials: &'a mut Credentials,
    roster: Roster,
    outboxes: BTreeMap<ConnId, Outbox>,
    /// Every connection's task: none outlives the run.
    tasks: JoinSet<(ConnId, Ended)>,
    outlets: Outlets,
    news: mpsc::Receiver<(ConnId, News)>,
    sink: Sink,
    closing: CancellationToken,
}

/// How to speak to a connection, and who we are on it.
struct Outbox {
    commands: mpsc::Sender<Command>,
    login: Login,
}

impl<'a> Session<'a> {
    pub fn new(
        config: &'a config::Twitch,
        limits: &'a mut Limits,
        credentials: &'a mut Credentials,
        items: mpsc::Sender<(ConnId, Item)>,
        sink: Sink,
    ) -> Self {
        let (sender, news) = mpsc::channel(NEWS);
        Self {
            config,
            limits,
            credentials,
            roster: Roster::new(config.join_timeout),
            outboxes: BTreeMap::new(),
            tasks: JoinSet::new(),
            outlets: Outlets { news: sender, items, sink: sink.clone() },
            news,
            sink,
            closing: CancellationToken::new(),
        }
    }

    /// Listens until told to stop, or until no connection is left that holds a channel. Then every connection is closed, and what they
    /// have heard is in the funnel.
    pub async fn listen(
        mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        stop: CancellationToken,
    ) -> Result<(), DriverError> {
        let verdict = self.follow(wanted, stop).await;
        self.closing.cancel();
        self.news.close();
        while let Some(ended) = self.tasks.join_next().await {
            unwind(ended);
        }
        verdict
    }

    async fn follow(
        &mut self,
        mut wanted: watch::Receiver<BTreeSet<Channel>>,
        stop: CancellationToken,
    ) -> Result<(), DriverError> {
        self.credentials.look().await;
        let mut look = every(LOOK_EVERY);
        self.want(&mut wanted);
        loop {
            let now = Instant::now();
            self.act(now);
            let wake = self.roster.wake_at(self.limits, now);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                // Before the ends: a connection's last word may be why it ended.
                Some((id, news)) = self.news.recv() => self.learn(id, news),
                () = changed(&mut wanted) => self.want(&mut wanted),
                Some(ended) = self.tasks.join_next() => self.ended(unwind(ended))?,
                _ = look.tick() => self.look().await,
                () = until(wake) => {}
            }
        }
    }

    fn want(&mut self, wanted: &mut watch::Receiver<BTreeSet<Channel>>) {
        for channel in self.roster.want(&wanted.borrow_and_update()) {
            self.sink.report(&channel, SourceState::Stopped, None);
        }
    }

    /// Carries out what the roster decides, and tells how it stands.
    fn act(&mut self, now: Instant) {
        for action in self.roster.next(self.limits, now) {
            match action {
                Action::Open { id, follows } => self.open(id, follows),
                Action::Join { id, login } => self.tell(id, Command::Join(login)),
                Action::Part { id, login } => self.tell(id, Command::Part(login)),
                Action::Leave { id } => self.tell(id, Command::Leave),
            }
        }
        let fallback = self.credentials.fallback();
        for (channel, state, reason) in self.roster.standings(fallback.as_deref()) {
            self.sink.report(channel, state, reason.as_deref());
        }
    }

    fn open(&mut self, id: ConnId, follows: Option<ConnId>) {
        if follows.is_some() {
            self.sink.reconnected(NAME);
        }
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let login = self.credentials.login();
        debug!(connection = id.0, anonymous = login.is_anonymous(), "opening a connection to twitch");
        self.outboxes.insert(id, Outbox { commands, login: login.clone() });
        self.tasks.spawn(
            Opening {
                id,
                follows,
                login,
                config: self.config.clone(),
                commands: receiver,
                outlets: self.outlets.clone(),
                stop: self.closing.clone(),
            }
            .run(),
        );
    }

    /// A connection that lets this many commands lie is about to be found dead; its end brings everything in order.
    fn tell(&mut self, id: ConnId, command: Command) {
        if let Some(outbox) = self.outboxes.get(&id)
            && outbox.commands.try_send(command).is_err()
        {
            debug!(connection = id.0, "a connection takes no more commands");
        }
    }

    fn learn(&mut self, id: ConnId, news: News) {
        let now = Instant::now();
        match news {
            News::Ready => self.ready(id),
            News::Joined(login) => self.roster.joined(id, &login),
            News::Parted(login) => self.roster.parted(id, &login, now),
            News::Refused { login, reason } => self.roster.refused(&login, &reason),
            News::Reconnect => self.roster.renew(id, now),
            News::Late(is_late) => self.roster.late(id, is_late),
        }
    }

    fn ready(&mut self, id: ConnId) {
        let is_anonymous = self.outboxes.get(&id).is_some_and(|outbox| outbox.login.is_anonymous());
        info!(connection = id.0, anonymous = is_anonymous, "connected to twitch");
        self.roster.ready(id, is_anonymous && self.credentials.fallback().is_some());
    }

    fn ended(&mut self, (id, ended): (ConnId, Ended)) -> Result<(), DriverError> {
        let outbox = self.outboxes.remove(&id);
        let cause = match ended {
            Ended::Left => Cause::Lost("closed".to_owned()),
            Ended::Lost(reason) => Cause::Lost(reason),
            Ended::LoginRefused(words) => self.login_refused(outbox, words),
        };
        let reason = format!("{cause}");
        match self.roster.gone(id, cause, Instant::now()) {
            Ok(Loss::Covered) => debug!(connection = id.0, "a connection to twitch has ended: {reason}"),
            Ok(Loss::Reopened) => {
                warn!(connection = id.0, "a connection to twitch is to be opened again: {reason}");
                self.sink.reconnected(NAME);
            }
            Err(reason) => return Err(DriverError::Lost(reason)),
        }
        Ok(())
    }

    /// A dead token is a reason to go on without it; a refused nobody is an outage like any other.
    fn login_refused(&mut self, outbox: Option<Outbox>, words: String) -> Cause {
        match outbox {
            Some(Outbox { login: login @ Login::Account { .. }, .. }) => {
                warn!("twitch refused the account's token: reading anonymously until it changes");
                self.credentials.refuse(login, words);
                Cause::Login
            }
            _ => Cause::Lost(format!("twitch refused the anonymous login: {words}")),
        }
    }

    async fn look(&mut self) {
        if self.credentials.look().await {
            info!("the token file has changed: logging in again");
            self.roster.renew_all(Instant::now());
        }
    }
}

/// A connection's panic is the driver's: the supervisor names it.
fn unwind(ended: Result<(ConnId, Ended), JoinError>) -> (ConnId, Ended) {
    match ended {
        Ok(ended) => ended,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no connection is ever aborted: {error}"),
        },
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
