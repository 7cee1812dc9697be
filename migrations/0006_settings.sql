-- What the owner changed while the server ran, as one JSON document. What only the environment says is not in it.
create table settings (
  workspace_id integer primary key default 1,
  document text not null,
  changed_at integer not null
) strict;

-- Where a source stands among the others, if not by its id: one that replaces another takes its place.
alter table sources add column place integer;
