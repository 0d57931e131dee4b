-- What calls were asked and answered, for orgs that want it kept. An org that does not has no row here.
create table body_period (
    id text primary key not null,
    org_id text not null references org (id),
    -- How long each call's is kept.
    days bigint not null check (days between 1 and 30),
    began_at_ms bigint not null,
    -- Switched off. From then on nobody reads what was kept in it, and it is deleted.
    ended_at_ms bigint
);
create unique index body_period_open on body_period (org_id) where ended_at_ms is null;
create index body_period_ended on body_period (ended_at_ms) where ended_at_ms is not null;

create table call_body (
    -- The call's receipt.
    receipt_id text primary key not null,
    org_id text not null,
    -- Who held the key.
    member_id text not null,
    period_id text not null references body_period (id),
    -- Null when nothing was sent.
    status bigint,
    -- As they went over the wire; what is kept of each may be less.
    request_bytes bigint not null,
    request_cut boolean not null,
    response_bytes bigint not null,
    response_cut boolean not null,
    kept_at_ms bigint not null,
    expires_at_ms bigint not null
);
create index call_body_of_period on call_body (period_id);
create index call_body_kept on call_body (kept_at_ms);
create index call_body_expiring on call_body (expires_at_ms);

-- Apart, so that what only looks at times does not move them. The key is not in the database.
create table call_body_text (
    receipt_id text primary key not null references call_body (receipt_id),
    request_sealed text not null,
    response_sealed text not null
);
