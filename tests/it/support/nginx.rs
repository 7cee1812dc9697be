//! A stock nginx in front of the server: it forwards to `127.0.0.1` and says nothing of who asked.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::soon;

const TRY_EVERY: Duration = Duration::from_millis(20);

/// A running nginx. Killed with its value.
pub struct Nginx {
    pub addr: SocketAddr,
    child: Child,
    _dir: TempDir,
}

impl Nginx {
    /// Forwards everything to `to`, with nothing but `proxy_pass` and `Host: 127.0.0.1`.
    pub async fn before(to: SocketAddr) -> Self {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .expect("nginx is not installed: run `apt-get install nginx` (Debian's package `nginx`)");
        let dir = TempDir::with_prefix("elora-nginx-").expect("a temporary folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = free.local_addr().expect("a bound socket has an address");
        drop(free);
        let config = dir.path().join("nginx.conf");
        std::fs::write(&config, configuration(dir.path(), addr, to)).expect("the folder is ours");
        let child = Command::new(program)
            .args(["-e", "stderr", "-p"])
            .arg(dir.path())
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let mut nginx = Self { addr, child, _dir: dir };
        soon("nginx listens", nginx.listens()).await;
        nginx
    }

    async fn listens(&mut self) {
        let mut beat = tokio::time::interval(TRY_EVERY);
        while TcpStream::connect(self.addr).await.is_err() {
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "nginx ended: {ended:?}");
            beat.tick().await;
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One process in the foreground that writes only below `dir`.
fn configuration(dir: &Path, listen: SocketAddr, to: SocketAddr) -> String {
    let dir = dir.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("  {name}_temp_path {dir}/{name};\n"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid {dir}/pid;\nevents {{}}\nhttp {{\n  access_log off;\n{temporary}  \
         server {{\n    listen {listen};\n    location / {{\n      proxy_pass http://{to};\n      \
         proxy_set_header Host 127.0.0.1;\n    }}\n  }}\n}}\n"
    )
}
