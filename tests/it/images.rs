//! `/imageproxy` relays pictures and nothing else: from where it may, as much as it may, and never what only looks whole.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};
use crate::support::soon;
use crate::support::upstream::{Reply, Upstream};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot really, but as good as one";
const MIB: usize = 1024 * 1024;
/// Pictures that the server fetches at once.
const AT_ONCE: usize = 16;

/// A server that may relay from the stand-in.
async fn relaying(upstream: &Upstream) -> Server {
    Launch::new().env("ELORA_INGEST_DRIVER", "none").env("ELORA_IMAGE_ORIGINS", &upstream.origin()).start().await
}

fn path(upstream: &Upstream, picture: &str) -> String {
    let url: String =
        url::form_urlencoded::byte_serialize(format!("{}{picture}", upstream.origin()).as_bytes()).collect();
    format!("/imageproxy?url={url}")
}

async fn picture(server: &Server, upstream: &Upstream, picture: &str) -> Answer {
    server.get(&path(upstream, picture)).await
}

/// Asks, and never reads.
async fn stalled(server: &Server, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // As little as the system allows, or it would take the whole picture by itself.
    socket.set_recv_buffer_size(1024).unwrap();
    let mut stream = socket.connect(server.addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Asks over a bare connection, and gives everything that came before its end.
async fn raw(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let _ = soon("the connection ends", stream.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_picture_comes_with_our_headers_and_none_of_its_servers() {
    let upstream = Upstream::start(|_| {
        let reply = Reply::new(200, "image/PNG; charset=binary", PNG).header("Set-Cookie", "track=1");
        reply.header("Access-Control-Allow-Origin", "*").header("X-Powered-By", "somebody")
    })
    .await;
    let server = relaying(&upstream).await;

    let answer = picture(&server, &upstream, "/emote/1?size=2").await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.body, PNG);
    for (name, value) in [
        ("content-type", Some("image/png")),
        ("cache-control", Some("public, max-age=86400, immutable")),
        ("content-security-policy", Some("default-src 'none'; style-src 'unsafe-inline'; sandbox")),
        ("x-content-type-options", Some("nosniff")),
        ("cross-origin-resource-policy", Some("same-site")),
        ("content-length", Some("38")),
        ("set-cookie", None),
        ("access-control-allow-origin", None),
        ("x-powered-by", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(upstream.asked()[0].path, "/emote/1?size=2");
}

#[tokio::test]
async fn the_callers_headers_stay_here() {
    let upstream = Upstream::start(|_| Reply::new(200, "image/gif", PNG)).await;
    let server = relaying(&upstream).await;
    let secrets =
        [("Cookie", "session_token=x"), ("Referer", "http://127.0.0.1/secret"), ("X-Forwarded-For", "10.0.0.9")];

    let request = secrets
        .iter()
        .fold(Request::get(&path(&upstream, "/a")), |request, (name, value)| request.header(name, *value));
    assert_eq!(server.ask(request).await.status, 200);

    let asked = &upstream.asked()[0];
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("GET", ""));
    for name in ["cookie", "authorization", "referer", "x-forwarded-for", "origin", "x-correlation-id"] {
        assert_eq!(asked.header(name), None, "{name}");
    }
    let names: Vec<&str> = asked.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["accept", "user-agent", "host"]);
}

#[tokio::test]
async fn a_head_tells_the_same_without_the_picture() {
    let upstream = Upstream::start(|_| Reply::new(200, "image/webp", PNG)).await;
    let server = relaying(&upstream).await;

    let answer = Request::new("HEAD", &path(&upstream, "/a")).send(server.addr).await;

    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!((answer.header("content-type"), answer.header("content-length")), (Some("image/webp"), Some("38")));
}

#[tokio::test]
async fn what_is_no_address_or_a_strangers_is_not_asked_for() {
    let upstream = Upstream::start(|_| Reply::new(200, "image/png", PNG)).await;
    let server = relaying(&upstream).await;
    let port = upstream.origin().rsplit_once(':').unwrap().1.to_owned();

    for (query, status) in [
        (String::new(), 400),
        ("?url=".to_owned(), 400),
        ("?url=emote".to_owned(), 400),
        ("?url=a&url=b".to_owned(), 400),
        (format!("?url=http://user@127.0.0.1:{port}/a"), 400),
        (format!("?url=http://localhost:{port}/a"), 403),
        (format!("?url=http://127.0.0.2:{port}/a"), 403),
        (format!("?url=https://127.0.0.1:{port}/a"), 403),
        ("?url=https://evil.test/a.png".to_owned(), 403),
        (format!("?url=http://127.0.0.1:{}/a", server.addr.port()), 403),
    ] {
        let answer = server.get(&format!("/imageproxy{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{query}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{query}");
        assert_eq!(answer.text().contains("ELORA_IMAGE_ORIGINS"), status == 403, "{query}");
    }
    assert!(upstream.asked().is_empty(), "{:?}", upstream.asked());
}

#[tokio::test]
async fn what_is_no_picture_is_not_passed_on() {
    let upstream = Upstream::start(|asked| match asked.path.as_str() {
        "/missing" => Reply::new(404, "image/png", PNG),
        "/gone" => Reply::new(410, "image/png", PNG),
        "/moved" => Reply::new(302, "image/png", PNG).header("Location", "/emote"),
        "/forbidden" => Reply::new(403, "image/png", PNG),
        "/broken" => Reply::new(500, "image/png", PNG),
        "/part" => Reply::new(206, "image/png", PNG),
        "/page" => Reply::new(200, "text/html", "<script>alert(1)</script>"),
        "/untyped" => Reply::new(200, "", PNG),
        "/packed" => Reply::new(200, "image/svg+xml", PNG).header("Content-Encoding", "gzip"),
        "/huge" => Reply::new(200, "image/png", PNG).header("Content-Length", "4194305"),
        _ => Reply::new(200, "image/png", PNG),
    })
    .await;
    let server = relaying(&upstream).await;

    for (name, status) in [
        ("/missing", 404),
        ("/gone", 404),
        ("/moved", 502),
        ("/forbidden", 502),
        ("/broken", 502),
        ("/part", 502),
        ("/page", 502),
        ("/untyped", 502),
        ("/packed", 502),
        ("/huge", 502),
        ("/emote", 200),
    ] {
        let answer = picture(&server, &upstream, name).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert!(status == 200 || answer.header("content-type") == Some("application/problem+json"), "{name}");
    }
    assert!(upstream.asked().iter().filter(|asked| asked.path == "/emote").count() == 1, "a redirect was followed");
}

#[tokio::test]
async fn a_picture_that_is_away_or_silent_is_given_up() {
    let upstream = Upstream::start(|_| Reply::new(200, "image/png", PNG).silent()).await;
    let server = Launch::new()
        .env("ELORA_INGEST_DRIVER", "none")
        .env("ELORA_IMAGE_ORIGINS", &format!("{}, http://127.0.0.1:9", upstream.origin()))
        .start()
        .await;

    let away = server.get("/imageproxy?url=http://127.0.0.1:9/a").await;
    assert_eq!(away.status, 502, "{}", away.text());
    let begun = Instant::now();
    let silent = picture(&server, &upstream, "/a").await;
    assert_eq!(silent.status, 502, "{}", silent.text());
    assert!(silent.text().contains("in time"), "{}", silent.text());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_picture_of_the_largest_size_comes_whole() {
    let upstream = Upstream::start(|asked| {
        let reply = Reply::new(200, "image/avif", vec![b'x'; 4 * MIB]);
        if asked.path == "/unsaid" { reply.header("X-Until-Close", "1") } else { reply }
    })
    .await;
    let server = relaying(&upstream).await;

    for name in ["/said", "/unsaid"] {
        let answer = picture(&server, &upstream, name).await;
        assert_eq!((answer.status, answer.body.len()), (200, 4 * MIB), "{name}");
    }
}

#[tokio::test]
async fn what_breaks_off_or_goes_on_for_ever_never_looks_whole() {
    let upstream = Upstream::start(|asked| {
        let reply = Reply::new(200, "image/png", vec![b'x'; MIB]);
        match asked.path.as_str() {
            "/breaks" => reply.breaks_after(1000),
            "/endless" => reply.endless(),
            _ => reply.trickles(),
        }
    })
    .await;
    let server = relaying(&upstream).await;

    let breaks = raw(&server, &path(&upstream, "/breaks")).await;
    assert!(breaks.starts_with("HTTP/1.1 200") && breaks.contains("content-length: 1048576"), "{}", &breaks[..200]);
    assert!(breaks.len() < MIB, "as long as announced");
    for name in ["/endless", "/trickles"] {
        let cut = raw(&server, &path(&upstream, name)).await;
        assert!(cut.starts_with("HTTP/1.1 200") && cut.contains("transfer-encoding: chunked"), "{}", &cut[..200]);
        assert!(!cut.ends_with("0\r\n\r\n"), "{name} looks whole");
        assert!(cut.len() <= 4 * MIB + 64 * 1024, "{name}: {} bytes", cut.len());
    }
}

#[tokio::test]
async fn who_stops_reading_holds_nobody_up_for_long() {
    let upstream = Upstream::start(|_| Reply::new(200, "image/png", vec![b'x'; MIB]).endless()).await;
    let server = relaying(&upstream).await;
    let mut lazy = Vec::new();
    for _ in 0..AT_ONCE {
        lazy.push(stalled(&server, &path(&upstream, "/endless")).await);
    }
    upstream.until_asked(AT_ONCE).await;

    let begun = Instant::now();
    let mut seen = vec![];
    while seen.last() != Some(&200) {
        let answer = Request::new("HEAD", &path(&upstream, "/one")).send(server.addr).await;
        assert!(answer.status == 200 || answer.header("retry-after") == Some("5"), "{answer:?}");
        seen.push(answer.status);
        assert!(begun.elapsed() < Duration::from_secs(30), "{seen:?}");
    }
    assert!(begun.elapsed() > Duration::from_secs(2), "nobody was held up at all: this shows nothing");
}

#[tokio::test]
async fn a_machine_without_root_certificates_fetches_over_http_and_says_what_is_missing() {
    let upstream = Upstream::start(|_| Reply::new(200, "image/png", PNG)).await;
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "none").env("ELORA_IMAGE_ORIGINS", &upstream.origin());
    let server = launch.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nonexistent").start().await;

    assert_eq!(picture(&server, &upstream, "/a").await.status, 200);
    assert!(server.said().contains("ca-certificates"), "{}", server.said());
    let address = server.addr.to_string();
    let healthy = server.launch().run_command(&["healthcheck", "--http-addr", &address]).await;
    assert_eq!(healthy.code, Some(0), "{}", healthy.said);
}
