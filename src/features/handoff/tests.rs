//! The room as those who will get tokens use it: what they publish is written, and gnasty is told of it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::Handoff as Section;
use crate::store::Opened;
use crate::telemetry::Metrics;

fn tokens(access: &str, refresh: Option<&str>) -> Tokens {
    let secret = |text: &str| Secret::new(text.to_owned());
    Tokens { access: secret(access), refresh: refresh.map(secret) }
}

/// Answers a request, and gives its head.
async fn answer(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.expect("a question");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut head).await.expect("a whole head") > 0);
    }
    stream.write_all(b"HTTP/1.1 204 Fine\r\nConnection: close\r\n\r\n").await.expect("somebody reads");
    String::from_utf8(head).expect("a head is text")
}

#[tokio::test]
async fn what_is_published_replaces_everything_and_is_told_at_most_every_pause() {
    // The program does it first of all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let reload_url = format!("http://{}/r", listener.local_addr().expect("it is bound")).parse().ok();
    let mut config = Config { handoff: Section { reload_url, ..Section::default() }, ..Config::default() };
    config.store.path = folder.path().join("elora.db");
    let Opened { db, queue: _queue, .. } = store::open(&config.store, 16, &Metrics::new()).expect("a new store opens");
    let file = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it was written");
    std::fs::write(folder.path().join("twitch_irc.pass"), "oauth:of-somebody-else\n").expect("it is writable");
    let courier = Courier::new(&config, db, Upstream::new());
    let (handoff, stop) = (courier.handoff(), CancellationToken::new());
    let script = async {
        handoff.publish(tokens("oauth:one", Some("renew")));
        let first = answer(&listener).await;
        let told = Instant::now();
        let written = (file("twitch_irc.pass"), file("twitch_refresh.pass"));
        handoff.publish(tokens("", Some("")));
        handoff.publish(tokens("two", None));
        // Told as well, since the address was named: though by then both files may be written.
        let second = answer(&listener).await;
        let pause = told.elapsed();
        stop.cancel();
        (first, written, second, pause)
    };

    let (_, (first, written, second, pause)) = tokio::join!(courier.run(stop.clone()), script);

    assert!(first.starts_with("POST /r HTTP/1.1") && second.starts_with("POST /r"), "{first}{second}");
    assert!(first.to_lowercase().contains("content-length: 0") || !first.to_lowercase().contains("content-length"));
    assert_eq!(written, ("oauth:one\n".to_owned(), "renew\n".to_owned()));
    assert_eq!(
        (file("twitch_irc.pass"), file("twitch_refresh.pass")),
        ("oauth:two\n".to_owned(), "renew\n".to_owned())
    );
    assert!(pause > PAUSE - Duration::from_millis(100), "{pause:?}");
}
