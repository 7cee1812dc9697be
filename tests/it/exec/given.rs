//! What a program is given: arguments, environment, nothing else of the server's.

use crate::support::program::{Script, write_program};
use crate::support::server::Launch;

use super::{said, with};

/// Writes its environment and what it has open beside itself, and says so.
const TELLS: &str = r#"
    env > "$0.env"; ls -l /proc/self/fd > "$0.fd"
    printf '{"author":"a","text":"%s"}\n' "$*"; exec sleep 1000"#;

fn names(environment: &str) -> Vec<&str> {
    let names = environment.lines().filter_map(|line| Some(line.split_once('=')?.0));
    // The shell's own.
    names.filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect()
}

#[tokio::test]
async fn a_program_gets_the_usual_variables_and_no_other() {
    let launch = Launch::new().env("TWITCH_CHANNELS", "room");
    let script = Script::new(&launch, "listen.sh", TELLS);
    let server = script
        .run_by(launch, &["{url}"])
        .env("A_CANARY", "sings")
        .env("ELORA_TWITCH_OAUTH_TOKEN", "oauth:canary")
        .env("ELORA_TWITCH_USERNAME", "somebody")
        .env("TWITCH_CLIENT_SECRET", "canary")
        .env("https_proxy", "http://proxy.test:3128")
        .env("NO_PROXY", "localhost")
        .env("SSL_CERT_FILE", "/etc/ssl/certs/ours.pem")
        .env("LC_ALL", "C.UTF-8")
        .start()
        .await;
    said(&mut server.feed("?last=10").await, "https://www.twitch.tv/room").await;

    let environment = std::fs::read_to_string(script.path.with_extension("sh.env")).unwrap();

    for line in [
        "https_proxy=http://proxy.test:3128",
        "NO_PROXY=localhost",
        "SSL_CERT_FILE=/etc/ssl/certs/ours.pem",
        "LC_ALL=C.UTF-8",
    ] {
        assert!(environment.lines().any(|known| known == line), "{line} is missing:\n{environment}");
    }
    let usual = [
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "TZ",
        "TMPDIR",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "PYTHONUNBUFFERED",
        "PYTHONIOENCODING",
        "IT_PROGRAM_MARKER",
        "SSL_CERT_FILE",
    ];
    for name in names(&environment) {
        let is_usual = usual.contains(&name) || name.starts_with("LC_") || name.to_lowercase().ends_with("_proxy");
        assert!(is_usual, "{name} has no business there");
    }
    assert!(!environment.contains("canary"));
}

#[tokio::test]
async fn a_program_has_nothing_of_the_server_open() {
    let (script, _server, mut feed) = with(TELLS, &["{url}"], &["room"]).await;
    said(&mut feed, "https://www.twitch.tv/room").await;

    let open = std::fs::read_to_string(script.path.with_extension("sh.fd")).unwrap();

    assert!(open.contains(" 0 -> /dev/null"), "{open}");
    assert!(!open.contains("socket:") && !open.contains("elora.db"), "{open}");
}

#[tokio::test]
async fn gnasty_gets_its_arguments_its_address_and_the_variables_it_reads() {
    let launch = Launch::new().env("TWITCH_CHANNELS", "room").env("ELORA_INGEST_DRIVER", "gnasty");
    let script = Script::new(&launch, "gnasty", TELLS);
    std::fs::write(launch.dir().join(".env"), "GNASTY_TWITCH_NICK=somebody # of old\nGN_SQLITE_TUNING=1\n").unwrap();
    let server = script
        .mark(launch)
        .env("GNASTY_BIN", script.path.to_str().unwrap())
        .env("GNASTY_ARGS", "--stdout,--format,ndjson")
        .env("GNASTY_YT_RETRY_SECS", "7")
        .env("TWITCH_TOKEN", "oauth:theirs")
        .env("ELORA_TWITCH_CLIENT", "canary")
        .start()
        .await;

    said(&mut server.feed("?last=10").await, "--stdout --format ndjson https://www.twitch.tv/room").await;

    let environment = std::fs::read_to_string(script.path.with_file_name("gnasty.env")).unwrap();
    for line in
        ["GNASTY_TWITCH_NICK=somebody", "GN_SQLITE_TUNING=1", "GNASTY_YT_RETRY_SECS=7", "TWITCH_TOKEN=oauth:theirs"]
    {
        assert!(environment.lines().any(|known| known == line), "{line} is missing:\n{environment}");
    }
    assert!(!environment.contains("canary"));
    assert!(server.said().contains("ingest: selected driver=\"gnasty\""));
    assert!(server.said().contains("ingest[gnasty]: starting bin="));
    assert!(!server.said().contains("oauth:theirs"));
}

#[tokio::test]
async fn arguments_pass_no_shell_and_no_source_becomes_an_option() {
    let odd = "$(touch x)`touch x`;touch x|*&'\"";
    let (script, server, mut feed) = with(
        r#"printf '%s' "$1" > "$0.first"; printf '{"author":"a","text":"%s"}\n' "$2"; exec sleep 1000"#,
        &[odd, "{channel}"],
        &["room"],
    )
    .await;
    said(&mut feed, "room").await;

    server.add_source("kick:-rf").await;

    assert_eq!(std::fs::read_to_string(script.path.with_extension("sh.first")).unwrap(), odd);
    assert!(!server.launch().dir().join("x").exists());
    let source = crate::support::scene::until_state(&mut feed, "-rf", "refused").await;
    assert!(source["reason"].as_str().is_some_and(|reason| reason.contains("option")), "{source}");
}

#[tokio::test]
async fn chat_downloader_is_run_by_the_configured_python_with_an_address_after_its_script() {
    let launch = Launch::new().env("TWITCH_CHANNELS", "room").env("ELORA_INGEST_DRIVER", "chatdownloader");
    let python = launch.dir().join("python");
    write_program(
        &python,
        "#!/bin/sh\nprintf '{\"author\":\"a\",\"text\":\"%s %s %s\"}\\n' \"$1\" \"$2\" \"$4\"\nprintf '%s' \"$3\" > \"$0.script\"\nexec sleep 1000\n",
    );
    let server = launch.env("ELORA_PYTHON", python.to_str().unwrap()).start().await;

    said(&mut server.feed("?last=10").await, "-u -c https://www.twitch.tv/room").await;

    let script = std::fs::read_to_string(python.with_file_name("python.script")).unwrap();
    assert!(script.contains("from chat_downloader import ChatDownloader"));
}
