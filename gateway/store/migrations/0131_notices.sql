-- That a key's end was told of, so many days before it. A key whose end is moved is told of anew.
create table key_expiry_notice (
    key_id text not null references api_key (id),
    expires_at_ms bigint not null,
    days bigint not null,
    told_at_ms bigint not null,
    primary key (key_id, expires_at_ms, days)
);
create index api_key_expiring on api_key (expires_at_ms) where state = 'active' and expires_at_ms is not null;

-- What a member has read, or does not want to see any more, of what the org is told.
create table notice_mark (
    member_id text not null references member (id),
    outbox_id text not null references outbox (id),
    read_at_ms bigint,
    dismissed_at_ms bigint,
    primary key (member_id, outbox_id)
);
