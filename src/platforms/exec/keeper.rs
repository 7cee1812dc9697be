//! The keeper: this program once more, as a process between the server and a program that it runs, so that nothing of
//! that program outlives the server. It reads no configuration and no line of chat.
//!
//! A parent-death signal would not do: it is bound to the thread that started the child, not to its process, it reaches
//! that child alone and none of its children, and a change of user takes it away. The keeper has what none of this can
//! touch: a socket whose other end only the server holds, and that ends with the server however it ends; and every
//! process that loses its parent becomes the keeper's child, also one that left the group or the session.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgid, getpgrp, kill_current_process_group, kill_process, wait,
};
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};

use super::word::Word;

/// The name in lists of processes: the one that the kernel would give, `exe`, says nothing.
const NAME: &str = "elora-keep";
/// How long whoever is asked to end may take before he is killed. The server gives a listener 800 ms to leave.
const GRACE: Duration = Duration::from_millis(500);
/// Between two looks for somebody who is left to kill.
const AGAIN: Duration = Duration::from_millis(5);
/// After so many looks, the whole group is killed at once: whoever forks faster than he is found is in it.
const LOOKS: u32 = 200;

/// Runs a program until it ends, or the process at the other end of standard input does. Then ends all that is left of
/// it. What becomes of it is told over standard input.
pub fn keep(program: &OsStr, args: &[OsString]) -> io::Result<()> {
    // Only a nicer name.
    let _ = fs::write("/proc/self/comm", NAME);
    adopt_orphans()?;
    let lifeline = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch(program, args, lifeline))
}

/// Makes this the parent of everybody whose own has ended. Elsewhere than on Linux only the group is ended whole.
fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// The program and everybody who descends from it.
struct Family {
    /// The program itself.
    first: Pid,
    how: Option<WaitStatus>,
    /// Somebody's end.
    ends: unix::Signal,
}

async fn watch(program: &OsStr, args: &[OsString], lifeline: UnixStream) -> io::Result<()> {
    let mut told = lifeline.try_clone()?;
    // Before there is anybody whose end could be missed.
    let ends = signal(SignalKind::child())?;
    let mut asked = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let child = match Command::new(program).args(args).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => return tell(&mut told, Word::failed(&error)),
    };
    tell(&mut told, Word::Started)?;
    let mut family = Family { first: Pid::from_child(&child), how: None, ends };
    let_go_of_the_output()?;
    lifeline.set_nonblocking(true)?;
    let mut lifeline = tokio::net::UnixStream::from_std(lifeline)?;
    tokio::select! {
        () = family.first_ends() => {}
        () = closed(&mut lifeline) => {}
        // A signal to everything of this service: the server hears it, too, and this must outlive the program.
        () = any(&mut asked) => {}
    }
    family.end().await;
    family.how.map_or(Ok(()), |how| tell(&mut told, Word::ended(how)))
}

/// Nobody may be listening any more, which is why it is told from the end of a life.
fn tell(lifeline: &mut UnixStream, word: Word) -> io::Result<()> {
    match writeln!(lifeline, "{word}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// What the program writes ends with the program, and not with this process.
fn let_go_of_the_output() -> io::Result<()> {
    let nothing = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    Ok(())
}

/// The server never says anything: whatever comes is its end.
async fn closed(lifeline: &mut tokio::net::UnixStream) {
    let _ = lifeline.read(&mut [0]).await;
}

async fn any(asked: &mut [io::Result<unix::Signal>; 3]) {
    let [terminate, interrupt, hangup] = asked;
    tokio::select! {
        () = heard(terminate) => {}
        () = heard(interrupt) => {}
        () = heard(hangup) => {}
    }
}

async fn heard(signal: &mut io::Result<unix::Signal>) {
    match signal {
        Ok(signal) => _ = signal.recv().await,
        Err(_) => std::future::pending().await,
    }
}

impl Family {
    /// Waits for the program's own end. Its children may live on, for now.
    async fn first_ends(&mut self) {
        while self.reap() && self.how.is_none() {
            self.ends.recv().await;
        }
    }

    /// Takes note of everybody who has ended; false once nobody is left.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, how))) if pid == self.first => self.how = Some(how),
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Asks everybody to end, and kills whoever does not.
    async fn end(&mut self) {
        // This process is of the same group, and takes the signal as a wish of others.
        let _ = kill_current_process_group(Signal::TERM);
        let (mut asked, until) = (HashSet::new(), Instant::now() + GRACE);
        while self.reap() && Instant::now() < until {
            // Whoever left the group is found when his parent has ended.
            for pid in children().filter(|pid| getpgid(Some(*pid)) != Ok(getpgrp())) {
                if asked.insert(pid) {
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
            tokio::select! {
                _ = self.ends.recv() => {}
                () = sleep_until(until) => {}
            }
        }
        self.kill().await;
    }

    /// Kills whoever is left. Only children of its own, so that no number can have come to mean another process; with
    /// each of them, his children become its own.
    async fn kill(&mut self) {
        for _ in 0..LOOKS {
            if !self.reap() {
                return;
            }
            children().for_each(|pid| _ = kill_process(pid, Signal::KILL));
            tokio::select! {
                _ = self.ends.recv() => {}
                () = sleep(AGAIN) => {}
            }
        }
        let _ = kill_current_process_group(Signal::KILL);
    }
}

/// The processes whose parent this is now; none where the system does not say.
fn children() -> impl Iterator<Item = Pid> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let pids: Vec<Pid> = lists.flat_map(|list| list.split_whitespace().filter_map(pid).collect::<Vec<_>>()).collect();
    pids.into_iter()
}

fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}
