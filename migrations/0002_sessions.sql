-- A browser that followed a one-time link. Only digests are kept: the file alone signs nobody in.
create table sessions (
  -- SHA-256 of the cookie.
  token_digest blob primary key,
  workspace_id integer not null default 1,
  -- SHA-256 of the owner token of that day; another owner token ends the session.
  owner_digest blob not null,
  created_at integer not null,
  expires_at integer not null
) without rowid, strict;
