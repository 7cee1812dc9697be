//! Which addresses are fetched at all: exact hosts, never a network address but one the owner configured.

use std::sync::Arc;

use axum::http::StatusCode;
use url::{Host, Url};

use crate::config::{self, ImageOrigin, Origin};
use crate::web::Problem;

/// Where the platforms and the providers of emotes keep their pictures.
const HOSTS: &[&str] = &[
    // Twitch: emotes, badges, avatars.
    "static-cdn.jtvnw.net",
    "cdn.7tv.app",
    "cdn.betterttv.net",
    "cdn.frankerfacez.com",
    "files.kick.com",
    // YouTube: avatars, badges, custom emoji, gifts, stickers.
    "yt3.ggpht.com",
    "yt4.ggpht.com",
    "yt3.googleusercontent.com",
    "lh3.googleusercontent.com",
    "i.ytimg.com",
    "www.gstatic.com",
    "fonts.gstatic.com",
];

/// No picture's address is longer.
const LONGEST: usize = 2048;

/// Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Allowed(Arc<[Origin]>);

impl Allowed {
    pub fn new(config: &config::Images) -> Self {
        Self(config.origins.iter().map(|ImageOrigin(origin)| origin.clone()).collect())
    }

    /// The address in its one canonical spelling, if it may be fetched.
    pub fn check(&self, text: &str) -> Result<Url, Problem> {
        let bad = || Problem::bad_request("url: give a picture's address, as in /imageproxy?url=https%3A%2F%2F…");
        if text.is_empty() || text.len() > LONGEST {
            return Err(bad());
        }
        let mut url = Url::parse(text).map_err(|_| bad())?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let Some(origin) = origin(&url).filter(|_| !has_user) else { return Err(bad()) };
        if !self.allows(&origin, &url) {
            let detail =
                format!("pictures of {origin} are not relayed: ELORA_IMAGE_ORIGINS adds where they may be from");
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        url.set_fragment(None);
        Ok(url)
    }

    fn allows(&self, origin: &Origin, url: &Url) -> bool {
        let is_usual = origin.scheme == "https" && origin.port == 443;
        let is_known = matches!(url.host(), Some(Host::Domain(name)) if HOSTS.contains(&name));
        (is_usual && is_known) || self.0.contains(origin)
    }
}

fn origin(url: &Url) -> Option<Origin> {
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    matches!(url.scheme(), "http" | "https").then(|| Origin { scheme: url.scheme().to_owned(), host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Allowed {
        let origins = ["https://images.example.com", "https://odd.example.com:8443", "http://127.0.0.1:8000"];
        let origins = origins.map(|origin| origin.parse().expect("a good origin"));
        Allowed::new(&config::Images { origins: origins.into() })
    }

    fn refused(url: &str) -> u16 {
        allowed().check(url).expect_err(url).status().as_u16()
    }

    #[test]
    fn pictures_of_the_platforms_and_of_configured_origins_are_fetched() {
        for (url, fetched) in [
            ("https://static-cdn.jtvnw.net/emoticons/v2/25/default/dark/2.0", ""),
            ("https://CDN.7tv.app/emote/a/4x.avif", "https://cdn.7tv.app/emote/a/4x.avif"),
            ("https://cdn.betterttv.net:443/emote/a/3x.webp", "https://cdn.betterttv.net/emote/a/3x.webp"),
            ("https://yt3.ggpht.com/a=w48-h48-c-k-nd#x", "https://yt3.ggpht.com/a=w48-h48-c-k-nd"),
            ("https://files.kick.com/../emotes/1/fullsize?a=b", "https://files.kick.com/emotes/1/fullsize?a=b"),
            ("https://images.example.com/a.png", ""),
            ("https://odd.example.com:8443/a.png", ""),
            ("http://127.0.0.1:8000/a.png", ""),
            ("http://127.1:8000/a.png", "http://127.0.0.1:8000/a.png"),
        ] {
            let expected = if fetched.is_empty() { url } else { fetched };
            assert_eq!(allowed().check(url).expect(url).as_str(), expected);
        }
    }

    #[test]
    fn nothing_else_is() {
        for url in [
            "http://static-cdn.jtvnw.net/a.png",
            "https://static-cdn.jtvnw.net:8443/a.png",
            "https://static-cdn.jtvnw.net./a.png",
            "https://static-cdn.jtvnw.net.evil.test/a.png",
            "https://evil.test/static-cdn.jtvnw.net",
            "https://x.static-cdn.jtvnw.net/a.png",
            "https://127.0.0.1:8000/a.png",
            "http://127.0.0.1/a.png",
            "http://127.0.0.1:8001/a.png",
            "http://localhost:8000/a.png",
            "http://127.0.0.2:8000/a.png",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/a.png",
            "https://[::1]/a.png",
            "https://[::ffff:127.0.0.1]/a.png",
            "https://2130706433/a.png",
            "https://images.example.com:8443/a.png",
            "http://images.example.com/a.png",
        ] {
            assert_eq!(refused(url), 403, "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_a_bad_request() {
        let long = format!("https://cdn.7tv.app/{}", "a".repeat(LONGEST));
        for url in [
            "",
            " ",
            "a.png",
            "/a.png",
            "//cdn.7tv.app/a.png",
            "https://",
            "https:///",
            "ftp://cdn.7tv.app/a.png",
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "gopher://cdn.7tv.app/",
            "https://user@cdn.7tv.app/a.png",
            "https://user:password@cdn.7tv.app/a.png",
            "https://:password@cdn.7tv.app/a.png",
            "https://cdn.7tv.app:99999/a.png",
            &long,
        ] {
            assert_eq!(refused(url), 400, "{url}");
        }
    }

    #[test]
    fn a_refusal_names_the_setting() {
        let problem = allowed().check("https://evil.test/a.png").expect_err("a stranger");

        assert!(problem.detail().contains("https://evil.test") && problem.detail().contains("ELORA_IMAGE_ORIGINS"));
    }
}
