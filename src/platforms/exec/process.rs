//! A program that runs, as the server sees it: its two outputs, how it ended, and how to be rid of it. Reads no line.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use super::word::Word;

/// This program, also after its file was replaced by another version. Linux alone has it.
const SELF: &str = "/proc/self/exe";
const NAME: &str = "elora-chat";

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub path: String,
    pub args: Vec<String>,
    /// All of its environment.
    pub env: Vec<(String, String)>,
}

/// A started program. When this is dropped, everything of it is ended.
pub struct Process {
    pub out: pipe::Receiver,
    pub err: pipe::Receiver,
    pub life: Life,
}

/// The server's end of the lifeline.
pub struct Life {
    lifeline: Lifeline,
    ended: oneshot::Receiver<Word>,
}

/// Ends the program when it is let go of. The thread of the program reads at the same end, so that closing is not enough.
struct Lifeline(UnixStream);

/// What the thread has to tell once the program has started.
struct Opened {
    out: OwnedFd,
    err: OwnedFd,
    lifeline: Lifeline,
}

impl Program {
    /// Starts it. The error is the system's reason.
    pub async fn start(self) -> io::Result<Process> {
        let (tell_opened, opened) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        // Starting and waiting both block; and whoever was started is waited for even if nobody asks any more.
        thread::Builder::new().name("program".to_owned()).spawn(move || attend(&self, tell_opened, tell_ended))?;
        let Opened { out, err, lifeline } = opened.await.map_err(io::Error::other)??;
        let life = Life { lifeline, ended };
        Ok(Process { out: pipe::Receiver::from_owned_fd(out)?, err: pipe::Receiver::from_owned_fd(err)?, life })
    }

    /// Through the keeper, in a group of its own.
    fn command(&self, lifeline: UnixStream) -> Command {
        let mut command = Command::new(own_file());
        command.arg0(NAME).args(["keep", "--"]).arg(OsString::from(&self.path)).args(&self.args);
        command.env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(OwnedFd::from(lifeline)).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        command
    }
}

impl Life {
    /// Waits until all of the program has ended, and says how it did.
    pub async fn ended(&mut self) -> Word {
        // Without a last word the keeper was killed, and took everything along.
        (&mut self.ended).await.unwrap_or(Word::Killed(Signal::KILL.as_raw()))
    }

    /// Has the program ended: it is asked to, and soon after killed.
    pub fn leave(&self) {
        self.lifeline.end();
    }
}

impl Lifeline {
    fn end(&self) {
        // The keeper may have ended already.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.end();
    }
}

fn own_file() -> PathBuf {
    let file = Path::new(SELF);
    if file.exists() { file.to_owned() } else { std::env::current_exe().unwrap_or_else(|_| NAME.into()) }
}

/// The thread of one program.
fn attend(program: &Program, tell_opened: oneshot::Sender<io::Result<Opened>>, tell_ended: oneshot::Sender<Word>) {
    let started = start(program);
    let (mut child, mut words, opened) = match started {
        Ok(started) => started,
        Err(error) => {
            let _ = tell_opened.send(Err(error));
            return;
        }
    };
    let (first, has_started) = match next(&mut words) {
        Some(Word::Failed(number)) => (Err(io::Error::from_raw_os_error(number)), false),
        Some(Word::Started) => (Ok(opened), true),
        _ => (Err(io::Error::other("its keeper was killed")), false),
    };
    // If nobody waits any more, this ends it.
    let _ = tell_opened.send(first);
    let last = if has_started { next(&mut words) } else { None };
    let _ = bury(&mut child);
    if let Some(word) = last {
        let _ = tell_ended.send(word);
    }
}

fn start(program: &Program) -> io::Result<(Child, BufReader<UnixStream>, Opened)> {
    // The system's reason would be taken for one against the program.
    open(program).map_err(|error| io::Error::other(format!("its keeper cannot be started: {error}")))
}

fn open(program: &Program) -> io::Result<(Child, BufReader<UnixStream>, Opened)> {
    let (ours, theirs) = UnixStream::pair()?;
    // Dropped at the end of the statement, and with it this process's hold on the other end.
    let mut child = program.command(theirs).spawn()?;
    let streams = child.stdout.take().zip(child.stderr.take());
    let (out, err) = streams.ok_or_else(|| io::Error::other("it has no output"))?;
    let opened = Opened { out: out.into(), err: err.into(), lifeline: Lifeline(ours.try_clone()?) };
    Ok((child, BufReader::new(ours), opened))
}

fn next(words: &mut BufReader<UnixStream>) -> Option<Word> {
    let mut line = String::new();
    words.read_line(&mut line).ok()?;
    line.parse().ok()
}

/// Waits for the keeper, and ends its group: nobody is in it any more, unless the keeper was killed itself. The group's
/// number is taken until the keeper is reaped, and cannot mean another one.
fn bury(child: &mut Child) -> io::Result<()> {
    let pid = Pid::from_child(child);
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let _ = kill_process_group(pid, Signal::KILL);
    child.wait().map(|_| ())
}
