-- Finds the alerts after an id, so that whoever comes back to a stream of them does not read every one there ever was.
create index events_alert_id on events (id) where alert is not null;
