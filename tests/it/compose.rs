//! The container files, read as Compose and an engine read them, and `scripts/compose` with a stand-in for Compose.
//! Building the image and running it is `make test-image`, which needs root.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::feed::upgrade;
use crate::support::harvester::Writer;
use crate::support::server::Launch;

const COMPOSE: &str = include_str!("../../docker-compose.yml");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const RUNBOOK: &str = include_str!("../../RUNBOOK.md");

/// What the program allows itself at its end, `CLOSING` in `src/app.rs`.
const CLOSING_SECONDS: u64 = 10;

/// The environment of a container that an older compose file and its `.env` make.
const OLD_ENVIRONMENT: [(&str, &str); 14] = [
    ("ELORA_HTTP_PORT", "0"),
    ("ELORA_DB_MODE", "persistent"),
    ("ELORA_DB_MAX_CONNS", "16"),
    ("ELORA_DB_BUSY_TIMEOUT_MS", "2000"),
    ("ELORA_DB_PRAGMAS_EXTRA", "mmap_size=268435456,cache_size=-100000,temp_store=MEMORY"),
    ("ELORA_DATA_DIR", "/data"),
    ("ELORA_TAILER_ENABLED", "1   # on in the example"),
    ("ELORA_TAILER_POLL_MS", "25"),
    ("ELORA_TAILER_PERSIST_OFFSETS", "1"),
    ("ELORA_WS_ENVELOPE", ""),
    ("ELORA_ALLOWED_ORIGINS", ""),
    ("VITE_PUBLIC_API_BASE", "http://localhost:8080"),
    ("VITE_PUBLIC_WS_URL", "ws://localhost:8080/ws/chat"),
    ("TZ", "UTC"),
];

fn compose() -> Value {
    serde_saphyr::from_str(COMPOSE).unwrap()
}

fn service(name: &str) -> Value {
    compose()["services"][name].clone()
}

#[test]
fn the_port_is_published_on_this_machine_only() {
    let file = compose();

    for (name, service) in file["services"].as_object().unwrap() {
        let ports = service["ports"].as_array().into_iter().flatten();
        for port in ports {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name} publishes {port}");
        }
        assert_eq!(service["network_mode"], Value::Null, "{name} would listen on the machine's own addresses");
    }
    assert_eq!(
        file["services"]["elora-chat"]["ports"],
        json!(["127.0.0.1:${ELORA_HTTP_PORT:-8080}:${ELORA_HTTP_PORT:-8080}"])
    );
    assert_eq!(file["services"]["gnasty-harvester"]["ports"], Value::Null);
}

#[test]
fn reading_is_open_inside_and_the_file_says_why() {
    let environment = service("elora-chat")["environment"].clone();

    assert_eq!(environment["ELORA_PUBLIC_READ"], "1");
    let published = "0.0.0.0:${ELORA_HTTP_PORT:-8080}";
    assert_eq!(environment["ELORA_HTTP_ADDR"], published, "no .env can take it off the published port");
    let (before, _) = COMPOSE.split_once("ELORA_PUBLIC_READ").unwrap();
    let reason: Vec<&str> = before.lines().rev().skip(1).take_while(|line| line.trim().starts_with('#')).collect();
    assert!(reason.concat().contains("loopback"), "{reason:?}");
}

#[test]
fn the_server_may_finish_before_it_is_killed() {
    let grace = service("elora-chat")["stop_grace_period"].as_str().unwrap().trim_end_matches('s').parse::<u64>();

    assert!(grace.unwrap() > CLOSING_SECONDS);
    let deadline = format!("const CLOSING: Duration = Duration::from_secs({CLOSING_SECONDS});");
    assert!(include_str!("../../src/app.rs").contains(&deadline), "the deadline changed");
}

#[test]
fn nobody_is_root_and_only_the_data_can_be_written() {
    for name in ["elora-chat", "gnasty-harvester"] {
        let service = service(name);
        assert_eq!(service["user"], "${DOCKER_UID:-65532}:${DOCKER_GID:-65532}", "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        // Without a folder of the host it is the volume; never what is a path inside the container.
        assert_eq!(service["volumes"], json!(["${ELORA_HOST_DATA_DIR:-data}:/data"]), "{name}");
    }
    assert_eq!(service("elora-chat")["read_only"], true);
    assert!(compose()["volumes"].as_object().unwrap().contains_key("data"));
    assert!(service("elora-chat")["environment"]["ELORA_DB_PATH"].as_str().unwrap().ends_with("/data/elora.db}"));
}

#[test]
fn the_harvester_runs_on_request_beside_a_healthy_server() {
    let harvester = service("gnasty-harvester");

    assert_eq!(harvester["profiles"], json!(["gnasty"]));
    assert_eq!(service("elora-chat")["profiles"], Value::Null);
    assert_eq!(harvester["depends_on"]["elora-chat"]["condition"], "service_healthy");
    let file = "${GNASTY_SINK_SQLITE_PATH:-/data/gnasty.db}";
    let server = service("elora-chat")["environment"].clone();
    for environment in [&harvester["environment"], &server] {
        assert_eq!(environment["GNASTY_SINK_SQLITE_PATH"], file, "both mean the same file");
    }
    assert_eq!(server["ELORA_DATA_DIR"], "/data", "whatever folder of the host .env names");
    // Its image has no shell, no wget and no curl: what asks must be its own program.
    let test: Vec<&str> =
        harvester["healthcheck"]["test"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(test[0], "CMD");
    assert!(test[1].ends_with("/harvester"));
}

#[test]
fn no_default_has_a_variable_in_it() {
    // podman-compose before 1.6 leaves the inner one as it stands, or both.
    let nested = COMPOSE.lines().filter(|line| line.split("${").any(|part| part.contains(":-") && !part.contains('}')));

    assert_eq!(nested.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_variable_of_the_compose_file_is_in_the_runbook() {
    let names: BTreeSet<&str> = COMPOSE.split("${").skip(1).filter_map(|rest| rest.split([':', '}']).next()).collect();
    let (_, containers) = RUNBOOK.split_once("\n## Containers").unwrap();
    let (containers, _) = containers.split_once("\n## ").unwrap();

    let missing: Vec<&&str> = names.iter().filter(|name| !containers.contains(&format!("`{name}`"))).collect();

    assert!(names.len() > 5, "{names:?}");
    assert!(missing.is_empty(), "not in the section Containers: {missing:?}");
}

#[test]
fn the_image_runs_scripts_that_run_elsewhere_too() {
    let commands: Vec<&str> = DOCKERFILE.lines().filter_map(|line| line.strip_prefix("RUN ")).collect();
    let last = DOCKERFILE.rsplit_once("\nFROM ").unwrap().1;

    for command in &commands {
        let script = command.split(' ').next().unwrap().rsplit('/').next().unwrap();
        let path = Path::new("scripts").join(script);
        let mode = path.metadata().unwrap_or_else(|error| panic!("RUN {command}: {}: {error}", path.display())).mode();
        assert_ne!(mode & 0o111, 0, "{} cannot be executed", path.display());
        assert!(!command.contains(['&', ';', '|']), "RUN {command}: more than one script");
    }
    assert!(commands.len() >= 3, "{commands:?}");
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "USER {user}");
    let health = last.lines().find(|line| line.starts_with("HEALTHCHECK ")).unwrap();
    assert!(health.ends_with(r#"CMD ["elora-chat", "healthcheck"]"#), "{health}");
    assert!(last.contains("\nVOLUME /data") && last.contains("DB_PATH=/data/"));
}

#[test]
fn the_data_folder_of_the_image_belongs_to_its_user() {
    let root = TempDir::new().unwrap();
    let said = Command::new("scripts/prepare-image").arg(root.path()).output().unwrap();
    if !said.status.success() {
        return crate::support::skip::skipped("the data folder of the image: only root gives folders away");
    }

    let data = root.path().join("data").metadata().unwrap();

    assert_eq!((data.uid(), data.gid(), data.mode() & 0o7777), (65532, 65532, 0o700));
}

#[tokio::test]
async fn an_old_compose_file_with_our_image_is_told_which_variable_opens_reading() {
    // What the image itself sets; the old file publishes the port and says nothing of reading.
    let launch = Launch::new().flagless().env("HTTP_ADDR", "0.0.0.0:8080");
    let path = launch.dir().join("elora.db").display().to_string();
    let launch = OLD_ENVIRONMENT
        .iter()
        .fold(launch.env("ELORA_DB_PATH", &path), |launch, (name, value)| launch.env(name, value));
    let server = launch.start().await;

    assert!(server.addr.ip().is_unspecified(), "{}", server.addr);
    for path in ["/api/messages", "/ws/chat", "/api/messages/export"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 401, "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("ELORA_PUBLIC_READ=1") && detail.contains("owner.token"), "{path}: {detail}");
    }
    assert_eq!(upgrade(server.addr, "/ws/chat?replay=1", &[]).await.err(), Some(401));
    assert_eq!(server.get("/readyz").await.status, 200, "a health check needs no owner");
}

/// A value of the compose file, as Compose fills it in from a file of settings.
fn filled_in(value: &str, dotenv: &[(&str, &str)]) -> String {
    let Some((before, rest)) = value.split_once("${") else { return value.to_owned() };
    let (inside, after) = rest.split_once('}').unwrap();
    let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
    let given = dotenv.iter().find(|(known, given)| *known == name && !given.is_empty());
    format!("{before}{}{}", given.map_or(default, |(_, given)| given), filled_in(after, dotenv))
}

/// What an older file says of paths.
type Paths = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn a_harvester_in_one_volume_is_read_whatever_old_file_names_the_paths() {
    let old: [(Paths, &str, &str); 3] = [
        (&[], "gnasty.db", "elora.db"),
        (&[("ELORA_DB_PATH", "/data/gnasty.db")], "gnasty.db", "gnasty.events.db"),
        (
            &[("ELORA_DB_PATH", "/data/elora.db"), ("GNASTY_SINK_SQLITE_PATH", "/data/elora.db")],
            "elora.db",
            "elora.events.db",
        ),
    ];
    for (paths, theirs, ours) in old {
        let launch = Launch::new().flagless();
        let volume = launch.dir().to_owned();
        let here = |value: String| value.replace("/data", &volume.display().to_string());
        let dotenv = [paths, &[("ELORA_INGEST_DRIVER", "gnasty"), ("ELORA_DATA_DIR", "./chat")]].concat();
        let inside = |name: &str| {
            let fixed = service(name)["environment"].clone();
            let fixed: Vec<(String, String)> = fixed
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), here(filled_in(value.as_str().unwrap(), &dotenv))))
                .collect();
            // What the service sets is stronger than what it takes from the file.
            let file = dotenv.iter().map(|(name, value)| ((*name).to_owned(), here((*value).to_owned())));
            file.chain(fixed).collect::<Vec<_>>()
        };
        let path =
            inside("gnasty-harvester").into_iter().find(|(name, _)| name == "GNASTY_SINK_SQLITE_PATH").unwrap().1;
        assert_eq!(path, volume.join(theirs).display().to_string());
        let launch = inside("elora-chat").iter().fold(launch, |launch, (name, value)| launch.env(name, value));

        // The harvester waits for a healthy server.
        let server = launch.env("ELORA_HTTP_ADDR", "127.0.0.1:0").start().await;
        assert_eq!(server.get("/readyz").await.status, 200);
        let mut feed = server.feed("?last=0").await;
        let mut writer = Writer::start(Path::new(&path)).await;
        writer.say("a", "hello").await;
        feed.event("a").await;

        assert!(volume.join(ours).exists(), "our store lies beside it");
        assert!(server.said().contains(&format!("{}", volume.join(ours).display())), "{}", server.said());
    }
}

/// `scripts/compose` with a stand-in that prints what it is called with; `programs` are name and body of further ones.
struct Stage {
    dir: TempDir,
}

impl Stage {
    fn new(dotenv: &str) -> Self {
        let dir = TempDir::new().unwrap();
        for folder in ["bin", "scripts"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for script in ["scripts/compose", "scripts/env-value"] {
            std::fs::copy(script, dir.path().join(script)).unwrap();
        }
        std::fs::write(dir.path().join(".env"), dotenv).unwrap();
        for tool in ["awk", "bash", "chown", "dirname", "env", "head", "id", "ls", "mkdir", "sed", "sort", "tail"] {
            let found =
                ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(tool)).find(|path| path.exists());
            symlink(found.unwrap(), dir.path().join("bin").join(tool)).unwrap();
        }
        Self { dir }
    }

    fn program(self, name: &str, version: &str) -> Self {
        let path = self.dir.path().join("bin").join(name);
        let body = format!(
            "#!/bin/sh\ncase \"$*\" in *version*) echo '{version}' ;; *)\n\
             echo \"{name} $*\"; echo \"uid=$DOCKER_UID data=$ELORA_HOST_DATA_DIR gnasty=$ELORA_GNASTY_ADMIN_BASE\" ;; esac\n"
        );
        std::fs::write(&path, body).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        self
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("bash");
        command.env_clear().env("PATH", self.dir.path().join("bin")).env("HOME", self.dir.path().join("home"));
        command.arg(self.dir.path().join("scripts/compose")).args(args).output().unwrap()
    }

    fn says(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().replace(&self.dir.path().display().to_string(), "HERE")
    }
}

#[test]
fn the_harvester_starts_with_the_driver_and_stops_without_it() {
    let native = Stage::new("ELORA_INGEST_DRIVER=native\n").program("docker", "2.30.1");
    let gnasty = Stage::new("export ELORA_INGEST_DRIVER = \"Gnasty\"  # the harvester\n").program("docker", "v2.30.1");

    assert_eq!(native.says(&["up", "-d"]), "docker compose --env-file .env up -d\nuid= data= gnasty=\n");
    assert_eq!(native.says(&["down"]), "docker compose --env-file .env --profile gnasty down\nuid= data= gnasty=\n");
    assert_eq!(
        gnasty.says(&["up", "-d"]),
        "docker compose --env-file .env --profile gnasty up -d\nuid= data= gnasty=http://gnasty-harvester:8765\n"
    );
}

#[test]
fn a_gnasty_that_the_server_starts_itself_has_no_service_and_one_that_is_asked_for_has() {
    let up = |dotenv: &str| Stage::new(dotenv).program("docker", "2.30.1").says(&["up"]);

    let own = up("ELORA_INGEST_DRIVER=gnasty\nGNASTY_BIN=/usr/local/bin/gnasty\n");
    let beside = up("ELORA_TAILER_ENABLED=1\nCOMPOSE_PROFILES=debug, gnasty\n");
    let other = up("ELORA_TAILER_ENABLED=1\nCOMPOSE_PROFILES=not-gnasty\n");

    assert_eq!(own, "docker compose --env-file .env up\nuid= data= gnasty=\n");
    assert!(
        beside.contains("--profile gnasty up") && beside.contains("gnasty=http://gnasty-harvester:8765"),
        "{beside}"
    );
    assert!(!other.contains("--profile"), "{other}");
}

#[test]
fn a_folder_of_the_host_is_mounted_for_its_owner_and_data_is_never_taken_for_one() {
    let me = TempDir::new().unwrap().path().metadata().unwrap().uid();
    // Root gives the new folder to the user of the image.
    let uid = if me == 0 { 65532 } else { me };
    let last = |dotenv: &str| {
        let said = Stage::new(dotenv).program("docker", "2.30.1").says(&["up"]);
        said.lines().last().unwrap().to_owned()
    };

    assert_eq!(last("ELORA_HOST_DATA_DIR=./chat\n"), format!("uid={uid} data=HERE/chat gnasty="));
    assert_eq!(last("ELORA_HOST_DATA_DIR=~/chat\n"), format!("uid={uid} data=HERE/home/chat gnasty="));
    assert_eq!(last("ELORA_DATA_DIR=chat\nDOCKER_UID=7\n"), "uid= data=HERE/chat gnasty=");
    assert_eq!(last("ELORA_DATA_DIR=/data/\n"), "uid= data= gnasty=");
    assert_eq!(last("ELORA_DATA_DIR=/data\nELORA_HOST_DATA_DIR=/data\nDOCKER_UID=7"), "uid= data=/data gnasty=");
}

#[test]
fn whichever_compose_there_is_is_used_and_none_is_said() {
    let only = |name: &str, version: &str| Stage::new("").program(name, version);
    let refusal = |stage: &Stage| {
        let output = stage.run(&["up"]);
        assert_eq!(output.status.code(), Some(69));
        String::from_utf8(output.stderr).unwrap()
    };

    assert!(only("docker-compose", "2.24.0").says(&["up"]).starts_with("docker-compose --env-file .env up"));
    assert!(only("podman-compose", "podman-compose version 1.6.0").says(&["up"]).starts_with("podman-compose --env"));
    assert!(refusal(&Stage::new("")).contains("found neither `docker compose` nor docker-compose nor podman-compose"));
    assert!(refusal(&only("docker-compose", "1.29.2")).contains("Too old: docker-compose 1.29.2 (needed: 2.24)"));
}
