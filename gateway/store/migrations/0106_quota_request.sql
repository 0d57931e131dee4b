-- Members ask for more than a limit allows; whoever sets limits grants it, for a time or for good, or declines.
create table quota_request (
    id text primary key not null,
    org_id text not null references org (id),
    -- Who asks.
    member_id text not null references member (id),
    -- The limit that is in the way: 'org:…', 'dep:…', 'mem:…' or 'key:…', and the limit's name.
    node_id text not null,
    limit_name text not null,
    -- Nano-USD, requests or calls.
    wanted bigint not null check (wanted > 0),
    reason text not null,
    state text not null default 'waiting' check (state in ('waiting', 'granted', 'declined', 'withdrawn', 'ended')),
    granted bigint,
    -- What the limit was before: it is set again when the grant ends.
    former bigint,
    ends_at_ms bigint,
    answer text not null default '',
    decided_by_person_id text references person (id),
    created_at_ms bigint not null,
    decided_at_ms bigint
);
create index quota_request_of_org on quota_request (org_id, created_at_ms);
create index quota_request_ending on quota_request (ends_at_ms) where state = 'granted' and ends_at_ms is not null;
