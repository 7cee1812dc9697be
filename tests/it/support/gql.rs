//! A stand-in for the API that Twitch's pages ask, over TLS: it knows every channel but one.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

pub const HOST: &str = "gql.twitch.tv";
/// There is nobody of this name.
pub const NOBODY: &str = "nobody_at_all";
/// Whoever says nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens at this address until the tests end, and gives the certificate to trust. An error is one of the system's.
pub fn start(ip: Ipv4Addr, folder: &Path) -> io::Result<PathBuf> {
    let listener = TcpListener::bind((ip, 443))?;
    let (cert, key) = certificate(folder);
    let certs =
        CertificateDer::pem_file_iter(&cert).expect("openssl wrote it").map(|cert| cert.expect("a certificate"));
    let key_der = PrivateKeyDer::from_pem_file(&key).expect("openssl wrote it");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(certs.collect(), key_der)
        .expect("key and certificate fit");
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // A client that goes away is no failure of the stand-in.
            std::thread::spawn(move || serve(stream, config));
        }
    });
    Ok(cert)
}

fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (cert, key) = (folder.join("gql.pem"), folder.join("gql.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .expect("openssl starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (cert, key)
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(asked) = request(&mut stream)? {
        let answer = answer(&asked).to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", answer.len());
        let stream = stream.get_mut();
        stream.write_all(format!("{head}{answer}").as_bytes())?;
        stream.flush()?;
    }
    Ok(())
}

/// The body of the next request.
fn request(stream: &mut impl BufRead) -> io::Result<Option<Value>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.trim_end().is_empty() {
            let mut body = vec![0; length];
            stream.read_exact(&mut body)?;
            return Ok(Some(serde_json::from_slice(&body)?));
        }
    }
}

/// Both operations that a reader of chat asks for, in one.
fn answer(asked: &Value) -> Value {
    let login = &asked[0]["variables"]["channelLogin"];
    let user = json!({
        "id": "700000", "login": login, "channel": { "id": "700000" }, "broadcastBadges": [],
        "stream": { "type": "live" }, "lastBroadcast": { "title": "a title" },
    });
    json!([{ "data": { "badges": [], "user": if login == NOBODY { Value::Null } else { user } } }])
}
