//! The real program as a child process: started with a folder of its own, watched, and ended with the test.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use super::feed::Feed;
use super::http::{Answer, Request};
use super::twitch::Twitch;
use super::{DEADLINE, soon};

/// Variables of the person who runs the tests that would reach the program.
const FOREIGN_PREFIXES: [&str; 9] =
    ["ELORA_", "GNASTY_", "TWITCH_", "YOUTUBE_", "VITE_PUBLIC_", "HTTP_ADDR", "DB_PATH", "CHAT_URLS", "LOG_"];
const FOREIGN_NAMES: [&str; 4] = ["PORT", "DEPLOYED_URL", "GO_ENV", "ENVIRONMENT"];

const ASK_EVERY: Duration = Duration::from_millis(50);

/// How the program is to be started.
#[derive(Clone)]
pub struct Launch {
    /// Gone when the last launch and server that share it are gone.
    dir: Arc<TempDir>,
    db: PathBuf,
    vars: Vec<(String, String)>,
    args: Vec<String>,
    program: PathBuf,
    uid: Option<u32>,
    wrapper: Vec<String>,
    flagless: bool,
}

/// A program that ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Everything it wrote, on both streams.
    pub said: String,
}

impl Default for Launch {
    fn default() -> Self {
        Self::new()
    }
}

impl Launch {
    /// `serve` on a free port of the loopback, with a store in a new folder and nothing to listen to.
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("elora-it-").expect("a temporary folder");
        let db = dir.path().join("elora.db");
        let program = PathBuf::from(env!("CARGO_BIN_EXE_elora-chat"));
        Self {
            dir: Arc::new(dir),
            db,
            vars: Vec::new(),
            args: Vec::new(),
            program,
            uid: None,
            wrapper: Vec::new(),
            flagless: false,
        }
        .env("ELORA_INGEST_BACKOFF_BASE_MS", "50")
        .env("ELORA_INGEST_BACKOFF_MAX_MS", "500")
        .env("TWITCH_IRC_URL", "ws://127.0.0.1:9")
    }

    /// Listens to these channels of the stand-in.
    pub fn twitch(self, twitch: &Twitch, channels: &[&str]) -> Self {
        self.env("TWITCH_IRC_URL", &format!("ws://127.0.0.1:{}", twitch.port()))
            .env("TWITCH_CHANNELS", &channels.join(","))
    }

    /// Sets a variable; a later value replaces an earlier one.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Keeps the store at another path of the folder.
    pub fn db(mut self, path: PathBuf) -> Self {
        self.db = path;
        self
    }

    /// Runs a copy of the program.
    pub fn program(mut self, path: PathBuf) -> Self {
        self.program = path;
        self
    }

    /// Runs as another user: root, who may run the tests, ignores permissions.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Leaves store and address to the environment.
    pub fn flagless(mut self) -> Self {
        self.flagless = true;
        self
    }

    /// Runs the program through another one, such as `unshare -m`.
    pub fn wrapped(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn db_path(&self) -> &Path {
        &self.db
    }

    /// Starts it and waits until it listens.
    pub async fn start(self) -> Server {
        let running = Running::spawn(&mut self.command());
        let mut said = running.said.clone();
        let ready = said.wait_for(|said| said.ended || address(&said.text).is_some());
        let addr = soon("the server listens", ready).await.ok().and_then(|said| address(&said.text));
        let Some(addr) = addr else { panic!("the server ended before it listened:\n{}", running.text()) };
        Server { addr, running, launch: self }
    }

    /// Starts it and waits until it ends by itself.
    pub async fn run(self) -> Ended {
        let running = Running::spawn(&mut self.command());
        running.wait(DEADLINE).await
    }

    /// Starts another command of the program, with the same environment, and waits for its end.
    pub async fn run_command(&self, args: &[&str]) -> Ended {
        let mut command = self.bare_command();
        command.args(args);
        Running::spawn(&mut command).wait(DEADLINE).await
    }

    fn command(&self) -> Command {
        let mut command = self.bare_command();
        command.arg("serve");
        if self.flagless {
            return command;
        }
        command.arg("--db-path").arg(&self.db);
        if !self.args.iter().any(|arg| arg == "--http-addr") {
            command.args(["--http-addr", "127.0.0.1:0"]);
        }
        command.args(&self.args);
        command
    }

    fn bare_command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        for (name, _) in std::env::vars() {
            let foreign = FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            if foreign || FOREIGN_NAMES.contains(&name.as_str()) {
                command.env_remove(name);
            }
        }
        command.envs(self.vars.iter().map(|(name, value)| (name, value))).current_dir(self.dir.path());
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        command
    }
}

/// A server that listens. Killed with its value.
pub struct Server {
    pub addr: SocketAddr,
    running: Running,
    launch: Launch,
}

impl Server {
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    pub fn pid(&self) -> u32 {
        self.running.pid
    }

    /// Everything it has written so far.
    pub fn said(&self) -> String {
        self.running.text()
    }

    /// Waits until it has written something.
    pub async fn until_it_says(&self, part: &str) {
        let mut said = self.running.said.clone();
        let told = said.wait_for(|said| said.text.contains(part));
        soon(&format!("the server says `{part}`"), told).await.expect("the watch lives");
    }

    /// The owner's token, as it lies beside the store.
    pub fn token(&self) -> String {
        let path = self.inside(&self.launch.db.with_file_name("owner.token"));
        let token = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        token.trim().to_owned()
    }

    pub async fn get(&self, path: &str) -> Answer {
        Request::get(path).send(self.addr).await
    }

    /// Asks as the owner.
    pub async fn ask(&self, request: Request) -> Answer {
        request.bearer(&self.token()).send(self.addr).await
    }

    pub async fn add_source(&self, source: &str) -> Answer {
        self.ask(Request::new("POST", "/api/sources").json(&json!({ "source": source }))).await
    }

    pub async fn sources(&self) -> Vec<Value> {
        self.get("/api/sources").await.json()["sources"].as_array().cloned().unwrap_or_default()
    }

    /// Opens the feed with a query such as `?last=0`.
    pub async fn feed(&self, query: &str) -> Feed {
        Feed::open(self.addr, query).await
    }

    /// The store, read beside the running server.
    pub fn store(&self) -> rusqlite::Connection {
        open_store(&self.inside(self.launch.db_path()))
    }

    /// A path as the server sees it, which may have mounts of its own.
    pub fn inside(&self, path: &Path) -> PathBuf {
        if self.launch.wrapper.is_empty() {
            return path.to_owned();
        }
        Path::new(&format!("/proc/{}/root", self.pid())).join(path.strip_prefix("/").expect("an absolute path"))
    }

    /// A counter's or gauge's value by its line's start, such as `elora_x_total{kind="feed"}`; 0 where it is not listed.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0.0)
    }

    /// Every row of the store's one-column query.
    pub fn column<T: rusqlite::types::FromSql>(&self, query: &str) -> Vec<T> {
        column(&self.store(), query)
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).expect("the server runs")
    }

    /// Kills it as a power cut would, and gives back how to start it again.
    pub async fn kill(self) -> Launch {
        self.running.kill();
        self.running.wait(DEADLINE).await;
        self.launch.clone()
    }

    pub fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(self) -> Ended {
        self.stop_within(DEADLINE).await
    }

    pub async fn stop_within(self, limit: Duration) -> Ended {
        self.signal("TERM");
        self.running.wait(limit).await
    }

    /// Waits for its end without asking.
    pub async fn end(self) -> Ended {
        self.running.wait(DEADLINE).await
    }
}

pub fn open_store(path: &Path) -> rusqlite::Connection {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = rusqlite::Connection::open_with_flags(path, flags).expect("the store opens");
    store.busy_timeout(Duration::from_secs(5)).expect("a busy timeout");
    store
}

/// Every row of a one-column query.
pub fn column<T: rusqlite::types::FromSql>(store: &rusqlite::Connection, query: &str) -> Vec<T> {
    let mut rows = store.prepare(query).expect("the query fits the schema");
    let rows = rows.query_map([], |row| row.get(0)).expect("the query runs");
    rows.collect::<Result<_, _>>().expect("every row has the type")
}

/// The address in `listening on http://…`.
fn address(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("listening on http://")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !".:[]".contains(c))?;
    rest[..end].parse().ok()
}

#[derive(Default)]
struct Said {
    text: String,
    ended: bool,
}

/// A child process, what it says, and its end.
struct Running {
    pid: u32,
    child: Mutex<Child>,
    said: watch::Receiver<Said>,
}

impl Running {
    fn spawn(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (tell, said) = watch::channel(Said::default());
        let tell = Arc::new(tell);
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let readers = [listen(out, Arc::clone(&tell)), listen(err, Arc::clone(&tell))];
        std::thread::spawn(move || {
            for reader in readers {
                let _ = reader.join();
            }
            tell.send_modify(|said| said.ended = true);
        });
        Self { pid: child.id(), child: Mutex::new(child), said }
    }

    fn text(&self) -> String {
        self.said.borrow().text.clone()
    }

    fn signal(&self, name: &str) {
        if !self.said.borrow().ended {
            let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid)]).status();
            assert!(sent.is_ok_and(|status| status.success()), "the server takes SIG{name}");
        }
    }

    /// At once, without another process between.
    fn kill(&self) {
        self.child.lock().expect("no test panicked in here").kill().expect("a child can be killed");
    }

    async fn wait(&self, limit: Duration) -> Ended {
        let mut said = self.said.clone();
        let ended = async {
            let _ = said.wait_for(|said| said.ended).await;
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            panic!("the server did not end within {} s:\n{}", limit.as_secs(), self.text());
        }
        // Its streams are closed, so its end is at hand.
        let status = self.child.lock().expect("no test panicked in here").wait().expect("a child can be waited for");
        Ended { code: status.code(), said: self.text() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("---- the server said:\n{}----", self.text());
        }
    }
}

fn listen(stream: impl std::io::Read + Send + 'static, tell: Arc<watch::Sender<Said>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(std::io::BufReader::new(stream)).map_while(Result::ok) {
            tell.send_modify(|said| {
                said.text.push_str(&line);
                said.text.push('\n');
            });
        }
    })
}

/// Asks until the answer satisfies: for what no socket announces.
pub async fn asked_until(what: &str, server: &Server, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
    let mut beat = tokio::time::interval(ASK_EVERY);
    soon(what, async {
        loop {
            beat.tick().await;
            let answer = server.get(path).await;
            if is_so(&answer) {
                return answer;
            }
        }
    })
    .await
}
