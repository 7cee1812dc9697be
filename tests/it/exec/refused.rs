//! What will not come by trying again is told once, with what to do about it; the server goes on.

use serde_json::Value;

use crate::support::program::write_program;
use crate::support::scene::until_state;
use crate::support::server::{Launch, Server};

async fn refusal(launch: Launch) -> (Server, String) {
    let server = launch.env("TWITCH_CHANNELS", "room").start().await;
    let source: Value = until_state(&mut server.feed("").await, "room", "refused").await;
    assert_eq!(server.get("/readyz").await.status, 200);
    let reason = source["reason"].as_str().expect("a reason").to_owned();
    (server, reason)
}

fn exec(command: &str) -> Launch {
    Launch::new().env("ELORA_INGEST_DRIVER", "exec").env("ELORA_EXEC", command)
}

fn python(text: &str) -> Launch {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "chatdownloader");
    let path = launch.dir().join("python");
    write_program(&path, text);
    launch.env("ELORA_PYTHON", path.to_str().unwrap())
}

#[tokio::test]
async fn a_program_that_is_missing_or_none_is_refused_with_what_to_do() {
    let (_server, reason) = refusal(exec("/nowhere/reader,{url}")).await;
    assert!(
        reason.contains("/nowhere/reader cannot be run (No such file") && reason.contains("ELORA_EXEC"),
        "{reason}"
    );

    let (_server, reason) = refusal(exec("/etc/passwd,{url}")).await;
    assert!(reason.contains("Permission denied") && reason.contains("ELORA_EXEC"), "{reason}");

    let launch = Launch::new();
    write_program(&launch.dir().join("reader"), "#!/nowhere/sh\n");
    let command = format!("{},{{url}}", launch.dir().join("reader").display());
    let launch = launch.env("ELORA_INGEST_DRIVER", "exec").env("ELORA_EXEC", &command);
    let (_server, reason) = refusal(launch).await;
    assert!(reason.contains("not what its first line names"), "{reason}");
}

#[tokio::test]
async fn without_python_the_source_is_refused_and_the_server_goes_on() {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "chatdownloader").env("ELORA_PYTHON", "/nowhere/python3");

    let (server, reason) = refusal(launch).await;

    for part in ["/nowhere/python3", "pip install chat-downloader==0.2.8", "ELORA_PYTHON", "container image"] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_python_without_the_package_is_refused_with_the_command_that_installs_it() {
    let (_server, reason) = refusal(python("#!/bin/sh\nexec python3 -I -S \"$@\"\n")).await;

    assert!(reason.contains("has no chat_downloader") && reason.contains("pip install"), "{reason}");
}

#[tokio::test]
async fn what_chat_downloader_will_never_read_is_refused_and_the_rest_is_tried_again() {
    let fails = |error: &str| {
        let line = format!(r#"{{"error": "{error}", "message": "Unable to find user"}}"#);
        python(&format!("#!/bin/sh\necho '{line}' >&2\nexit 1\n"))
    };

    let (_server, reason) = refusal(fails("UserNotFound")).await;
    assert_eq!(reason, "chat_downloader: UserNotFound: Unable to find user");

    let server = fails("ParsingError").env("TWITCH_CHANNELS", "room").start().await;
    let source = until_state(&mut server.feed("").await, "room", "backoff").await;
    let reason = source["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("chat_downloader: ParsingError: Unable to find user; trying again"), "{reason}");
}

#[tokio::test]
async fn the_driver_exec_without_a_program_is_a_wrong_configuration() {
    let ended = Launch::new().env("ELORA_INGEST_DRIVER", "exec").run().await;

    assert_eq!(ended.code, Some(64), "{}", ended.said);
    assert!(
        ended.said.contains("ELORA_INGEST_DRIVER=exec: there is no program to run: set ELORA_EXEC"),
        "{}",
        ended.said
    );
}

#[tokio::test]
async fn without_a_source_no_program_is_started_and_that_is_told_once() {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "gnasty").env("GNASTY_BIN", "/nowhere/gnasty");

    let server = launch.start().await;
    assert_eq!(server.get("/readyz").await.status, 200);
    let ended = server.stop().await;

    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.said.matches("ingest[gnasty]: no source is configured").count(), 1);
    assert!(!ended.said.contains("ingest[gnasty]: starting"));
}
