//! Where something was said: the line's own word first, then what is wanted.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, Platform};

use super::Unreadable;
use super::fields::{Fields, label, text};
use super::payload::Payload;

/// Letters in the login of a channel, on any platform.
const LONGEST_LOGIN: usize = 100;

/// The channel of something on `platform`: the one it names, else the only wanted one there, else one without a name.
pub fn of(platform: Platform, named: Option<Channel>, wanted: &BTreeSet<Channel>) -> Channel {
    let mut there = wanted.iter().filter(|channel| channel.platform == platform);
    match named {
        Some(named) => {
            // The wanted one may know its platform's id, which is what ties events together.
            let known = there.find(|channel| named.id.is_none() && channel.login == named.login).cloned();
            known.unwrap_or(named)
        }
        None => match (there.next(), there.next()) {
            (Some(only), None) => only.clone(),
            _ => Channel::unnamed(platform),
        },
    }
}

/// The platform of what does not name one: that of everything wanted.
pub fn platform(wanted: &BTreeSet<Channel>) -> Option<Platform> {
    let platform = &wanted.first()?.platform;
    wanted.iter().all(|channel| channel.platform == *platform).then(|| platform.clone())
}

/// What a field of a line says of its channel: an address, a name, or an object with its login and id.
pub fn named(platform: Option<&Platform>, value: Option<&Value>) -> Result<Option<Channel>, Unreadable> {
    let channel = match value {
        Some(Value::String(name)) if !name.trim().is_empty() => spelled(platform, name)?,
        Some(Value::Object(fields)) => match text(fields, "login") {
            // Our own events say a channel's address apart from its platform; it need not be one that people could type.
            Some(login) => {
                known(spelled(platform, login).or_else(|error| as_told(platform, login).ok_or(error))?, fields)
            }
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(channel))
}

/// A login on a named platform as it stands there.
fn as_told(platform: Option<&Platform>, login: &str) -> Option<Channel> {
    let is_name = login.chars().count() <= LONGEST_LOGIN
        && !login.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | ':'));
    platform.filter(|_| is_name).map(|platform| Channel::new(platform.clone(), login))
}

fn known(channel: Channel, fields: &Fields) -> Channel {
    Channel { id: label(fields, "id"), name: text(fields, "name").map(str::to_owned), ..channel }
}

fn spelled(platform: Option<&Platform>, name: &str) -> Result<Channel, Unreadable> {
    let channel = match platform {
        Some(platform) if *platform == Platform::YOUTUBE => Channel::on_youtube(name),
        Some(platform) if !name.starts_with(&format!("{platform}:")) => format!("{platform}:{name}").parse(),
        _ => name.parse(),
    };
    let fits = |channel: &Channel| platform.is_none_or(|platform| channel.platform == *platform);
    channel.ok().filter(fits).ok_or(Unreadable::Wrong("channel"))
}

/// Names under which payloads say where a message of Twitch or others was sent.
const CHANNEL_NAMES: [&str; 8] =
    ["sourcechannel", "channel", "channelname", "channellogin", "broadcaster", "broadcasterlogin", "room", "roomname"];
/// Names under which payloads keep a video's or a channel's address.
const ADDRESS_NAMES: [&str; 4] = ["sourceurl", "url", "watchurl", "videourl"];
const VIDEO_NAMES: [&str; 3] = ["videoid", "liveid", "streamid"];
const HANDLE_NAMES: [&str; 2] = ["channelhandle", "handle"];

/// The channel a payload tells, at its top alone: deeper, there are the addresses that people talk about.
pub fn in_payload(platform: &Platform, payload: &Payload<'_>) -> Option<Channel> {
    if *platform != Platform::YOUTUBE {
        return spelled(Some(platform), &payload.named(&CHANNEL_NAMES)?).ok();
    }
    let on_youtube = |named: Option<String>| Channel::on_youtube(&named?).ok();
    on_youtube(payload.named(&ADDRESS_NAMES))
        .or_else(|| on_youtube(payload.named(&VIDEO_NAMES).map(|id| format!("v:{id}"))))
        .or_else(|| on_youtube(payload.named(&HANDLE_NAMES)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn channels(names: &[&str]) -> BTreeSet<Channel> {
        names.iter().map(|name| name.parse().expect(name)).collect()
    }

    fn of_twitch(named: Option<&str>, wanted: &BTreeSet<Channel>) -> Channel {
        of(Platform::TWITCH, named.map(|name| Channel::new(Platform::TWITCH, name)), wanted)
    }

    #[test]
    fn what_names_no_channel_is_of_the_only_wanted_one() {
        let one = channels(&["twitch:ada", "kick:ada"]);
        let two = channels(&["twitch:ada", "twitch:grace"]);

        assert_eq!(of_twitch(None, &one).login, "ada");
        assert_eq!(of_twitch(None, &two), Channel::unnamed(Platform::TWITCH));
        assert_eq!(of_twitch(Some("hedy"), &one).login, "hedy");
    }

    #[test]
    fn a_named_channel_gets_its_id_from_the_wanted_one() {
        let known = Channel::new(Platform::TWITCH, "ada").with_id("1815");
        let wanted = BTreeSet::from([known.clone()]);

        assert_eq!(of_twitch(Some("ada"), &wanted), known);
        let other = Channel::new(Platform::TWITCH, "ada").with_id("7");
        assert_eq!(of(Platform::TWITCH, Some(other.clone()), &wanted), other);
    }

    #[test]
    fn the_platform_is_that_of_everything_wanted() {
        assert_eq!(platform(&channels(&["twitch:ada", "twitch:grace"])), Some(Platform::TWITCH));
        assert_eq!(platform(&channels(&["twitch:ada", "kick:ada"])), None);
        assert_eq!(platform(&BTreeSet::new()), None);
    }

    #[test]
    fn a_channel_is_named_in_every_spelling() {
        let twitch = Some(&Platform::TWITCH);
        let cases = [
            (twitch, json!("#Ada"), "twitch:ada"),
            (twitch, json!("https://twitch.tv/ada"), "twitch:ada"),
            (twitch, json!("twitch:ada"), "twitch:ada"),
            (twitch, json!({ "login": "ada", "id": 7 }), "twitch:ada"),
            (Some(&Platform::YOUTUBE), json!("jfKfPfyJRdk"), "youtube:v:jfKfPfyJRdk"),
            (None, json!("https://kick.com/ada"), "kick:ada"),
        ];
        for (platform, value, expected) in cases {
            let channel = named(platform, Some(&value)).map(|channel| channel.map(|channel| channel.to_string()));
            assert_eq!(channel, Ok(Some(expected.to_owned())), "{value}");
        }
        for value in [json!(""), json!({}), json!({ "login": "" }), json!(7), json!(null)] {
            assert_eq!(named(twitch, Some(&value)), Ok(None), "{value}");
        }
        for value in
            [json!("two words"), json!("kick:ada"), json!("https://kick.com/ada"), json!("https://example.com/x")]
        {
            assert_eq!(named(twitch, Some(&value)), Err(Unreadable::Wrong("channel")), "{value}");
        }
    }
}
