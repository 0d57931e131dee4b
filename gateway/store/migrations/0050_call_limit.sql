-- What a limit node allows of calls, beside money over time (spend_limit). Callers carry the limits on their way,
-- so a change counts as a change of rights and reaches every instance within a second.
create table call_limit (
    -- 'org:…', 'dep:…', 'mem:…' or 'key:…'
    node_id text not null,
    kind text not null check (kind in ('requests_per_minute', 'concurrent_calls', 'credits_per_call')),
    org_id text not null references org (id),
    -- Requests, calls, or nano-USD.
    value bigint not null check (value >= 0),
    primary key (node_id, kind)
);
create index call_limit_of_org on call_limit (org_id);

-- When a process last said that it admits calls: those that do share the request limits among them.
alter table instance add column admits_at_ms bigint;
