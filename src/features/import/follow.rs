//! The history that the reader of a harvester's file brings in by itself: only shown here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::progress::{Progress, State};
use super::{Import, name};
use crate::platforms::harvester;
use crate::store::Error;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks between two lines in the log.
const LOOKS_PER_LINE: u32 = 5;

impl Import {
    /// Tells how far the reader has come with a file's history, until there is none left.
    pub async fn follow(self, path: PathBuf, stop: CancellationToken) {
        let (mut looks, mut has_begun) = (0, false);
        loop {
            match self.look(&path, &mut has_begun, &mut looks).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "import: how far it is could not be read"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// True at the end.
    async fn look(&self, path: &Path, has_begun: &mut bool, looks: &mut u32) -> Result<bool, Error> {
        let Some((done, total)) = harvester::history(&self.db.marks().await?, path) else {
            // Whatever comes, comes in this run, and its end is told even if it is over at the next look.
            *has_begun = true;
            return Ok(false);
        };
        let is_over = done == total;
        if is_over && (!*has_begun || total == 0) {
            return Ok(true);
        }
        *has_begun = true;
        let state = if is_over { State::Finished } else { State::Running };
        if is_over || looks.is_multiple_of(LOOKS_PER_LINE) {
            let percent = super::progress::percent(done, total);
            tracing::info!("import: {done} of {total} messages ({percent} %)");
        }
        *looks += 1;
        self.board.tell(Progress { state, file: Some(name(path)), done, total, imported: done, ..Progress::default() });
        Ok(is_over)
    }
}
