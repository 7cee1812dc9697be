//! A store of the program's own making that has seen a long season: many copies of lines that it heard.

use std::time::{Duration, Instant};

use super::scene::{block_on, ours};
use super::stamp::Clock;
use super::support::server::{Launch, Server};
use super::upstream::DIFFERENT;

const LOOK_AGAIN: Duration = Duration::from_micros(500);
/// Every row a copy of one that came in, by turns, but for its id and its time: a millisecond apart, and all before.
const FILL: &str = "
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1),
    said as (select *, row_number() over (order by id) - 1 as turn, min(at) over () as first
      from events where kind = 'message')
    insert into events (platform, kind, native_id, channel_id, author_id, at, received_at, text, body)
    select platform, kind, lower(hex(randomblob(16))), channel_id, author_id, first - ?1 - 1 + i, first - ?1 - 1 + i,
      text, body
    from n join said on said.turn = i % ?2 order by i";

/// The store's launch, with nothing to listen to, and the time that every copy is before.
pub fn filled(rows: usize) -> (Launch, i64) {
    let (server, mut upstream) = ours(None, Clock::start());
    let different = i64::try_from(DIFFERENT).expect("a few texts");
    upstream.say(u32::try_from(DIFFERENT).expect("a few texts"));
    block_on(stored(&server, different));
    let launch = server.launch().clone();
    let ended = block_on(server.stop());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let mut store = rusqlite::Connection::open(launch.db_path()).expect("the store opens");
    let filling = store.transaction().expect("the store is free");
    let first = filling.query_row("select min(at) from events where kind = 'message'", [], |row| row.get(0));
    let filled = filling.execute(FILL, [i64::try_from(rows).expect("not so many rows"), different]);
    filling.commit().expect("the rows are kept");
    assert_eq!(filled.expect("the rows fit the schema"), rows);
    let launch = launch.env("TWITCH_CHANNELS", "").env("ELORA_INGEST_DRIVER", "none");
    (launch, first.expect("a line is in the store"))
}

/// Waits until the lines are in the store.
async fn stored(server: &Server, count: i64) {
    let began = Instant::now();
    while server.column::<i64>("select count(*) from events where kind = 'message'") != [count] {
        assert!(began.elapsed() < Duration::from_secs(10), "the lines come into the store");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
