-- What a list of alerts calls an event: the alert's type, bulk_gift for one of many gifts, cheer and paid for messages
-- with bits or money. Null for mere talk.
alter table events add column alert text;

update events set alert = case
    when not json_valid(body) then null
    when json_extract(body, '$.alert.type') = 'gift' and json_extract(body, '$.alert.bulk_id') is not null then 'bulk_gift'
    else json_extract(body, '$.alert.type') end
  where kind = 'alert';

-- Looking for the words first spares reading the JSON of every message.
update events set alert = case
    when not json_valid(body) then null
    when json_extract(body, '$.bits') > 0 then 'cheer'
    when json_extract(body, '$.money') is not null then 'paid' end
  where kind = 'message' and (instr(body, '"bits":') or instr(body, '"money":'));

-- Finds alerts by time, and tells which they are without looking at the rows.
create index events_alert on events (at, platform, alert) where alert is not null;
