//! Programs that behave badly. Whatever they do, the server is ready, its memory has a bound, and nothing of them is
//! left when it ends, however it ends.

use std::time::Duration;

use crate::support::feed::Feed;
use crate::support::program::{Script, zombies};
use crate::support::scene::until_state;
use crate::support::server::{Launch, Server, asked_until};
use crate::support::within;

use super::{said, with};

/// How much a bad program may make the server grow, in KiB.
const GROWTH_KIB: u64 = 48 * 1024;
/// How long a server takes at most that ends while its program will not.
const END: Duration = Duration::from_secs(5);

/// A server whose program does this, both when the server is stopped and when it is killed.
async fn behaves(body: &str, is_under_way: impl AsyncFn(&Script, &Server, &mut Feed)) {
    for is_killed in [false, true] {
        let (script, server, mut feed) = with(body, &["{url}"], &["room"]).await;
        let before = server.rss_kib();
        is_under_way(&script, &server, &mut feed).await;
        for _ in 0..20 {
            assert_eq!(server.get("/readyz").await.status, 200, "{body}");
        }
        let grown = server.rss_kib().saturating_sub(before);
        assert!(grown < GROWTH_KIB, "{grown} KiB by {body}");
        let pid = server.pid();
        if is_killed {
            // The folder has to live until nothing is in it any more.
            let _launch = server.kill().await;
            script.until_gone(pid).await;
        } else {
            assert!(zombies(pid) <= 1, "ended programs are not taken note of");
            let ended = within(END, "the server ends", server.stop()).await;
            assert_eq!(ended.code, Some(0), "{}", ended.said);
            script.until_gone(pid).await;
        }
    }
}

#[tokio::test]
async fn children_that_fork_and_leave_the_session_end_with_it() {
    let body = r#"
        setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' &
        setsid sh -c 'setsid sh -c "trap \"\" TERM; sleep 1000; true" & sleep 1000; true' &
        sh -c 'sleep 1000; true' &
        (sh -c 'sleep 1000; true' &)
        wait"#;
    behaves(body, async |script, server, _| {
        script.until_running(server, "the whole family", |all| all.len() >= 9).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_when_it_ends_is_ended_too() {
    let body = r#"setsid sh -c 'trap "" TERM; while :; do sleep 1; done' & echo '{"author":"a","text":"bye"}'; exit 0"#;
    let launch = Launch::new().env("TWITCH_CHANNELS", "room").env("ELORA_INGEST_BACKOFF_BASE_MS", "60000000");
    let script = Script::new(&launch, "listen.sh", body);
    let launch = script.run_by(launch, &["{url}"]).env("ELORA_INGEST_BACKOFF_MAX_MS", "60000000");
    let server = launch.start().await;
    let mut feed = server.feed("?last=10").await;

    said(&mut feed, "bye").await;
    until_state(&mut feed, "room", "backoff").await;

    script.until_gone(server.pid()).await;
    assert_eq!(zombies(server.pid()), 0);
}

#[tokio::test]
async fn a_flood_of_messages_waits_in_the_pipe() {
    behaves("yes '{\"author\":\"a\",\"text\":\"flood\"}'", async |_, _, feed| {
        feed.until("a thousand of it", |feed| feed.events.len() >= 1000).await;
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_nonsense_on_both_outputs_does_not_fill_the_log() {
    behaves("yes nonsense >&2 & yes nonsense", async |_, server, feed| {
        until_state(feed, "room", "live").await;
        asked_until("it is counted", server, "/metrics", |answer| {
            let name = "elora_ingest_odd_total{platform=\"exec\",kind=\"unreadable\"} ";
            let text = answer.text();
            let count = text.lines().find_map(|line| line.strip_prefix(name)?.parse::<f64>().ok());
            count.is_some_and(|count| count > 10_000.0)
        })
        .await;
        let said = server.said();
        assert!(said.matches("decode error").count() < 60, "{} lines", said.lines().count());
        assert!(said.matches("[stderr] nonsense").count() < 200, "{} lines", said.lines().count());
        server.until_it_says("more lines could not be read").await;
        server.until_it_says("lines left out").await;
    })
    .await;
}

#[tokio::test]
async fn a_hanging_program_ends_with_the_server() {
    behaves("exec sleep 1000", async |script, server, _| {
        script.until_running(server, "it", |all| all.len() == 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_program_that_ignores_being_asked_is_killed() {
    behaves(
        r#"trap "" TERM INT HUP; echo '{"author":"a","text":"no"}'; while :; do sleep 1; done"#,
        async |_, _, feed| {
            said(feed, "no").await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_program_that_dies_at_once_is_started_again_and_again() {
    behaves("exit 1", async |_, server, feed| {
        until_state(feed, "room", "backoff").await;
        asked_until("it was tried a few times", server, "/metrics", |answer| {
            let text = answer.text();
            let name = "elora_source_reconnects_total{platform=\"exec\"} ";
            text.lines().find_map(|line| line.strip_prefix(name)?.parse::<f64>().ok()).is_some_and(|count| count >= 5.0)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn lines_of_five_mebibytes_are_refused_and_the_next_one_is_heard() {
    let body = r#"
        while :; do
            head -c 5242880 /dev/zero | tr '\0' x; echo
            echo '{"author":"a","text":"after a long line"}'
            [ -e "$0.go" ] || { touch "$0.go"; }
        done"#;
    behaves(body, async |_, server, feed| {
        feed.until("twenty lines", |feed| feed.events.len() >= 20).await;
        let text = server.said();
        assert!(text.contains("it has 5242880 bytes, and 1048576 are the most: xxxx"), "{text}");
        assert!(server.metric("elora_ingest_odd_total{platform=\"exec\",kind=\"line_cut\"}").await >= 1.0);
    })
    .await;
}

#[tokio::test]
async fn a_program_that_closes_its_output_and_lives_on_is_ended_and_told_of() {
    behaves("exec >&-; exec sleep 1000", async |_, _, feed| {
        let source = until_state(feed, "room", "backoff").await;
        assert!(source["reason"].as_str().is_some_and(|reason| reason.contains("closed its output")), "{source}");
    })
    .await;
}

#[tokio::test]
async fn a_line_of_a_mebibyte_is_heard() {
    let body = r#"printf '{"author":"a","text":"big","pad":"'; head -c 1048000 /dev/zero | tr '\0' x; echo '"}'; exec sleep 1000"#;
    let (_script, _server, mut feed) = with(body, &["{url}"], &["room"]).await;

    said(&mut feed, "big").await;
}

#[tokio::test]
async fn unreadable_lines_are_counted_and_cut_in_the_log_and_the_rest_is_heard() {
    let body = r#"
        printf '\n  \n'
        printf 'not json \033[31m %0300d\n' 7
        printf '{"author":"a","text":"caf\351"}\n'
        printf '{"author":"a","text":"after"}'
        exec sleep 1000 >&-"#;
    let (_script, server, mut feed) = with(body, &["{url}"], &["room"]).await;

    said(&mut feed, "after").await;

    said(&mut feed, "caf\u{fffd}").await;
    let text = server.said();
    let line = text.lines().find(|line| line.contains("decode error")).expect("it is told");
    let shown = line.split("a JSON object: ").nth(1).expect("it is shown");
    assert!(shown.starts_with("not json \\x1b[31m 000") && shown.ends_with('…'), "{line}");
    // The escape is written in four letters.
    assert_eq!(shown.len(), 240 + 3 + '…'.len_utf8());
    assert_eq!(text.matches("decode error").count(), 1);
    for (kind, count) in [("unreadable", 1.0), ("not_utf8", 1.0), ("line_cut", 0.0)] {
        let name = format!("elora_ingest_odd_total{{platform=\"exec\",kind=\"{kind}\"}}");
        asked_until(kind, &server, "/metrics", |answer| answer.text().contains(&format!("{name} {count}"))).await;
    }
}

#[tokio::test]
async fn what_it_complains_of_is_logged_in_lines_of_bounded_length() {
    let body = r#"echo 'it [warns] you' >&2; head -c 5000 /dev/zero | tr '\0' e >&2; echo >&2; exec sleep 1000"#;
    let (_script, server, _feed) = with(body, &["{url}"], &["room"]).await;

    server.until_it_says("ingest[exec] [stderr] it [warns] you").await;
    server.until_it_says("eeeee").await;

    let text = server.said();
    let long = text.lines().find(|line| line.contains("eeeee")).expect("it was said");
    assert!(long.ends_with("e…") && long.len() < 1200, "{} bytes", long.len());
}

#[tokio::test]
async fn when_its_keeper_is_killed_the_program_goes_and_comes_again() {
    let (script, server, mut feed) =
        with("echo '{\"author\":\"a\",\"text\":\"here\"}'; sleep 1000; true", &["{url}"], &["room"]).await;
    said(&mut feed, "here").await;
    let before = script.processes(server.pid());
    let (keeper, _) = before.iter().find(|(_, line)| line.contains(" keep -- ")).expect("there is a keeper");

    let killed = std::process::Command::new("sh").args(["-c", &format!("kill -KILL {keeper}")]).status().unwrap();

    assert!(killed.success());
    server.until_it_says("the program was ended by signal 9; trying again").await;
    feed.until("it comes again", |feed| feed.events.iter().filter(|event| event["text"] == "here").count() == 2).await;
    let old: Vec<u32> = before.iter().map(|(pid, _)| *pid).collect();
    script.until_running(&server, "nothing old", |all| all.iter().all(|(pid, _)| !old.contains(pid))).await;
}
