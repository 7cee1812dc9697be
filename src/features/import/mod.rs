//! History from elsewhere: a file of the earlier elora or of gnasty that lies where our store was configured, brought in
//! by itself, and what somebody brings by hand. Reads only, and takes its time: chat and readers go first.

mod api;
mod by_hand;
mod carry;
mod follow;
mod lines;
mod origin;
mod ours;
mod parcels;
mod progress;
mod sql;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use self::carry::{Pace, Tally, carry};
use self::origin::{Origin as _, Piece};
use self::progress::{Board, Progress, Reporter, State};
use self::table::{Found, Table};
use crate::chat::Channel;
use crate::feed::Hub;
use crate::ingest::Backoff;
use crate::store::{self, Db};
use crate::web::Routes;

pub use self::api::Answer;
pub use self::by_hand::{Given, Outcome, Progress as Step, bring};
pub use self::carry::Stopped;
pub use self::origin::Trouble;
pub use self::parcels::{Parcel, Parcels};
pub use self::table::old_settings;

/// Rows in a piece: chat waits for it some 2 ms.
const PIECE: u32 = 64;
/// Pauses between attempts at a file that cannot be read now, or a store that takes nothing.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(60);

/// The import of the one file that is recognized at the start. Cloning is cheap.
#[derive(Clone)]
pub struct Import {
    db: Db,
    board: Board,
    /// The channels that something may be of which does not say it.
    wanted: Wanted,
}

pub type Wanted = Arc<dyn Fn() -> BTreeSet<Channel> + Send + Sync>;

impl Import {
    pub fn new(db: Db, hub: Hub, wanted: Wanted) -> Self {
        Self { db, board: Board::new(hub), wanted }
    }

    pub fn routes(&self) -> Routes {
        Routes::new().get("/api/import", api::show).post("/api/import", api::bring).with_state(self.clone())
    }

    /// Brings the history of a file in, once: what an earlier run has brought is not read again. Ends when it is done.
    pub async fn run(self, path: PathBuf, stop: CancellationToken) {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MOST);
        loop {
            let begun = Instant::now();
            match self.attempt(&path, &stop).await {
                Ok(()) => return,
                Err(trouble) => self.wait_for(&path, &trouble),
            }
            let pause = tokio::time::sleep(backoff.after(begun.elapsed()));
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    async fn attempt(&self, path: &Path, stop: &CancellationToken) -> Result<(), Stopped> {
        let marks = self.db.marks().await?;
        let open = {
            let (path, wanted) = (path.to_owned(), (self.wanted)());
            move || Table::open(&path, wanted, &marks)
        };
        let table = tokio::task::spawn_blocking(open).await.map_err(|_| store::Error::Closed)??;
        let table = match table {
            Found::Nothing => return Ok(()),
            Found::Finished(total) => {
                self.board.tell(Progress::finished(name(path), total));
                return Ok(());
            }
            Found::Left(table) => *table,
        };
        let total = table.total().unwrap_or_default();
        tracing::info!(file = %path.display(), total, "import: bringing in the history of an older file, newest first");
        let mut reporter = Reporter::new(self.board.clone(), name(path), total);
        let (pace, mut last) = (Pace { most: PIECE, is_polite: true }, Tally::default());
        let tell = |tally: &Tally| {
            reporter.note(tally);
            last.clone_from(tally);
        };
        if carry(table, &self.db, pace, stop, tell).await? {
            reporter.finish(&last);
        }
        Ok(())
    }

    /// Says why it waits, once for each reason.
    fn wait_for(&self, path: &Path, trouble: &Stopped) {
        // Readers need not know where it lies.
        let reason = trouble.to_string().replace(&path.display().to_string(), &name(path));
        let (now, reason) = (self.board.now(), Some(reason));
        if now.state == State::Waiting && now.reason == reason {
            return;
        }
        tracing::warn!(file = %path.display(), %trouble, "import: waiting");
        self.board.tell(Progress { state: State::Waiting, file: Some(name(path)), reason, ..now });
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
