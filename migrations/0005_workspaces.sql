-- A platform's id is unique within a workspace, and what moderation took away says whose it was.
alter table removals add column workspace_id integer not null default 1;
alter table clears add column workspace_id integer not null default 1;

drop index events_native;
create unique index events_native on events (workspace_id, platform, kind, native_id) where native_id is not null;
