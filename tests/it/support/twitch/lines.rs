//! The lines the stand-in says, written from Twitch's documentation and from captured lines.
//! Every message has a fresh id and the time of its making.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// One line for one channel, and the id it carries, if its kind has one.
#[derive(Debug, Clone)]
pub struct Line {
    pub channel: String,
    pub id: Option<String>,
    pub raw: String,
}

impl Line {
    /// The same line with another value for one of its tags.
    pub fn tagged(mut self, tag: &str, value: &str) -> Self {
        let at = [format!("@{tag}="), format!(";{tag}=")].iter().find_map(|key| {
            let at = self.raw.find(key.as_str())?;
            Some(at + key.len())
        });
        let at = at.unwrap_or_else(|| panic!("the template has no tag {tag}"));
        let end = at + self.raw[at..].find([';', ' ']).expect("more follows");
        self.raw.replace_range(at..end, value);
        self
    }

    /// The same line, sent at another time.
    pub fn sent(self, at: i64) -> Self {
        self.tagged("tmi-sent-ts", &at.to_string())
    }

    /// A message's id.
    pub fn native_id(&self) -> String {
        self.id.clone().expect("its kind has an id")
    }
}

/// Somebody in a chat.
#[derive(Debug, Clone)]
pub struct Chatter {
    pub id: u64,
    pub login: &'static str,
    pub name: &'static str,
    pub color: &'static str,
    pub badges: &'static str,
}

pub const ADA: Chatter =
    Chatter { id: 4101, login: "ada_l", name: "Ada_L", color: "#2E8B57", badges: "subscriber/12,premium/1" };
pub const BOB: Chatter = Chatter { id: 4102, login: "bob", name: "bob", color: "", badges: "" };
pub const MEI: Chatter =
    Chatter { id: 4103, login: "mei_mei", name: "芽衣", color: "#FF69B4", badges: "moderator/1" };

/// Milliseconds since the epoch, as `tmi-sent-ts` has them.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_millis() as i64
}

/// The numeric id of a channel's broadcaster: any fixed number per name will do.
pub fn room_id(channel: &str) -> u64 {
    channel.bytes().fold(700_000, |id, byte| (id * 31 + u64::from(byte)) % 90_000_000 + 700_000)
}

/// Something said in a channel, now.
pub fn privmsg(channel: &str, who: &Chatter, text: &str) -> Line {
    privmsg_with(channel, who, text, "")
}

/// Something said, with further tags (`emotes=25:0-4;bits=100`), which stand in for the empty ones of the template.
pub fn privmsg_with(channel: &str, who: &Chatter, text: &str, more: &str) -> Line {
    let id = Uuid::new_v4().to_string();
    let room = room_id(channel);
    let (user, login, name) = (who.id, who.login, who.name);
    let (color, badges) = (who.color, who.badges);
    let moderator = u8::from(badges.contains("moderator/"));
    let subscriber = u8::from(badges.contains("subscriber/"));
    let emotes = if more.contains("emotes=") { "" } else { "emotes=;" };
    let more = if more.is_empty() { String::new() } else { format!("{more};") };
    let sent = now_ms();
    let raw = format!(
        "@badge-info=;badges={badges};{more}color={color};display-name={name};{emotes}first-msg=0;flags=;id={id};\
         mod={moderator};returning-chatter=0;room-id={room};subscriber={subscriber};tmi-sent-ts={sent};turbo=0;\
         user-id={user};user-type= :{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #{channel} :{text}"
    );
    Line { channel: channel.to_owned(), id: Some(id), raw }
}

/// A copy of what was typed elsewhere in a shared session; where `channel` is that very place, the line itself.
pub fn shared(channel: &str, who: &Chatter, text: &str, source_channel: &str, source_id: &str) -> Line {
    let tags = format!("source-id={source_id};source-room-id={}", room_id(source_channel));
    privmsg_with(channel, who, text, &tags)
}

/// A line with no tags at all, as old servers send it; it has no id.
pub fn bare_privmsg(channel: &str, login: &str, text: &str) -> Line {
    let raw = format!(":{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #{channel} :{text}");
    Line { channel: channel.to_owned(), id: None, raw }
}

/// A moderator took one message away. Twitch sends the message's text along.
pub fn clearmsg(channel: &str, login: &str, target: &str, text: &str) -> Line {
    let sent = now_ms();
    let raw = format!(
        "@login={login};room-id=;target-msg-id={target};tmi-sent-ts={sent} :tmi.twitch.tv CLEARMSG #{channel} :{text}"
    );
    Line { channel: channel.to_owned(), id: None, raw }
}

/// A person is timed out for `seconds`, at the given time.
pub fn timeout_at(channel: &str, who: &Chatter, seconds: u32, sent: i64) -> Line {
    let (room, user, login) = (room_id(channel), who.id, who.login);
    let raw = format!(
        "@ban-duration={seconds};room-id={room};target-user-id={user};tmi-sent-ts={sent} \
         :tmi.twitch.tv CLEARCHAT #{channel} :{login}"
    );
    Line { channel: channel.to_owned(), id: None, raw }
}

/// A person is timed out for `seconds`, now.
pub fn timeout(channel: &str, who: &Chatter, seconds: u32) -> Line {
    timeout_at(channel, who, seconds, now_ms())
}

/// The whole chat is cleared, now.
pub fn clear_all(channel: &str) -> Line {
    let (room, sent) = (room_id(channel), now_ms());
    let raw = format!("@room-id={room};tmi-sent-ts={sent} :tmi.twitch.tv CLEARCHAT #{channel}");
    Line { channel: channel.to_owned(), id: None, raw }
}

/// Somebody subscribed again and wrote something with it.
pub fn resub(channel: &str, who: &Chatter, months: u32, text: &str) -> Line {
    let id = Uuid::new_v4().to_string();
    let (room, sent) = (room_id(channel), now_ms());
    let (user, login, name, color) = (who.id, who.login, who.name, who.color);
    let raw = format!(
        "@badge-info=subscriber/{months};badges=subscriber/12;color={color};display-name={name};emotes=;flags=;id={id};\
         login={login};mod=0;msg-id=resub;msg-param-cumulative-months={months};msg-param-months=0;\
         msg-param-multimonth-duration=0;msg-param-multimonth-tenure=0;msg-param-should-share-streak=0;\
         msg-param-sub-plan-name=Channel\\sSubscription;msg-param-sub-plan=1000;msg-param-was-gifted=false;\
         room-id={room};subscriber=1;system-msg={name}\\ssubscribed\\sfor\\s{months}\\smonths!;tmi-sent-ts={sent};\
         user-id={user};user-type=;vip=0 :tmi.twitch.tv USERNOTICE #{channel} :{text}"
    );
    Line { channel: channel.to_owned(), id: Some(id), raw }
}

/// Something happened: a notice of this kind with fields of its own (`viewerCount=12;displayName=bob`).
pub fn notice(channel: &str, who: &Chatter, kind: &str, params: &str, text: &str) -> Line {
    let id = Uuid::new_v4().to_string();
    let (room, sent) = (room_id(channel), now_ms());
    let (user, login, name, color, badges) = (who.id, who.login, who.name, who.color, who.badges);
    let params: String =
        params.split(';').filter(|param| !param.is_empty()).map(|param| format!("msg-param-{param};")).collect();
    let said = if text.is_empty() { String::new() } else { format!(" :{text}") };
    let raw = format!(
        "@badge-info=;badges={badges};color={color};display-name={name};emotes=;flags=;id={id};login={login};mod=0;\
         msg-id={kind};{params}room-id={room};subscriber=0;system-msg={name}\\sdid\\ssomething;tmi-sent-ts={sent};\
         user-id={user};user-type=;vip=0 :tmi.twitch.tv USERNOTICE #{channel}{said}"
    );
    Line { channel: channel.to_owned(), id: Some(id), raw }
}
