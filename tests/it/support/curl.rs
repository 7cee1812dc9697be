//! The real `curl`, as operators' scripts use it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tokio::sync::mpsc;

use super::skip::skipped;
use super::soon;

/// Lines that may wait to be read.
const WAITING: usize = 4096;

/// What `curl` left behind.
#[derive(Debug)]
pub struct Curled {
    /// Its exit code; 22 is a refusal seen by `-f`.
    pub code: Option<i32>,
    pub out: String,
}

/// False, and said aloud, where there is no `curl`.
pub fn is_here() -> bool {
    let found = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        skipped("recipes for curl: there is no curl here (install the package curl)");
    }
    found
}

/// Runs it in a folder, without the settings of whoever runs the tests.
pub async fn curl(folder: &Path, args: &[&str]) -> Curled {
    let mut command = command(folder, args);
    let done = tokio::task::spawn_blocking(move || command.arg("--max-time").arg("20").output());
    let done = soon("curl ends", done).await.expect("it does not panic").expect("curl starts");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    Curled { code: done.status.code(), out }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("curl");
    // `-q` has to stand first.
    command.args(["-q", "--noproxy", "*"]).args(args).current_dir(folder).stdin(Stdio::null());
    command
}

/// A `curl -N` that goes on. Killed with its value.
pub struct Stream {
    child: Child,
    lines: mpsc::Receiver<String>,
    pub seen: Vec<String>,
}

impl Stream {
    pub fn open(folder: &Path, args: &[&str]) -> Self {
        let mut child = command(folder, args).stdout(Stdio::piped()).spawn().expect("curl starts");
        let (tell, lines) = mpsc::channel(WAITING);
        let out = BufReader::new(child.stdout.take().expect("piped")).lines();
        std::thread::spawn(move || out.map_while(Result::ok).try_for_each(|line| tell.blocking_send(line).ok()));
        Self { child, lines, seen: Vec::new() }
    }

    /// Reads on until what it has seen satisfies.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        soon(&format!("curl: {what}"), async {
            while !is_so(&self.seen) {
                let line = self.lines.recv().await;
                self.seen.push(line.unwrap_or_else(|| panic!("curl ended before: {what}; saw {:?}", self.seen)));
            }
        })
        .await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
