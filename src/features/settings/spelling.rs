//! How one value is read: into its one spelling, or with words for what would be right.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use crate::chat::{Channel, Platform};
use crate::config::Origins;
use crate::config::settings::{tidy, tidy_socket};

/// The one place gnasty can write to that it can be told of.
const SINKS: [&str; 1] = ["sqlite"];

pub fn whole(range: RangeInclusive<i64>) -> impl Fn(&i64) -> Result<u32, String> {
    move |number| {
        let (least, most) = (range.start(), range.end());
        let fits = range.contains(number).then(|| u32::try_from(*number).ok()).flatten();
        fits.ok_or_else(|| format!("{number} is not a number from {least} to {most}"))
    }
}

pub fn millis(range: RangeInclusive<i64>) -> impl Fn(&i64) -> Result<Duration, String> {
    move |number| whole(range.clone())(number).map(|millis| Duration::from_millis(millis.into()))
}

/// What may be sent back as it was read, and not otherwise.
pub fn fixed<V>(known: String, kept: V, name: &'static str) -> impl FnOnce(&str) -> Result<V, String> {
    move |sent| if sent.trim() == known { Ok(kept) } else { Err(only(name)) }
}

pub fn only(name: &str) -> String {
    format!("cannot be changed while the server runs: {name} sets it, at the start")
}

pub fn trimmed(list: &[String]) -> impl Iterator<Item = &str> + Clone {
    list.iter().map(|item| item.trim()).filter(|item| !item.is_empty())
}

pub fn enabled_sinks(list: &[String]) -> Result<Vec<String>, String> {
    let mut sinks: Vec<String> = Vec::new();
    for sink in trimmed(list).map(str::to_lowercase) {
        if !SINKS.contains(&sink.as_str()) {
            return Err(format!("`{sink}` is not a sink: there is {}", SINKS.join(", ")));
        }
        if !sinks.contains(&sink) {
            sinks.push(sink);
        }
    }
    if sinks.is_empty() { Err(format!("must name at least one: there is {}", SINKS.join(", "))) } else { Ok(sinks) }
}

pub fn origins(list: &[String]) -> Result<Origins, String> {
    let items = trimmed(list).map(|item| item.trim_end_matches('/'));
    let wrong: Vec<String> = items.clone().filter_map(|item| Origins::read(std::iter::once(item)).err()).collect();
    if wrong.is_empty() { Origins::read(items) } else { Err(wrong.join("; ")) }
}

pub fn api_base(text: &str) -> Result<Url, String> {
    address(text, &["http", "https"], "https://chat.example.com").map(tidy)
}

pub fn ws_url(text: &str) -> Result<Url, String> {
    address(text, &["ws", "wss"], "wss://chat.example.com/ws/chat").map(tidy_socket)
}

fn address(text: &str, schemes: &[&str], example: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).ok().filter(|url| schemes.contains(&url.scheme()) && url.has_host());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    url.filter(|_| text.contains("://"))
        .ok_or_else(|| format!("`{text}` is not a whole address: write it as {example}"))
}

pub fn twitch_channel(text: &str) -> Result<Option<Channel>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let login = text.strip_prefix("twitch:").unwrap_or(text);
    let channel = format!("{}:{login}", Platform::TWITCH).parse::<Channel>();
    channel.map(Some).map_err(|error| error.to_string())
}

pub fn youtube_source(text: &str) -> Result<Option<Channel>, String> {
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { Channel::on_youtube(text).map(Some).map_err(|error| error.to_string()) }
}

/// The address of a YouTube channel's stream, or of a video.
pub fn canonical(channel: &Channel) -> String {
    let url = channel.url();
    if channel.login.starts_with("v:") { url } else { format!("{url}/live") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::text;

    #[test]
    fn an_address_is_whole_and_ends_without_a_slash() {
        let api = |text_: &str| api_base(text_).map(|url| text(&url)).map_err(drop);
        let ws = |text_: &str| ws_url(text_).map(|url| text(&url)).map_err(drop);
        let good = |text: &str| Ok(text.to_owned());

        assert_eq!(api(" HTTPS://Example.com/// "), good("https://example.com"));
        assert_eq!(api("http://localhost:8080/base/"), good("http://localhost:8080/base"));
        assert_eq!(api("http://[::1]:8080"), good("http://[::1]:8080"));
        assert_eq!(ws("wss://example.com"), good("wss://example.com/ws/chat"));
        assert_eq!(ws("WS://example.com//"), good("ws://example.com/ws/chat"));
        assert_eq!(ws("wss://example.com/ws/chat///"), good("wss://example.com/ws/chat"));
        assert_eq!(ws("wss://example.com/live/"), good("wss://example.com/live"));
        for bad in ["", "/x", "example.com", "//example.com", "http:example.com", "ftp://example.com", "https://"] {
            assert_eq!(api(bad), Err(()), "{bad}");
            assert_eq!(ws(bad), Err(()), "{bad}");
        }
        assert_eq!(api("https://me:word@example.com"), Err(()), "a password would be told to everybody");
        assert_eq!((api("wss://example.com"), ws("https://example.com")), (Err(()), Err(())));
    }

    #[test]
    fn every_page_that_is_none_is_named() {
        let list = |items: &[&str]| origins(&items.iter().map(|&item| item.to_owned()).collect::<Vec<_>>());

        let good = list(&[" https://b.test/ ", "", "https://a.test", "https://b.test", "*"]).expect("good pages");
        let shown: Vec<String> = good.list.iter().map(ToString::to_string).collect();
        assert_eq!((shown.join(" ").as_str(), good.any), ("https://b.test https://a.test", true));
        let pattern = list(&["https://*.a.test"]).expect_err("a star stands alone");
        assert!(pattern.contains("only a bare `*`"), "{pattern}");
        let bad = list(&["https://a.test", "a.test", "https://c.test/x"]).expect_err("two are none");
        assert!(bad.contains("`a.test`") && bad.contains("`https://c.test/x`") && !bad.contains("`https://a"), "{bad}");
    }
}
