-- The channels somebody wants to hear. A removed one is kept, so that the configured list does not bring it back.
create table sources (
  id integer primary key autoincrement,
  workspace_id integer not null default 1,
  platform text not null,
  login text not null,
  added_by text not null check (added_by in ('config', 'hand')),
  removed integer not null default 0,
  unique (workspace_id, platform, login)
) strict;
