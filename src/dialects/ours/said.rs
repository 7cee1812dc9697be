//! Who spoke and what was said.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::chat::{Author, Flag, Fragment, Message, Role, fragments};

use super::super::fields::{Fields, color, count, label, text};
use super::super::{Unreadable, badges};

pub fn message(mut fields: Fields) -> Result<Message, Unreadable> {
    let author = fields.get("author").and_then(author).ok_or(Unreadable::Missing("author"))?;
    let Said { text, fragments, bits, flags } = said(&mut fields).ok_or(Unreadable::Missing("text"))?;
    let (reply, money) = (part(&mut fields, "reply"), part(&mut fields, "money"));
    Ok(Message { author, text, fragments, reply, money, bits, flags })
}

/// The words of a message or an alert.
pub struct Said {
    pub text: String,
    pub fragments: Vec<Fragment>,
    pub bits: Option<u64>,
    pub flags: Vec<Flag>,
}

/// None where there is no text; one may be empty.
pub fn said(fields: &mut Fields) -> Option<Said> {
    let Some(Value::String(text)) = fields.remove("text") else { return None };
    let bits = count(fields, "bits");
    let fragments = fragments(&text, fields, bits);
    Some(Said { fragments, bits, flags: part(fields, "flags").unwrap_or_default(), text })
}

/// The fragments that came along, if they are those of the text; else the text is split anew.
pub fn fragments(text: &str, fields: &mut Fields, bits: Option<u64>) -> Vec<Fragment> {
    let told: Vec<Fragment> = part(fields, "fragments").unwrap_or_default();
    if told.iter().all(is_harmless) && concat(&told, text) {
        return told;
    }
    fragments::split(text, Vec::new(), bits)
}

fn concat(fragments: &[Fragment], text: &str) -> bool {
    let mut rest = text;
    fragments.iter().all(|fragment| {
        rest.strip_prefix(fragment.text()).is_some_and(|after| {
            rest = after;
            true
        })
    }) && rest.is_empty()
}

/// A link may lead to a page, not into the program that shows it.
fn is_harmless(fragment: &Fragment) -> bool {
    match fragment {
        Fragment::Link { url, .. } => url.starts_with("https://") || url.starts_with("http://"),
        _ => true,
    }
}

/// A part in our own spelling; none for anything else.
pub fn part<T: DeserializeOwned>(fields: &mut Fields, key: &str) -> Option<T> {
    serde_json::from_value(fields.remove(key)?).ok()
}

/// A name, or an object with at least one.
pub fn author(value: &Value) -> Option<Author> {
    let nobody = |name: &str| Author {
        id: None,
        login: name.trim().to_lowercase(),
        name: name.to_owned(),
        color: None,
        roles: Vec::new(),
        badges: Vec::new(),
        first: false,
    };
    match value {
        Value::String(name) => Some(nobody(name)).filter(|author| !author.login.is_empty()),
        Value::Object(fields) => {
            let (login, name) = (text(fields, "login"), text(fields, "name"));
            let badges = fields.get("badges").map(badges::list).unwrap_or_default();
            let roles = fields.get("roles").map(|roles| serde_json::from_value::<Vec<Role>>(roles.clone()));
            let paint = text(fields, "color").or_else(|| text(fields, "colour"));
            let author = nobody(name.or(login).unwrap_or_default());
            Some(Author {
                id: label(fields, "id"),
                login: login.map_or(author.login, str::to_owned),
                color: paint.and_then(color),
                roles: roles.and_then(Result::ok).unwrap_or_else(|| badges::roles(&badges)),
                badges,
                first: fields.get("first") == Some(&Value::Bool(true)),
                name: author.name,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: Value) -> Message {
        let Value::Object(fields) = line else { panic!("an object") };
        message(fields).expect("it is readable")
    }

    #[test]
    fn a_name_is_enough_of_an_author() {
        let names = |author: Value| {
            let Author { id, login, name, .. } = read(json!({ "author": author, "text": "hi" })).author;
            (id, login, name)
        };

        assert_eq!(names(json!("Ada L")), (None, "ada l".into(), "Ada L".into()));
        assert_eq!(names(json!({ "name": "Ada" })), (None, "ada".into(), "Ada".into()));
        assert_eq!(names(json!({ "login": "ada" })), (None, "ada".into(), "ada".into()));
        assert_eq!(
            names(json!({ "id": 7, "login": "a", "name": "Ada" })),
            (Some("7".into()), "a".into(), "Ada".into())
        );
    }

    #[test]
    fn colors_badges_and_roles_are_read_as_others_write_them() {
        let author = json!({ "name": "Ada", "colour": "#ff0000cc", "badges": ["moderator/1", { "id": "vip" }] });
        let author = read(json!({ "author": author, "text": "hi" })).author;

        assert_eq!(author.color.map(|color| color.to_string()).as_deref(), Some("#FF0000"));
        assert_eq!(author.roles, [Role::MODERATOR, Role::VIP]);
        let told = json!({ "name": "Ada", "roles": ["staff"], "badges": ["vip"] });
        assert_eq!(read(json!({ "author": told, "text": "hi" })).author.roles, [Role::STAFF]);
    }

    #[test]
    fn fragments_that_are_not_of_the_text_are_made_anew() {
        let anew = [Fragment::Text { text: "hi there".to_owned() }];
        let wrong = [
            json!([{ "type": "text", "text": "hi" }]),
            json!([{ "type": "text", "text": "hi there, you" }]),
            json!([{ "type": "link", "text": "hi there", "url": "javascript:alert(1)" }]),
            json!([{ "type": "from_tomorrow", "text": "hi there" }]),
            json!("hi there"),
        ];
        for fragments in wrong {
            let line = json!({ "author": "Ada", "text": "hi there", "fragments": fragments.clone() });
            assert_eq!(read(line).fragments, anew, "{fragments}");
        }

        let emote = json!({ "type": "emote", "text": "hi", "id": "25", "name": "hi", "provider": "twitch" });
        let right = json!([emote, { "type": "text", "text": " there" }]);
        assert_eq!(read(json!({ "author": "Ada", "text": "hi there", "fragments": right })).fragments.len(), 2);
    }

    #[test]
    fn a_text_alone_is_split_as_ours_are() {
        let said = read(json!({ "author": "Ada", "text": "@grace see https://a.test Cheer100", "bits": "100" }));

        assert_eq!(said.bits, Some(100));
        let kinds: Vec<_> = said.fragments.iter().filter(|part| !matches!(part, Fragment::Text { .. })).collect();
        assert!(
            matches!(kinds[..], [Fragment::Mention { .. }, Fragment::Link { .. }, Fragment::Cheer { .. }]),
            "{kinds:?}"
        );
    }
}
