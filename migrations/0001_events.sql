-- Everything that happens in a chat is one row in events; its id is the only cursor.

create table meta (
  key text primary key,
  value text not null
) without rowid, strict;

-- A channel is known by the platform's id, or by its address until the platform tells the id.
create table channels (
  id integer primary key,
  workspace_id integer not null default 1,
  platform text not null,
  key text not null,
  native_id text,
  login text not null,
  name text,
  unique (workspace_id, platform, key)
) strict;

create table authors (
  id integer primary key,
  workspace_id integer not null default 1,
  platform text not null,
  native_id text not null,
  login text not null,
  name text not null,
  unique (workspace_id, platform, native_id)
) strict;

create table events (
  id integer primary key autoincrement,
  workspace_id integer not null default 1,
  platform text not null,
  kind text not null,
  native_id text check (native_id <> ''),
  channel_id integer not null references channels (id),
  author_id integer references authors (id),
  at integer not null,
  received_at integer not null,
  -- Where a copy in a shared session was typed.
  source_id text,
  source_channel text,
  text text,
  body text not null,
  -- The removed event that took it away.
  removed_by integer
) strict;

create unique index events_native on events (platform, kind, native_id) where native_id is not null;
create index events_at on events (at);

-- Messages taken away, kept so that a removal that comes first still wins.
create table removals (
  platform text not null,
  native_id text not null,
  channel_id integer not null,
  event_id integer not null,
  primary key (platform, native_id, channel_id)
) without rowid, strict;

-- The latest time up to which an author's messages in a channel are taken away; author 0 is everybody.
create table clears (
  channel_id integer not null,
  author_id integer not null,
  until integer not null,
  event_id integer not null,
  primary key (channel_id, author_id)
) without rowid, strict;
