-- The newest edit of each message, so that one that changes nothing is known.
create table edits (
  workspace_id integer not null default 1,
  platform text not null,
  native_id text not null,
  channel_id integer not null,
  event_id integer not null,
  primary key (platform, native_id, channel_id)
) without rowid, strict;
