-- Finds the copies of a message in the other rooms of a shared session, so that they go with it.
create index events_source on events (platform, source_id) where source_id is not null;
