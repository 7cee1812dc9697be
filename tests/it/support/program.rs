//! Programs that the server runs: small scripts of a test, and the search for what is left of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::server::{Launch, Server};
use super::soon;

/// A variable that the program and all its descendants carry.
const MARKER: &str = "IT_PROGRAM_MARKER";
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A shell script that every descendant of can be told by.
#[derive(Clone)]
pub struct Script {
    pub path: PathBuf,
    marker: String,
}

impl Script {
    /// Writes `name` into the launch's folder. `$1` and what follows are the program's arguments.
    pub fn new(launch: &Launch, name: &str, body: &str) -> Self {
        let path = launch.dir().join(name);
        write_program(&path, &format!("#!/bin/sh\n{body}\n"));
        Self { path, marker: Uuid::new_v4().to_string() }
    }

    /// Has the launch run it with these arguments by the driver `exec`.
    pub fn run_by(&self, launch: Launch, args: &[&str]) -> Launch {
        let command: Vec<&str> = [self.path.to_str().expect("a path of ours")].iter().chain(args).copied().collect();
        self.mark(launch).env("ELORA_INGEST_DRIVER", "exec").env("ELORA_EXEC", &command.join(","))
    }

    /// Lets every process that comes of it be found, whichever driver starts it.
    pub fn mark(&self, launch: Launch) -> Launch {
        launch.env(MARKER, &self.marker).env("ELORA_EXEC_ENV", MARKER)
    }

    /// The processes that come of it, keepers too, each with its command line.
    pub fn processes(&self, server: u32) -> Vec<(u32, String)> {
        let needle = format!("{MARKER}={}", self.marker).into_bytes();
        let is_marked = |pid: u32| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|pair| pair == needle)
        };
        let all = pids().filter(|pid| *pid != server && is_marked(*pid));
        all.map(|pid| (pid, command_line(pid))).collect()
    }

    /// Waits until as many processes, keepers left out, are there as wanted.
    pub async fn until_running(&self, server: &Server, what: &str, is_enough: impl Fn(&[(u32, String)]) -> bool) {
        self.until(server.pid(), what, |all| {
            let own: Vec<_> = all.iter().filter(|(_, line)| !line.contains(" keep -- ")).cloned().collect();
            is_enough(&own)
        })
        .await;
    }

    /// Waits until nothing of it is left.
    pub async fn until_gone(&self, server: u32) {
        self.until(server, "nothing of the program is left", <[_]>::is_empty).await;
    }

    async fn until(&self, server: u32, what: &str, is_so: impl Fn(&[(u32, String)]) -> bool) {
        let mut beat = tokio::time::interval(LOOK_EVERY);
        soon(what, async {
            while !is_so(&self.processes(server)) {
                beat.tick().await;
            }
        })
        .await;
    }
}

/// Writes a file that can be run.
pub fn write_program(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the folder can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// Children of a process that have ended and that it has not taken note of.
pub fn zombies(parent: u32) -> usize {
    let is_one = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.next() == Some("Z") && fields.next() == Some(&parent.to_string())
    };
    pids().filter(|pid| is_one(*pid)).count()
}

fn pids() -> impl Iterator<Item = u32> {
    let all = std::fs::read_dir("/proc").expect("there is /proc").flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn command_line(pid: u32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}
