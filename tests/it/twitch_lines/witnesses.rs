//! What other people's parsers made of a line: the crates `tmi` and `twitch-irc`, in the words of `facts.rs`.
//! They differ in what they tell; only what one of them tells is compared.

use tmi::IrcMessageRef;
use twitch_irc::message::{
    AsRawIRC, ClearChatAction, Emote, FollowersOnlyMode, IRCMessage, ServerMessage, UserNoticeEvent, UserNoticeMessage,
};

use super::facts::{Facts, list, shown, tag_map};

/// Another parser: its name, its view of the grammar and of the meaning.
pub struct Witness {
    pub name: &'static str,
    pub grammar: fn(&str) -> Facts,
    pub meaning: fn(&str) -> Facts,
}

pub const ALL: [Witness; 2] = [
    Witness { name: "tmi", grammar: tmi_grammar, meaning: tmi_meaning },
    Witness { name: "twitch-irc", grammar: twitch_irc_grammar, meaning: twitch_irc_meaning },
];

fn refused(what: &'static str) -> Facts {
    Facts::from([(what, "refused".to_owned())])
}

fn tmi_grammar(line: &str) -> Facts {
    let Some(line) = IrcMessageRef::parse(line) else {
        return refused("grammar");
    };
    let tags = line.tags().map(|(key, value)| (key.to_owned(), tmi::maybe_unescape(value).into_owned()));
    let prefix = line.prefix().map(|prefix| prefix.to_string().trim_start_matches(':').to_owned());
    Facts::from([
        ("grammar", "read".to_owned()),
        ("command", line.command().as_str().to_owned()),
        ("tags", tag_map(tags)),
        ("prefix", shown(prefix)),
    ])
}

fn tmi_meaning(line: &str) -> Facts {
    use tmi::Message as Said;
    match tmi::Message::parse(line) {
        Ok(Said::Privmsg(said)) => tmi_message(&said),
        Ok(Said::UserNotice(said)) => tmi_alert(&said),
        Ok(Said::ClearChat(cleared)) => tmi_cleared(&cleared),
        Ok(Said::ClearMsg(removed)) => Facts::from([
            ("meaning", "removed".to_owned()),
            ("channel", login(removed.channel())),
            ("room_id", removed.channel_id().to_owned()),
            ("at", removed.timestamp().timestamp_millis().to_string()),
            ("target_id", removed.target_message_id().to_owned()),
            ("target_login", removed.sender().to_owned()),
        ]),
        Ok(Said::RoomState(state)) => tmi_room_state(&state),
        Ok(_) => Facts::new(),
        Err(_) => refused("meaning"),
    }
}

/// tmi keeps the `#`.
fn login(channel: &str) -> String {
    channel.trim_start_matches('#').to_owned()
}

fn tmi_message(said: &tmi::Privmsg<'_>) -> Facts {
    let reply = said.reply_to().map(|reply| {
        let who = reply.sender();
        format!("{} {} {} {:?} {}", reply.message_id(), who.id(), who.login(), who.name(), reply.text())
    });
    Facts::from([
        ("meaning", "message".to_owned()),
        ("channel", login(said.channel())),
        ("room_id", said.channel_id().to_owned()),
        ("at", said.timestamp().timestamp_millis().to_string()),
        ("id", said.id().to_owned()),
        ("user_id", said.sender().id().to_owned()),
        ("login", said.sender().login().to_owned()),
        ("name", said.sender().name().into_owned()),
        ("text", said.text().to_owned()),
        ("action", said.is_action().to_string()),
        ("badges", tmi_badges(said.badges())),
        ("titles", tmi_titles(said.badges())),
        ("emotes", raw_emotes(said.raw_emotes())),
        ("color", shown(said.color())),
        ("bits", shown(said.bits())),
        ("reply", shown(reply)),
    ])
}

fn tmi_alert(said: &tmi::UserNotice<'_>) -> Facts {
    let mut facts = Facts::from([
        ("meaning", "alert".to_owned()),
        ("channel", login(said.channel())),
        ("room_id", said.channel_id().to_owned()),
        ("at", said.timestamp().timestamp_millis().to_string()),
        ("id", said.message_id().to_owned()),
        ("text", shown(said.text())),
        ("system_text", shown(said.system_message())),
        ("badges", tmi_badges(said.badges())),
        ("emotes", raw_emotes(said.raw_emotes())),
        ("color", shown(said.color())),
    ]);
    if let Some(who) = said.sender() {
        facts.insert("user_id", who.id().to_owned());
        facts.insert("login", who.login().to_owned());
        facts.insert("name", who.name().into_owned());
    }
    facts
}

fn tmi_badges<'a>(badges: impl Iterator<Item = &'a tmi::Badge<'a>>) -> String {
    list(badges.map(tmi::Badge::as_badge_data).map(|badge| format!("{}/{}", badge.name(), badge.version())))
}

fn tmi_titles<'a>(badges: impl Iterator<Item = &'a tmi::Badge<'a>>) -> String {
    let badges = badges.map(tmi::Badge::as_badge_data);
    list(badges.filter_map(|badge| Some(format!("{}/{}", badge.name(), badge.extra()?))))
}

/// tmi leaves the tag as it is: `id:first-last,…/…`.
fn raw_emotes(tag: &str) -> String {
    let mut ranges = Vec::new();
    for (id, places) in tag.split('/').filter_map(|emote| emote.split_once(':')) {
        for place in places.split(',') {
            let first = place.split('-').next().unwrap_or_default();
            ranges.push((first.parse::<i64>().unwrap_or(-1), format!("{id}:{place}")));
        }
    }
    ranges.sort();
    list(ranges.into_iter().map(|(_, range)| range))
}

fn tmi_cleared(cleared: &tmi::ClearChat<'_>) -> Facts {
    let (who, id, duration) = match cleared.action() {
        tmi::Action::Clear => (String::new(), String::new(), String::new()),
        tmi::Action::Ban(ban) => (ban.user().to_owned(), ban.id().to_owned(), String::new()),
        tmi::Action::TimeOut(out) => (out.user().to_owned(), out.id().to_owned(), out.duration().as_secs().to_string()),
    };
    Facts::from([
        ("meaning", "cleared".to_owned()),
        ("channel", login(cleared.channel())),
        ("room_id", cleared.channel_id().to_owned()),
        ("at", cleared.timestamp().timestamp_millis().to_string()),
        ("target_login", who),
        ("target_author", id),
        ("duration", duration),
    ])
}

fn tmi_room_state(state: &tmi::RoomState<'_>) -> Facts {
    let followers = state.followers_only().map(|followers| match followers {
        tmi::FollowersOnly::Disabled => "off".to_owned(),
        tmi::FollowersOnly::Enabled(None) => "0".to_owned(),
        tmi::FollowersOnly::Enabled(Some(age)) => (age.as_secs() / 60).to_string(),
    });
    let slow = state.slow().map(|pause| pause.as_secs());
    let modes =
        [shown(state.emote_only()), shown(followers), shown(state.r9k()), shown(slow), shown(state.subs_only())];
    Facts::from([
        ("meaning", "room_state".to_owned()),
        ("channel", login(state.channel())),
        ("room_id", state.channel_id().to_owned()),
        ("modes", list(modes)),
    ])
}

fn twitch_irc_grammar(line: &str) -> Facts {
    let Ok(line) = IRCMessage::parse(line) else {
        return refused("grammar");
    };
    Facts::from([
        ("grammar", "read".to_owned()),
        ("command", line.command),
        ("tags", tag_map(line.tags.0.into_iter())),
        ("params", list(line.params)),
        ("prefix", shown(line.prefix.map(|prefix| prefix.as_raw_irc()))),
    ])
}

fn twitch_irc_meaning(line: &str) -> Facts {
    let Ok(line) = IRCMessage::parse(line) else {
        return refused("meaning");
    };
    match ServerMessage::try_from(line) {
        Ok(ServerMessage::Privmsg(said)) => twitch_irc_message(&said),
        Ok(ServerMessage::UserNotice(said)) => twitch_irc_alert(&said),
        Ok(ServerMessage::ClearChat(cleared)) => twitch_irc_cleared(&cleared),
        Ok(ServerMessage::ClearMsg(removed)) => Facts::from([
            ("meaning", "removed".to_owned()),
            ("channel", removed.channel_login),
            ("at", removed.server_timestamp.timestamp_millis().to_string()),
            ("target_id", removed.message_id),
            ("target_login", removed.sender_login),
        ]),
        Ok(ServerMessage::RoomState(state)) => twitch_irc_room_state(&state),
        Ok(_) => Facts::new(),
        Err(_) => refused("meaning"),
    }
}

fn twitch_irc_message(said: &twitch_irc::message::PrivmsgMessage) -> Facts {
    let reply = said.reply_parent.as_ref().map(|reply| {
        let who = &reply.reply_parent_user;
        format!("{} {} {} {:?} {}", reply.message_id, who.id, who.login, who.name, reply.message_text)
    });
    Facts::from([
        ("meaning", "message".to_owned()),
        ("channel", said.channel_login.clone()),
        ("room_id", said.channel_id.clone()),
        ("at", said.server_timestamp.timestamp_millis().to_string()),
        ("id", said.message_id.clone()),
        ("user_id", said.sender.id.clone()),
        ("login", said.sender.login.clone()),
        ("name", said.sender.name.clone()),
        ("text", said.message_text.clone()),
        ("action", said.is_action.to_string()),
        ("badges", twitch_irc_badges(&said.badges)),
        ("emotes", twitch_irc_emotes(&said.emotes)),
        ("color", shown(said.name_color)),
        ("bits", shown(said.bits)),
        ("reply", shown(reply)),
    ])
}

fn twitch_irc_badges(badges: &[twitch_irc::message::Badge]) -> String {
    list(badges.iter().map(|badge| format!("{}/{}", badge.name, badge.version)))
}

fn twitch_irc_emotes(emotes: &[Emote]) -> String {
    list(emotes.iter().map(|emote| format!("{}:{}-{}", emote.id, emote.char_range.start, emote.char_range.end - 1)))
}

fn twitch_irc_alert(said: &UserNoticeMessage) -> Facts {
    Facts::from([
        ("meaning", "alert".to_owned()),
        ("channel", said.channel_login.clone()),
        ("room_id", said.channel_id.clone()),
        ("at", said.server_timestamp.timestamp_millis().to_string()),
        ("id", said.message_id.clone()),
        ("user_id", said.sender.id.clone()),
        ("login", said.sender.login.clone()),
        ("name", said.sender.name.clone()),
        ("text", shown(said.message_text.as_ref())),
        ("system_text", said.system_message.clone()),
        ("badges", twitch_irc_badges(&said.badges)),
        ("emotes", twitch_irc_emotes(&said.emotes)),
        ("color", shown(said.name_color)),
        ("alert", twitch_irc_event(&said.event)),
    ])
}

fn twitch_irc_event(event: &UserNoticeEvent) -> String {
    use UserNoticeEvent as Event;
    let promo = |promo: &Option<twitch_irc::message::SubGiftPromo>| match promo {
        Some(promo) => format!("{} {}", promo.promo_name, promo.total_gifts),
        None => " ".to_owned(),
    };
    match event {
        Event::SubOrResub { is_resub, cumulative_months, streak_months, sub_plan, sub_plan_name } => {
            let kind = if *is_resub { "resub" } else { "sub" };
            format!("{kind} {cumulative_months} {} {sub_plan} {sub_plan_name}", shown(*streak_months))
        }
        Event::Raid { viewer_count, profile_image_url } => format!("raid {viewer_count} {profile_image_url}"),
        Event::SubGift { cumulative_months, recipient, sub_plan, sub_plan_name, num_gifted_months, .. } => format!(
            "gift {cumulative_months} {} {} {sub_plan} {sub_plan_name} {num_gifted_months}",
            recipient.login, recipient.name
        ),
        Event::SubMysteryGift { mass_gift_count, sender_total_gifts, sub_plan } => {
            format!("bulk {mass_gift_count} {} {sub_plan}", shown(*sender_total_gifts))
        }
        Event::AnonSubMysteryGift { mass_gift_count, sub_plan } => format!("bulk {mass_gift_count}  {sub_plan}"),
        Event::GiftPaidUpgrade { gifter_login, gifter_name, promotion } => {
            format!("upgrade {gifter_login} {gifter_name} {}", promo(promotion))
        }
        Event::AnonGiftPaidUpgrade { promotion } => format!("upgrade  {}", promo(promotion)),
        Event::Ritual { ritual_name } => format!("ritual {ritual_name}"),
        Event::BitsBadgeTier { threshold } => format!("bits {threshold}"),
        Event::Announcement { color } => format!("announcement {}", shown(color.as_ref())),
        _ => "another".to_owned(),
    }
}

fn twitch_irc_cleared(cleared: &twitch_irc::message::ClearChatMessage) -> Facts {
    let (who, id, duration) = match &cleared.action {
        ClearChatAction::ChatCleared => (String::new(), String::new(), String::new()),
        ClearChatAction::UserBanned { user_login, user_id } => (user_login.clone(), user_id.clone(), String::new()),
        ClearChatAction::UserTimedOut { user_login, user_id, timeout_length } => {
            (user_login.clone(), user_id.clone(), timeout_length.as_secs().to_string())
        }
    };
    Facts::from([
        ("meaning", "cleared".to_owned()),
        ("channel", cleared.channel_login.clone()),
        ("room_id", cleared.channel_id.clone()),
        ("at", cleared.server_timestamp.timestamp_millis().to_string()),
        ("target_login", who),
        ("target_author", id),
        ("duration", duration),
    ])
}

fn twitch_irc_room_state(state: &twitch_irc::message::RoomStateMessage) -> Facts {
    let followers = state.followers_only.as_ref().map(|followers| match followers {
        FollowersOnlyMode::Disabled => "off".to_owned(),
        FollowersOnlyMode::Enabled(age) => (age.as_secs() / 60).to_string(),
    });
    let slow = state.slow_mode.map(|pause| pause.as_secs());
    let modes =
        [shown(state.emote_only), shown(followers), shown(state.r9k), shown(slow), shown(state.subscribers_only)];
    Facts::from([
        ("meaning", "room_state".to_owned()),
        ("channel", state.channel_login.clone()),
        ("room_id", state.channel_id.clone()),
        ("modes", list(modes)),
    ])
}
