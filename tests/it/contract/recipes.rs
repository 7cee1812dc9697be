//! What operators have in their scripts, run by the real `curl`: all of it works with the owner's token added.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::curl::{Curled, Stream, curl, is_here};
use crate::support::feed::Feed;
use crate::support::scene::watching_with;
use crate::support::server::{Launch, Server};
use crate::support::twitch::lines::{Line, now_ms, privmsg};
use crate::support::twitch::{ADA, Twitch};

/// More than two pages of a hundred.
const MESSAGES: i64 = 250;
/// An hour: what is older than the newest of them was said then.
const HOUR: i64 = 3_600_000;

/// A server with messages of a millisecond each, and what a script has in its variables.
struct Scene {
    twitch: Twitch,
    server: Server,
    feed: Feed,
    ids: Vec<String>,
    begun: i64,
    api: String,
    token: String,
}

async fn scene() -> Scene {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DEV_SEED_ENABLED", "1");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let begun = now_ms() - HOUR;
    let lines: Vec<Line> = (0..MESSAGES).map(|n| privmsg("room", &ADA, "a line").sent(begun + n)).collect();
    let ids: Vec<String> = lines.iter().map(Line::native_id).collect();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;
    let (api, token) = (format!("http://{}", server.addr), format!("Authorization: Bearer {}", server.token()));
    Scene { twitch, server, feed, ids, begun, api, token }
}

impl Scene {
    /// Runs `curl` with `$API` and `$TOKEN` filled in, in the server's folder.
    async fn curl(&self, line: &str) -> Curled {
        let args: Vec<String> = words(line).iter().map(|word| self.filled(word)).collect();
        curl(self.server.launch().dir(), &args.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    fn stream(&self, line: &str) -> Stream {
        let args: Vec<String> = words(line).iter().map(|word| self.filled(word)).collect();
        Stream::open(self.server.launch().dir(), &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn filled(&self, word: &str) -> String {
        word.replace("$API", &self.api).replace("$TOKEN", &self.token)
    }

    /// The same, where it has to work.
    async fn good(&self, line: &str) -> String {
        let done = self.curl(line).await;
        assert_eq!(done.code, Some(0), "curl {line}: {}", done.out);
        done.out
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.server.launch().dir().join(name)).expect("curl has written it")
    }
}

/// The words of a shell's line, as far as quotes go.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(n, part)| match n % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

#[tokio::test]
async fn walking_back_by_next_before_ts_finds_every_message_once() {
    if !is_here() {
        return;
    }
    let scene = scene().await;

    let (mut found, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = json(&scene.good(&format!("-fsS '$API/api/messages?limit=100{next}'")).await);
        let items = page["items"].as_array().expect("a page has items");
        found.extend(items.iter().map(|item| item["id"].as_str().expect("ids are texts").to_owned()));
        pages += 1;
        let Some(before) = page["next_before_ts"].as_i64() else { break };
        next = format!("&before_ts={before}");
    }

    assert_eq!(pages, 3);
    assert_eq!(found.len(), scene.ids.len());
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), scene.ids.len());
}

#[tokio::test]
async fn the_export_goes_into_a_file() {
    if !is_here() {
        return;
    }
    let scene = scene().await;

    scene.good("-fsS -o messages.ndjson '$API/api/messages/export?format=ndjson&limit=1000'").await;
    let lines = scene.file("messages.ndjson");
    assert_eq!(lines.lines().map(json).filter(|line| line["text"] == "a line").count(), scene.ids.len());
    scene.good("-fsSOJ '$API/api/messages/export?format=csv&limit=10'").await;
    assert_eq!(scene.file("messages.csv").lines().count(), 11);

    for (query, status) in [
        ("limit=1000&since_ts=0", "200"),
        ("limit=1000&before_ts=9999999999999", "200"),
        ("limit=100000&format=csv", "200"),
        ("since_ts=0&before_ts=1", "400"),
        ("limit=-1", "400"),
        ("since_ts=yesterday", "400"),
        ("format=xml", "400"),
    ] {
        let answered = format!("-s -o answer -w '%{{http_code}}' '$API/api/messages/export?{query}'");
        assert_eq!(scene.good(&answered).await, status, "{query}");
    }
}

#[tokio::test]
async fn what_is_old_is_purged_by_the_owner_alone() {
    if !is_here() {
        return;
    }
    let scene = scene().await;
    let purge = format!("-X POST '$API/api/messages/purge' -d '{{\"before_ts\":{}}}'", scene.begun + 100);

    let refused = scene.curl(&format!("-fsS {purge}")).await;
    assert_eq!(refused.code, Some(22), "{}", refused.out);
    let said = json(&scene.good(&format!("-s {purge}")).await);
    let detail = said["detail"].as_str().expect("a problem").to_owned();
    assert!(detail.contains("owner.token") && detail.contains("Bearer"), "{detail}");

    let purged = scene.good(&format!("-fsS -H '$TOKEN' {purge}")).await;
    assert_eq!(json(&purged)["deleted"], 100);
    let again = scene.good(&format!("-fsS -H '$TOKEN' -H 'Content-Type: application/json' {purge}")).await;
    assert_eq!(json(&again)["deleted"], 0);
}

#[tokio::test]
async fn demo_rows_are_seeded_and_listeners_restarted() {
    if !is_here() {
        return;
    }
    let mut scene = scene().await;
    let before = scene.feed.events.len();

    assert_eq!(json(&scene.good("-fsS -X POST -H '$TOKEN' $API/api/dev/seed/marker").await)["inserted"], 1);
    assert_eq!(json(&scene.good("-fsS -X POST -H '$TOKEN' $API/api/dev/seed/burst").await)["inserted"], 6);
    scene.feed.until("seven more", |feed| feed.events.len() == before + 7).await;

    assert!(scene.good("-fsS -X POST -H '$TOKEN' $API/restart-server").await.starts_with("restarting"));
    scene.twitch.until("it comes back", |book| book.connections.len() == 2).await;
}

#[tokio::test]
async fn health_and_configuration_are_asked_for() {
    if !is_here() {
        return;
    }
    let scene = scene().await;

    assert_eq!(scene.good("-fsS $API/healthz").await, "ok");
    assert_eq!(scene.good("-fsS $API/readyz").await, "ready");
    assert_eq!(json(&scene.good("-fsS $API/configz").await)["db"]["journal_mode"], "WAL");
    assert!(scene.good("-fsSI $API/api/messages").await.starts_with("HTTP/1.1 200 OK"), "HEAD is answered");

    let config = json(&scene.good("-fsS $API/api/config").await)["config"].clone();
    std::fs::write(scene.server.launch().dir().join("config.json"), config.to_string()).unwrap();
    let put = "-fsS -X PUT -H '$TOKEN' -H 'Content-Type: application/json' -d @config.json $API/api/config";
    let answer = json(&scene.good(put).await);
    assert_eq!((&answer["config"], &answer["changed"]), (&config, &Value::Bool(false)));
}

/// The ids of the messages that the data lines of a stream hold, and the newest place.
fn heard(lines: &[String]) -> (Vec<String>, Option<String>) {
    let data = lines.iter().filter_map(|line| line.strip_prefix("data: ")).map(json);
    let events: Vec<Value> = data.filter_map(|frame| frame["events"].as_array().cloned()).flatten().collect();
    let ids = events.iter().filter_map(|event| event["native_id"].as_str().map(str::to_owned)).collect();
    (ids, lines.iter().rev().find_map(|line| line.strip_prefix("id: ").map(str::to_owned)))
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_with_the_last_id() {
    if !is_here() {
        return;
    }
    let mut scene = scene().await;
    let open = "-sN -H 'Accept: text/event-stream'";
    let has = |id: &str, lines: &[String]| heard(lines).0.iter().any(|known| known == id);

    let mut stream = scene.stream(&format!("{open} '$API/api/feed?last=0'"));
    stream.until("hello", |lines| lines.iter().any(|line| line.contains("\"hello\""))).await;
    let first = scene.twitch.burst("room", 20, 1000).await;
    stream.until("the first", |lines| has(&first[19], lines) && lines.last().is_some_and(String::is_empty)).await;
    let (seen, last) = heard(&stream.seen);
    assert_eq!(seen, first);
    drop(stream);

    let missed = scene.twitch.burst("room", 300, 2000).await;
    scene.feed.until_all(&missed).await;
    let last = last.expect("every batch has a place");
    let mut again = scene.stream(&format!("{open} -H 'Last-Event-ID: {last}' $API/api/feed"));
    again.until("what was missed", |lines| has(&missed[299], lines)).await;

    assert_eq!(heard(&again.seen).0, missed, "everything once and in order");
}
