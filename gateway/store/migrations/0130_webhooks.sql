-- Where an org is told over HTTP, and what became of each message.
create table webhook_endpoint (
    id text primary key not null,
    org_id text not null references org (id),
    url text not null,
    description text not null,
    -- A list of event types as JSON; null for every type, those that come later included.
    events_json text,
    -- 'off': a person switched it off. 'failed': it failed for so long that the server did.
    state text not null default 'on' check (state in ('on', 'off', 'failed', 'removed')),
    -- What makes creating it twice the same as once, and the request that did it.
    creation_key text,
    creation_hash text,
    -- Since when nothing was taken; null when the last message was.
    failing_since_ms bigint,
    -- After a failure nothing is sent before this.
    rest_until_ms bigint not null default 0,
    created_at_ms bigint not null,
    updated_at_ms bigint not null,
    unique (org_id, creation_key)
);
create index webhook_endpoint_of_org on webhook_endpoint (org_id, created_at_ms);

-- What signs its messages. Sealed, because signing needs the secret itself. Two are valid while one replaces the other.
create table webhook_secret (
    id text primary key not null,
    endpoint_id text not null references webhook_endpoint (id),
    sealed text not null,
    created_at_ms bigint not null,
    -- Null for the newest one.
    ends_at_ms bigint
);
create index webhook_secret_of_endpoint on webhook_secret (endpoint_id);

-- One message for one endpoint. Its body is kept as it is signed: every try sends the same bytes.
create table webhook_delivery (
    id text primary key not null,
    endpoint_id text not null references webhook_endpoint (id),
    org_id text not null,
    -- The message's id, which its receiver knows it by.
    event_id text not null,
    event_type text not null,
    body text not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
    -- Tries since it was made or last sent again, and in all.
    round_tries bigint not null default 0,
    tries bigint not null default 0,
    due_at_ms bigint not null,
    leased_until_ms bigint not null default 0,
    created_at_ms bigint not null,
    ended_at_ms bigint,
    unique (endpoint_id, event_id)
);
create index webhook_delivery_due on webhook_delivery (due_at_ms) where state = 'waiting';
create index webhook_delivery_of_endpoint on webhook_delivery (endpoint_id, created_at_ms);

-- One try. Without a status nothing answered.
create table webhook_attempt (
    delivery_id text not null references webhook_delivery (id),
    number bigint not null,
    at_ms bigint not null,
    duration_ms bigint not null,
    status bigint,
    -- The first bytes of the answer.
    excerpt text not null,
    primary key (delivery_id, number)
);

-- When the messages for endpoints were made. What was told before there were any is not told again.
alter table outbox add column webhooks_at_ms bigint;
update outbox set webhooks_at_ms = created_at_ms;
create index outbox_without_webhooks on outbox (created_at_ms) where webhooks_at_ms is null;
