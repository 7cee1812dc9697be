//! The lines themselves.

use uuid::Uuid;

use crate::chat::color::Color;
use crate::chat::fragments::{Placed, split};
use crate::chat::{Author, Badge, Channel, Fragment, Kind, Message, Millis, NewEvent, Platform, Role};

/// No platform lets anybody go by this name, so no real channel is mixed up with it.
const CHANNEL: &str = "-demo-";
/// Between the lines of a burst.
const STEP_MS: i64 = 250;
const YELLOW: &str = "#FFCD05";

/// Somebody in the demo.
struct Part {
    name: &'static str,
    role: Option<(Role, &'static str)>,
    color: Option<&'static str>,
}

const HOST: Part = Part { name: "Demo_Host", role: Some((Role::BROADCASTER, "broadcaster")), color: Some("#B22222") };
const STAGE_HAND: Part =
    Part { name: "Demo_StageHand", role: Some((Role::MODERATOR, "moderator")), color: Some("#2E8B57") };
const GUEST: Part = Part { name: "demo_guest", role: None, color: None };
const YOUTUBE_HOST: Part = Part { name: "@DemoHost", role: Some((Role::BROADCASTER, "owner")), color: None };
const YOUTUBE_MODERATOR: Part = Part { name: "@DemoUsher", role: Some((Role::MODERATOR, "moderator")), color: None };

pub fn marker(now: Millis) -> NewEvent {
    let elora = Part { name: "Elora Marker", role: None, color: Some(YELLOW) };
    let platform = Platform::new("marker").expect("a good name");
    line(platform, &elora, &format!("marker set at {now}"), now)
}

/// Six lines, a quarter of a second apart.
pub fn burst(now: Millis) -> Vec<NewEvent> {
    let (twitch, youtube) = (Platform::TWITCH, Platform::YOUTUBE);
    let lines = [
        (twitch.clone(), HOST, "good evening, this is a rehearsal"),
        (twitch.clone(), STAGE_HAND, "sound and picture arrive over here"),
        (youtube.clone(), YOUTUBE_HOST, "the same on this side, we can begin"),
        (twitch.clone(), GUEST, "what a lovely opening Kappa"),
        (youtube, YOUTUBE_MODERATOR, "please be seated, it goes on in a minute"),
        (twitch, GUEST, "see https://example.com for the program, @Demo_Host"),
    ];
    let stamped = lines.into_iter().zip((0..).map(|n| Millis(now.0 + n * STEP_MS)));
    stamped.map(|((platform, part, text), at)| line(platform, &part, text, at)).collect()
}

fn line(platform: Platform, part: &Part, text: &str, at: Millis) -> NewEvent {
    let badge = |set: &str| Badge { set: set.to_owned(), version: "1".to_owned(), title: None };
    let (roles, badges) = part.role.iter().map(|(role, set)| (role.clone(), badge(set))).unzip();
    let author = Author {
        id: None,
        login: part.name.trim_start_matches('@').to_lowercase().replace(' ', "_"),
        name: part.name.to_owned(),
        color: part.color.and_then(Color::parse),
        roles,
        badges,
        first: false,
    };
    let fragments = split(text, emotes(text), None);
    let message =
        Message { author, text: text.to_owned(), fragments, reply: None, money: None, bits: None, flags: Vec::new() };
    NewEvent {
        native_id: Some(format!("demo-{}", Uuid::new_v4())),
        at: Some(at),
        ..NewEvent::new(Channel::new(platform, CHANNEL), Kind::Message(message))
    }
}

/// The one emote that everybody knows.
fn emotes(text: &str) -> Vec<Placed> {
    let (name, id) = ("Kappa", "25");
    let emote = |start: usize| Placed {
        range: start..start + name.len(),
        fragment: Fragment::Emote {
            text: name.to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            provider: "twitch".to_owned(),
            animated: false,
            zero_width: false,
        },
    };
    text.find(name).map(emote).into_iter().collect()
}
