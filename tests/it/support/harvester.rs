//! A harvester of our own, as a process of its own: it writes a `messages` table with the statements that gnasty writes
//! with, waits for no lock, and tells every error that it meets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::within;

/// Set for the process that is to be the writer.
pub const ROLE: &str = "HARVESTER_STAND_IN";
/// The test that is the writer's whole program where the role is set; a bench looks at the role itself.
const PROGRAM: &str = "harvester::writer::a_process_with_the_role_writes_until_its_input_ends";
/// What its lines begin with, as a test's process says other things, too.
const MARK: &str = "harvester: ";
/// The longest that it is given something to do for.
const LONGEST: Duration = Duration::from_secs(100);

/// One message in so many is one that was written before, with another text.
pub const EDIT_EVERY: usize = 20;
/// One in so many has no id, and is written twice.
pub const NAMELESS_EVERY: usize = 25;

/// The process, seen from the test.
pub struct Writer {
    child: Child,
    input: ChildStdin,
    answers: mpsc::Receiver<Value>,
    pub path: PathBuf,
}

impl Writer {
    /// Starts it on this file, with what gnasty does at its start.
    pub async fn start(path: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.args([PROGRAM, "--exact", "--nocapture"]).env(ROLE, path);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started once more");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (tell, answers) = mpsc::channel(16);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // A test's process may say something of its own before, in the same line.
                let Some((_, said)) = line.split_once(MARK) else { continue };
                let said = serde_json::from_str(said).expect("the writer says JSON");
                if tell.blocking_send(said).is_err() {
                    return;
                }
            }
        });
        let mut writer = Self { child, input, answers, path: path.to_owned() };
        writer.answer().await;
        writer
    }

    /// Has it do something, and gives what it says to that.
    pub async fn ask(&mut self, what: Value) -> Value {
        self.begin(&what);
        self.answer().await
    }

    /// The same without waiting.
    pub fn begin(&mut self, what: &Value) {
        writeln!(self.input, "{what}").expect("the writer reads");
    }

    pub async fn answer_with_errors(&mut self) -> Value {
        within(LONGEST, "the writer answers", self.answers.recv()).await.expect("the writer lives")
    }

    pub async fn answer(&mut self) -> Value {
        let answer = self.answer_with_errors().await;
        assert_eq!(answer["errors"], json!([]), "the writer met an error");
        answer
    }

    /// One message; its id is `<id>`.
    pub async fn say(&mut self, id: &str, text: &str) {
        self.say_at(id, text, now_ms()).await;
    }

    pub async fn say_at(&mut self, id: &str, text: &str, ts: i64) {
        self.ask(json!({ "do": "say", "id": id, "text": text, "ts": ts })).await;
    }

    /// Messages `<name>-0` and so on, with some that are edited and some that have no id among them.
    pub async fn flood(&mut self, name: &str, count: usize, per_second: usize) -> Value {
        self.ask(flood(name, count, per_second)).await
    }

    pub async fn sql(&mut self, sql: &str) {
        self.ask(json!({ "do": "sql", "sql": sql })).await;
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) -> PathBuf {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.path.clone()
    }

    /// Lets it close its file in order.
    pub fn stop(self) -> PathBuf {
        let Self { mut child, input, path, .. } = self;
        drop(input);
        assert!(child.wait().expect("it ends").success());
        path
    }
}

pub fn flood(name: &str, count: usize, per_second: usize) -> Value {
    json!({ "do": "flood", "name": name, "count": count, "per_second": per_second })
}

/// The ids of a flood's messages; those without one are known by their text.
pub fn ids(name: &str, count: usize) -> Vec<String> {
    (0..count).filter(|n| !is_nameless(*n)).map(|n| format!("{name}-{n}")).collect()
}

pub fn is_nameless(n: usize) -> bool {
    n % NAMELESS_EVERY == NAMELESS_EVERY - 1
}

pub fn now_ms() -> i64 {
    i64::try_from(now_us() / 1000).expect("it is before the year 292,278,994")
}

pub fn now_us() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_micros()
}

/// The writer's program: does what it is told line by line, and ends with its input.
pub fn run(path: &Path) {
    let connection = open(path);
    let mut program = Program { connection: connection.map_err(|error| error.to_string()), errors: Vec::new() };
    if let Err(error) = &program.connection {
        program.errors.push(error.clone());
    }
    program.tell(json!({}));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let what: Value = serde_json::from_str(&line).expect("the test says JSON");
        let done = program.carry_out(&what);
        program.tell(done);
    }
}

struct Program {
    connection: Result<Connection, String>,
    errors: Vec<String>,
}

impl Program {
    fn tell(&mut self, mut done: Value) {
        done["errors"] = json!(std::mem::take(&mut self.errors));
        println!("{MARK}{done}");
    }

    fn carry_out(&mut self, what: &Value) -> Value {
        let text = |name: &str| what[name].as_str().unwrap_or_default();
        let number = |name: &str| usize::try_from(what[name].as_u64().unwrap_or_default()).expect("a small number");
        match text("do") {
            "say" => {
                let ts = what["ts"].as_i64().expect("a time");
                self.note(|connection| upsert(connection, Some(text("id")), ts, text("text")));
                json!({})
            }
            "flood" => self.flood(text("name"), number("count"), number("per_second")),
            "sql" => {
                self.note(|connection| connection.execute_batch(text("sql")));
                json!({})
            }
            other => panic!("{other} is nothing to do"),
        }
    }

    fn note(&mut self, change: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
        let Ok(connection) = &self.connection else { return };
        if let Err(error) = change(connection) {
            self.errors.push(error.to_string());
        }
    }

    /// As fast as asked for, or as it goes, with the longest that one commit took.
    fn flood(&mut self, name: &str, count: usize, per_second: usize) -> Value {
        let begun = Instant::now();
        let mut longest = Duration::ZERO;
        for n in 0..count {
            if per_second > 0 {
                let due = Duration::from_secs_f64(n as f64 / per_second as f64);
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
            }
            let started = Instant::now();
            self.one_of_flood(name, n);
            longest = longest.max(started.elapsed());
        }
        json!({ "longest_us": longest.as_micros(), "took_ms": begun.elapsed().as_millis() })
    }

    fn one_of_flood(&mut self, name: &str, n: usize) {
        let (id, text) = (format!("{name}-{n}"), format!("{name} {n} at {}", now_us()));
        if is_nameless(n) {
            let ts = now_ms();
            (0..2).for_each(|_| self.note(|connection| insert(connection, ts, &text)));
        } else {
            self.note(|connection| upsert(connection, Some(&id), now_ms(), &text));
        }
        if n % EDIT_EVERY == EDIT_EVERY - 1 {
            // Never one without an id.
            let n = n - EDIT_EVERY / 2 + 1;
            let (id, text) = (format!("{name}-{n}"), format!("{name} {n} edited at {}", now_us()));
            self.note(|connection| upsert(connection, Some(&id), now_ms(), &text));
        }
    }
}

/// What gnasty does with a file before it writes into it.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    if column_type(&connection, "id")?.is_some_and(|kind| kind != "INTEGER") {
        rebuild(&connection)?;
    }
    connection.execute_batch("DROP INDEX IF EXISTS messages_platform_msg_id")?;
    connection.execute_batch(TABLE)?;
    if column_type(&connection, "colour")?.is_none() {
        connection.execute_batch("ALTER TABLE messages ADD COLUMN colour TEXT NOT NULL DEFAULT ''")?;
    }
    connection.execute_batch(
        "UPDATE messages SET emotes_json = '[]' WHERE emotes_json IS NULL;
         UPDATE messages SET raw_json = '' WHERE raw_json IS NULL;
         UPDATE messages SET badges_json = '[]' WHERE badges_json IS NULL;
         DELETE FROM messages WHERE rowid NOT IN (SELECT MIN(rowid) FROM messages GROUP BY platform, ts, username, text);
         CREATE UNIQUE INDEX IF NOT EXISTS messages_uq_platform_msg ON messages(platform, platform_msg_id);
         CREATE UNIQUE INDEX IF NOT EXISTS messages_upsert_key ON messages(platform, ts, username, text);",
    )?;
    Ok(connection)
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  platform TEXT NOT NULL,
  platform_msg_id TEXT,
  ts INTEGER NOT NULL,
  username TEXT NOT NULL,
  text TEXT NOT NULL,
  emotes_json TEXT NOT NULL DEFAULT '[]',
  raw_json TEXT NOT NULL DEFAULT '',
  badges_json TEXT NOT NULL DEFAULT '[]',
  colour TEXT NOT NULL DEFAULT ''
)";

/// A table with texts for ids is made anew, with its rows, as gnasty does it.
fn rebuild(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN;
         ALTER TABLE messages RENAME TO messages_old;
         {TABLE};
         INSERT OR IGNORE INTO messages (platform, platform_msg_id, ts, username, text, emotes_json, raw_json, badges_json)
           SELECT platform, id, ts, username, text, emotes_json, COALESCE(raw_json, ''), badges_json FROM messages_old;
         DROP TABLE messages_old;
         COMMIT;"
    ))
}

fn column_type(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut columns = connection.prepare("SELECT name, type FROM pragma_table_info('messages')")?;
    let columns = columns.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let columns: Vec<_> = columns.collect::<Result<_, _>>()?;
    Ok(columns.into_iter().find_map(|(known, kind)| (known == name).then_some(kind)))
}

/// One statement is one transaction, as with gnasty.
fn upsert(connection: &Connection, id: Option<&str>, ts: i64, text: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO messages (platform, platform_msg_id, ts, username, text, emotes_json, raw_json, badges_json, colour)
             VALUES (?, ?, ?, ?, ?, '[]', '', '[]', '#FF0000')
             ON CONFLICT(platform, platform_msg_id) DO UPDATE SET ts = excluded.ts, username = excluded.username,
               text = excluded.text, emotes_json = excluded.emotes_json, raw_json = excluded.raw_json,
               badges_json = excluded.badges_json, colour = excluded.colour",
        )?
        .execute(params!["YouTube", id, ts, "@ada", text])?;
    Ok(())
}

/// Without an id of its own.
fn insert(connection: &Connection, ts: i64, text: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO messages (platform, ts, username, text) VALUES ('YouTube', ?, '@ada', ?)",
        )?
        .execute(params![ts, text])?;
    Ok(())
}
