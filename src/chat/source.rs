//! Platforms and channels, and the one parser that turns what a person pastes into a [`Channel`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// A platform's name: `[a-z0-9_]{1,16}`. Open, so that a new platform does not touch the core.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Platform(Cow<'static, str>);

impl Platform {
    pub const TWITCH: Self = Self(Cow::Borrowed("twitch"));
    pub const YOUTUBE: Self = Self(Cow::Borrowed("youtube"));
    pub const KICK: Self = Self(Cow::Borrowed("kick"));
    const KNOWN: [Self; 3] = [Self::TWITCH, Self::YOUTUBE, Self::KICK];

    /// Accepts any case and surrounding white space; refuses what is not a platform name.
    pub fn new(name: &str) -> Result<Self, SourceError> {
        let name = name.trim().to_ascii_lowercase();
        if let Some(platform) = Self::KNOWN.into_iter().find(|known| known.as_str() == name) {
            return Ok(platform);
        }
        let valid = (1..=16).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if valid { Ok(Self(Cow::Owned(name))) } else { Err(SourceError::Platform(name)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is written in a sentence; clients of old know platforms by it.
    pub fn title(&self) -> &str {
        match self.as_str() {
            "twitch" => "Twitch",
            "youtube" => "YouTube",
            "kick" => "Kick",
            "marker" => "Marker",
            other => other,
        }
    }

    /// Whether channels of it can be named by people. Others only come from programs that bring their own.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(self)
    }
}

impl TryFrom<String> for Platform {
    type Error = SourceError;

    fn try_from(name: String) -> Result<Self, SourceError> {
        Self::new(&name)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One chat on one platform.
///
/// `login` is the address a driver joins by: a Twitch login, a Kick slug, a YouTube handle (`@name`),
/// channel id (`UC…`) or video id (`v:<id>`). `id` is the platform's own stable key; a driver fills it in
/// as soon as the platform tells it. What a person typed has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Channel {
    pub platform: Platform,
    pub login: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Channel {
    /// A channel known by its address alone.
    pub fn new(platform: Platform, login: impl Into<String>) -> Self {
        Self { platform, login: login.into(), id: None, name: None }
    }

    /// The channel of what was said nobody knows where: other programs write down talk without its place.
    pub fn unnamed(platform: Platform) -> Self {
        Self::new(platform, "")
    }

    pub fn is_unnamed(&self) -> bool {
        self.login.is_empty()
    }

    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// A YouTube channel or video by an address, a handle or an id. Eleven letters of an id's alphabet are a video.
    pub fn on_youtube(source: &str) -> Result<Self, SourceError> {
        let source = source.trim();
        let bare = source.to_ascii_lowercase();
        let is_bare_host =
            matches!(bare.strip_prefix("www.").unwrap_or(&bare), "youtube.com" | "m.youtube.com" | "youtu.be");
        if is_bare_host {
            return Err(SourceError::Unknown(source.to_owned()));
        }
        let named = source.strip_prefix("youtube:").unwrap_or(source);
        video(named).or_else(|_| self::named(Platform::YOUTUBE, named))
    }

    /// Where people watch it; empty where that is not known.
    pub fn url(&self) -> String {
        let login = &self.login;
        match self.platform.as_str() {
            _ if self.is_unnamed() => String::new(),
            "twitch" => format!("https://www.twitch.tv/{login}"),
            "kick" => format!("https://kick.com/{login}"),
            "youtube" if login.starts_with('@') => format!("https://www.youtube.com/{login}"),
            "youtube" if login.starts_with("UC") => format!("https://www.youtube.com/channel/{login}"),
            "youtube" => format!("https://www.youtube.com/watch?v={}", login.strip_prefix("v:").unwrap_or(login)),
            _ => String::new(),
        }
    }

    /// What identifies the channel in the store: the platform's id, or the address while none is known.
    pub fn key(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.login)
    }
}

/// `twitch:forsen`: the spelling that [`Channel::from_str`] reads back.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.platform, self.login)
    }
}

/// Why a source string names no channel. The text says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("no source given: paste a channel's address, or write platform:name such as twitch:forsen")]
    Empty,
    #[error("`{}` is not a platform name: use twitch, youtube or kick", short(.0))]
    Platform(String),
    #[error(
        "`{}` is not a channel this program knows: use a twitch.tv, youtube.com or kick.com address, or platform:name",
        short(.0)
    )]
    Unknown(String),
    #[error("`{}` is not a {platform} channel name: {rule}", short(.login))]
    Login { platform: Platform, login: String, rule: &'static str },
}

/// What is told back of a text that may be of any length.
fn short(text: &str) -> String {
    let mut start: String = text.chars().take(LONGEST_NAME).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// Characters in a channel's name, on any platform.
const LONGEST_NAME: usize = 100;
const TWITCH_RULE: &str = "1 to 25 letters, digits or underscores";
const KICK_RULE: &str = "1 to 25 letters, digits, underscores or dashes";
const OTHER_RULE: &str = "at most 100 characters, none of them a control character";
const YOUTUBE_RULE: &str = "an @handle, a channel id (UC…), or a video address";

/// Reads any address, handle or `platform:name`; a bare name is a Twitch channel.
impl FromStr for Channel {
    type Err = SourceError;

    fn from_str(source: &str) -> Result<Self, SourceError> {
        let source = source.trim();
        if source.is_empty() {
            return Err(SourceError::Empty);
        }
        if let Some((platform, name)) = source.split_once(':').filter(|(_, rest)| !rest.starts_with("//"))
            && !platform.contains(['.', '/'])
        {
            return named(Platform::new(platform)?, name.trim());
        }
        if source.starts_with('@') && !is_twitch_login(&source[1..].to_ascii_lowercase()) {
            return named(Platform::YOUTUBE, source);
        }
        if source.contains(['/', '.']) {
            return address(source);
        }
        named(Platform::TWITCH, source)
    }
}

/// `platform:name`, where the name may itself be an address of that platform.
fn named(platform: Platform, name: &str) -> Result<Channel, SourceError> {
    if name.contains('/') {
        let channel = address(name)?;
        return if channel.platform == platform { Ok(channel) } else { Err(SourceError::Unknown(name.to_owned())) };
    }
    match platform.as_str() {
        "twitch" => twitch(name),
        "youtube" => youtube(name),
        "kick" => kick(name),
        _ if name.is_empty() => Err(SourceError::Empty),
        _ if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) => {
            Err(login_error(platform, name, OTHER_RULE))
        }
        _ => Ok(Channel::new(platform, name)),
    }
}

fn address(source: &str) -> Result<Channel, SourceError> {
    let unknown = || SourceError::Unknown(source.to_owned());
    let full = if source.contains("://") { source.to_owned() } else { format!("https://{source}") };
    let url = Url::parse(&full).map_err(|_| unknown())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unknown());
    }
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let bare = ["www.", "m.", "go."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(&host);
    match bare {
        "twitch.tv" | "player.twitch.tv" => twitch_address(&url).ok_or_else(unknown)?,
        "youtube.com" | "music.youtube.com" | "youtu.be" => youtube_address(&url, bare).ok_or_else(unknown)?,
        "kick.com" => kick_address(&url).ok_or_else(unknown)?,
        _ => Err(unknown()),
    }
}

fn segments(url: &Url) -> Vec<&str> {
    url.path_segments().map(|parts| parts.filter(|part| !part.is_empty()).collect()).unwrap_or_default()
}

fn query(url: &Url, key: &str) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
}

fn twitch_address(url: &Url) -> Option<Result<Channel, SourceError>> {
    match segments(url).as_slice() {
        ["popout" | "embed" | "moderator", login, ..] => Some(twitch(login)),
        ["videos" | "directory" | "settings" | "downloads" | "p", ..] => None,
        [login, ..] => Some(twitch(login)),
        [] => query(url, "channel").map(|login| twitch(&login)),
    }
}

fn kick_address(url: &Url) -> Option<Result<Channel, SourceError>> {
    match segments(url).as_slice() {
        ["popout", slug, ..] => Some(kick(slug)),
        ["browse" | "category" | "categories" | "video" | "search", ..] => None,
        [slug, ..] => Some(kick(slug)),
        [] => None,
    }
}

fn youtube_address(url: &Url, host: &str) -> Option<Result<Channel, SourceError>> {
    let parts = segments(url);
    if host == "youtu.be" {
        return parts.first().map(|id| video(id));
    }
    match parts.as_slice() {
        [] | ["watch" | "live_chat", ..] => query(url, "v").map(|id| video(&id)),
        ["live" | "embed" | "shorts" | "v", id, ..] => Some(video(id)),
        ["channel", id, ..] => Some(youtube(id)),
        ["c" | "user", name, ..] => Some(youtube(&format!("@{name}"))),
        [handle, ..] if handle.starts_with('@') => Some(youtube(handle)),
        _ => None,
    }
}

fn login_error(platform: Platform, login: &str, rule: &'static str) -> SourceError {
    SourceError::Login { platform, login: login.to_owned(), rule }
}

fn is_twitch_login(login: &str) -> bool {
    (1..=25).contains(&login.len()) && login.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn twitch(login: &str) -> Result<Channel, SourceError> {
    let clean = login.trim().trim_start_matches(['#', '@']).to_ascii_lowercase();
    if is_twitch_login(&clean) {
        Ok(Channel::new(Platform::TWITCH, clean))
    } else {
        Err(login_error(Platform::TWITCH, login, TWITCH_RULE))
    }
}

fn kick(slug: &str) -> Result<Channel, SourceError> {
    let clean = slug.trim().trim_start_matches('@').to_ascii_lowercase();
    let valid = (1..=25).contains(&clean.len())
        && clean.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if valid { Ok(Channel::new(Platform::KICK, clean)) } else { Err(login_error(Platform::KICK, slug, KICK_RULE)) }
}

fn video(id: &str) -> Result<Channel, SourceError> {
    youtube(&format!("v:{id}"))
}

/// Handles compare without case; channel and video ids keep theirs.
fn youtube(name: &str) -> Result<Channel, SourceError> {
    let is_id = |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let login = if let Some(id) = name.strip_prefix("v:").filter(|id| id.len() == 11 && is_id(id)) {
        format!("v:{id}")
    } else if name.len() == 24 && name.starts_with("UC") && is_id(name) {
        name.to_owned()
    } else {
        let handle = name.strip_prefix('@').unwrap_or(name).to_lowercase();
        let valid = (1..=100).contains(&handle.len())
            && handle.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '·'));
        if !valid {
            return Err(login_error(Platform::YOUTUBE, name, YOUTUBE_RULE));
        }
        format!("@{handle}")
    };
    Ok(Channel::new(Platform::YOUTUBE, login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_youtube_even_a_bare_word_is_a_video_or_a_handle() {
        let video = Ok("youtube:v:jfKfPfyJRdk");
        let cases = [
            ("jfKfPfyJRdk", video),
            (" https://youtu.be/jfKfPfyJRdk ", video),
            ("youtube.com/watch?v=jfKfPfyJRdk", video),
            ("https://www.youtube.com/?v=jfKfPfyJRdk", video),
            ("https://www.youtube.com/embed/jfKfPfyJRdk", video),
            ("youtube:v:jfKfPfyJRdk", video),
            ("LofiGirl", Ok("youtube:@lofigirl")),
            ("@LofiGirl", Ok("youtube:@lofigirl")),
            ("https://youtube.com/@LofiGirl/live", Ok("youtube:@lofigirl")),
            ("https://www.youtube.com/channel/UCSJ4gkVC6NrvII8umztf0Ow/live", Ok("youtube:UCSJ4gkVC6NrvII8umztf0Ow")),
            ("https://www.youtube.com/watch?v=bad", Err(())),
            ("youtube.com", Err(())),
            ("www.youtu.be", Err(())),
            ("https://youtube.com/", Err(())),
            ("https://twitch.tv/forsen", Err(())),
            ("two words", Err(())),
            ("", Err(())),
        ];
        for (source, expected) in cases {
            let channel = Channel::on_youtube(source).map(|channel| channel.to_string()).map_err(drop);
            assert_eq!(channel, expected.map(str::to_owned), "{source}");
        }
    }

    #[test]
    fn every_spelling_of_a_channel_is_the_same_channel() {
        let cases = [
            ("https://www.twitch.tv/Forsen", "twitch:forsen"),
            ("twitch.tv/forsen/", "twitch:forsen"),
            ("https://m.twitch.tv/forsen?sr=a", "twitch:forsen"),
            ("https://www.twitch.tv/popout/forsen/chat?popout=", "twitch:forsen"),
            ("https://player.twitch.tv/?channel=forsen", "twitch:forsen"),
            ("https://www.twitch.tv/forsen/videos", "twitch:forsen"),
            ("twitch:Forsen", "twitch:forsen"),
            ("twitch:#forsen", "twitch:forsen"),
            ("twitch:https://twitch.tv/forsen", "twitch:forsen"),
            ("  #forsen ", "twitch:forsen"),
            ("@forsen", "twitch:forsen"),
            ("https://www.youtube.com/@LofiGirl", "youtube:@lofigirl"),
            ("https://www.youtube.com/@LofiGirl/live", "youtube:@lofigirl"),
            ("https://youtu.be/jfKfPfyJRdk?t=3", "youtube:v:jfKfPfyJRdk"),
            ("https://www.youtube.com/watch?v=jfKfPfyJRdk&t=1", "youtube:v:jfKfPfyJRdk"),
            ("https://www.youtube.com/live/jfKfPfyJRdk", "youtube:v:jfKfPfyJRdk"),
            ("https://www.youtube.com/live_chat?is_popout=1&v=jfKfPfyJRdk", "youtube:v:jfKfPfyJRdk"),
            ("https://www.youtube.com/channel/UCSJ4gkVC6NrvII8umztf0Ow", "youtube:UCSJ4gkVC6NrvII8umztf0Ow"),
            ("youtube:LofiGirl", "youtube:@lofigirl"),
            ("youtube:v:jfKfPfyJRdk", "youtube:v:jfKfPfyJRdk"),
            ("@lofi.girl", "youtube:@lofi.girl"),
            ("kick.com/XQC", "kick:xqc"),
            ("https://kick.com/popout/xqc/chat", "kick:xqc"),
            ("kick:some-one", "kick:some-one"),
            ("mixer:anything", "mixer:anything"),
        ];
        for (source, expected) in cases {
            assert_eq!(source.parse::<Channel>().map(|c| c.to_string()), Ok(expected.to_owned()), "{source}");
        }
    }

    #[test]
    fn what_a_channel_prints_is_read_back() {
        for text in ["twitch:forsen", "youtube:v:jfKfPfyJRdk", "youtube:@lofi.girl", "kick:xqc"] {
            assert_eq!(text.parse::<Channel>().map(|c| c.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_channels_address_leads_back_to_it() {
        for text in [
            "twitch:forsen",
            "youtube:v:jfKfPfyJRdk",
            "youtube:@lofi.girl",
            "youtube:UCSJ4gkVC6NrvII8umztf0Ow",
            "kick:xqc",
        ] {
            let channel: Channel = text.parse().expect(text);
            assert_eq!(channel.url().parse(), Ok(channel), "{text}");
        }
    }

    #[test]
    fn a_channel_without_a_name_has_no_address() {
        for platform in Platform::KNOWN {
            assert_eq!(Channel::unnamed(platform).url(), "");
        }
    }

    #[test]
    fn what_is_no_channel_says_what_would_be() {
        for source in [
            "",
            "  ",
            "https://example.com/x",
            "twitch:a b",
            "https://www.twitch.tv/",
            "ftp://twitch.tv/x",
            "https://www.twitch.tv/videos/1234",
            "not a platform:x",
            "youtube:",
            "https://www.youtube.com/feed/you",
        ] {
            let error = source.parse::<Channel>().expect_err(source);
            assert!(error.to_string().len() > 30, "{source}: {error}");
        }
    }
}
