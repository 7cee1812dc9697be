//! npm's tmi.js as a witness: a real Twitch client by other hands, run by node, saying what it saw.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::sync::mpsc;

use super::soon;

/// A running tmi.js and everything it has reported. Killed with its value.
pub struct Tmi {
    child: Child,
    reports: mpsc::Receiver<Value>,
    pub seen: Vec<Value>,
}

impl Tmi {
    /// Starts tmi.js with options such as `{"port": 1, "channels": ["a"], "reconnect": true}`.
    pub fn start(options: &Value) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let clients = root.join("tests/clients");
        assert!(clients.join("node_modules/tmi.js").is_dir(), "tmi.js is not installed: run `make setup`");
        // The machine may have no node but the one that was installed for the pages.
        let mut child = Command::new(root.join("scripts/with-node"))
            .arg("node")
            .arg(clients.join("tmi.mjs"))
            .arg(options.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/with-node starts");
        let (tell, reports) = mpsc::channel(1024);
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let report = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if tell.blocking_send(report).is_err() {
                    return;
                }
            }
        });
        Self { child, reports, seen: Vec::new() }
    }

    /// Waits until it has reported what is wanted, or fails naming it.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&[Value]) -> bool) {
        soon(&format!("tmi.js: {what}"), async {
            while !is_so(&self.seen) {
                let report = self.reports.recv().await;
                self.seen.push(report.unwrap_or_else(|| panic!("tmi.js ended before: {what}; saw {:?}", self.seen)));
            }
        })
        .await;
    }

    /// Waits for the first report of a kind, and gives it.
    pub async fn event(&mut self, kind: &str) -> Value {
        self.until(kind, |seen| seen.iter().any(|report| report["event"] == kind)).await;
        self.seen.iter().find(|report| report["event"] == kind).expect("it has just been seen").clone()
    }

    /// Ids of the messages it saw, in order.
    pub fn message_ids(&self) -> Vec<String> {
        let messages = self.seen.iter().filter(|report| report["event"] == "message");
        messages.filter_map(|report| report["id"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Tmi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
