-- How far the ledger's rules are known to hold. A check that finds nothing leaves its marks here, and the next one goes
-- on from them, so that a start takes no longer the longer the history is.

create table verified_wallet (
    org_id text primary key not null references wallet (org_id),
    -- The journal up to here is chained, sums to zero and comes to this amount.
    seq bigint not null,
    hash text not null,
    posted_nano bigint not null,
    -- And so are the calls that were resolved up to here.
    resolved_seq bigint not null
);

create table verified_limit (
    node_id text not null,
    window_kind text not null,
    opened_at_ms bigint not null,
    -- With the org's journal up to here, this was charged in the window.
    seq bigint not null,
    used_nano bigint not null,
    primary key (node_id, window_kind)
);

-- False: the run looked at what is new since the last one that found nothing.
alter table invariant_run add column whole_history boolean not null default true;
