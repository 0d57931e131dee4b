-- A limit that was raised for a time is what it was before from the moment the time is over, whoever asks and whether or
-- not a job has come by: both amounts stand in the row.

-- From then on the limit is `after_nano`; both null: the limit is for good.
alter table spend_limit add column grant_ends_at_ms bigint;
alter table spend_limit add column after_nano bigint;

alter table call_limit add column grant_ends_at_ms bigint;
alter table call_limit add column after_value bigint;

-- Grants that run now.
update spend_limit set
    grant_ends_at_ms = (select max(q.ends_at_ms) from quota_request q
                        where q.state = 'granted' and q.node_id = spend_limit.node_id
                          and q.limit_name = spend_limit.window_kind and q.granted = spend_limit.limit_nano
                          and q.former is not null),
    after_nano = (select max(q.former) from quota_request q
                  where q.state = 'granted' and q.ends_at_ms is not null and q.node_id = spend_limit.node_id
                    and q.limit_name = spend_limit.window_kind and q.granted = spend_limit.limit_nano);
update call_limit set
    grant_ends_at_ms = (select max(q.ends_at_ms) from quota_request q
                        where q.state = 'granted' and q.node_id = call_limit.node_id
                          and q.limit_name = call_limit.kind and q.granted = call_limit.value
                          and q.former is not null),
    after_value = (select max(q.former) from quota_request q
                   where q.state = 'granted' and q.ends_at_ms is not null and q.node_id = call_limit.node_id
                     and q.limit_name = call_limit.kind and q.granted = call_limit.value);
