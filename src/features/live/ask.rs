//! What a viewer of `/api/feed` asks for, parsed at the door.

use serde::Deserialize;

use crate::chat::{Channel, Platform};
use crate::feed::Cursor;
use crate::store::events::Filter;
use crate::web::Problem;

const USUAL: usize = 100;
const MOST: usize = 1000;

/// The query as text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    since: Option<String>,
    last: Option<String>,
    platform: String,
    channel: String,
    kinds: String,
}

/// Where to begin, and what to leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The inner none: a cursor that cannot be one of ours.
    pub since: Option<Option<Cursor>>,
    pub last: usize,
    pub filter: Filter,
}

impl Query {
    pub fn read(&self) -> Result<Ask, Problem> {
        let since = self.since.as_deref().filter(|since| !since.is_empty()).map(|since| since.parse().ok());
        let last = match self.last.as_deref().filter(|last| !last.is_empty()) {
            None => USUAL,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| Problem::bad_request(format!("last: {text} is not a whole number from 0 to {MOST}")))?
                .min(MOST),
        };
        let platforms = items(&self.platform).map(platform).collect::<Result<_, _>>()?;
        let channels = items(&self.channel).map(channel).collect::<Result<_, _>>()?;
        let kinds = items(&self.kinds).map(str::to_owned).collect();
        Ok(Ask { since, last, filter: Filter { platforms, channels, kinds } })
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn platform(name: &str) -> Result<String, Problem> {
    let platform = Platform::new(&name.to_ascii_lowercase());
    platform.map(|platform| platform.to_string()).map_err(|error| Problem::bad_request(format!("platform: {error}")))
}

/// `platform:id` or `platform:login`; the latter in any case.
fn channel(address: &str) -> Result<(String, String), Problem> {
    let wrong = || Problem::bad_request(format!("channel: {address} is not platform:id or platform:login"));
    let (of, key) = address.split_once(':').ok_or_else(wrong)?;
    let of = platform(of)?;
    let known: Result<Channel, _> = address.parse();
    let is_id = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    match known {
        Ok(channel) => Ok((of, channel.login)),
        Err(_) if is_id => Ok((of, key.to_owned())),
        Err(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Ask, String> {
        let query: Query = serde_urlencoded(query);
        query.read().map_err(|problem| problem.detail().to_owned())
    }

    fn serde_urlencoded(query: &str) -> Query {
        let uri = format!("/?{query}").parse().expect("an address");
        axum::extract::Query::try_from_uri(&uri).expect("a query of texts").0
    }

    #[test]
    fn nothing_asked_means_the_newest_hundred_of_everything() {
        assert_eq!(read(""), Ok(Ask { since: None, last: 100, filter: Filter::default() }));
        assert_eq!(read("since=&last=").map(|ask| ask.last), Ok(100));
    }

    #[test]
    fn lists_are_read_and_limits_kept() {
        let ask = read("last=5000&platform=Twitch,kick&channel=twitch:ROOM,twitch:123&kinds=message").expect("good");

        assert_eq!(ask.last, 1000);
        assert_eq!(ask.filter.platforms, ["twitch", "kick"]);
        assert_eq!(ask.filter.channels, [("twitch".into(), "room".into()), ("twitch".into(), "123".into())]);
    }

    #[test]
    fn a_cursor_of_nobody_is_told_from_none() {
        assert_eq!(read("since=nonsense").map(|ask| ask.since), Ok(Some(None)));
        let cursor = Cursor { epoch: "e".to_owned(), after: crate::chat::EventId(7) };
        assert_eq!(read("since=e:7").map(|ask| ask.since), Ok(Some(Some(cursor))));
    }

    #[test]
    fn nonsense_is_named() {
        for query in ["last=many", "last=-1", "platform=not%20a%20platform", "channel=room%20of%20mine"] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
