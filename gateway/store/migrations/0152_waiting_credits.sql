-- Credit of operators that is so large that another operator has to confirm it.
create table waiting_credit (
    id text primary key not null,
    -- Says which booking it is: the same one is asked for once.
    once text not null unique,
    org_id text not null references wallet (org_id),
    amount_nano bigint not null check (amount_nano > 0),
    kind text not null check (kind in ('top_up', 'grant')),
    reason text not null,
    -- When the credit lapses once it is booked.
    credit_expires_at_ms bigint,
    -- As the audit log names who asked: 'operator:…' or 'operator-token:…'.
    asked_by text not null,
    asked_at_ms bigint not null,
    -- From then on nobody confirms it any more.
    waits_until_ms bigint not null,
    state text not null default 'waiting' check (state in ('waiting', 'confirmed', 'refused')),
    -- An operator's id; never that of who asked, where it is confirmed.
    decided_by text,
    decided_at_ms bigint,
    -- When the ledger had it. A crash after the confirmation leaves this null, and it is tried again.
    booked_at_ms bigint,
    check ((state = 'waiting') = (decided_at_ms is null)),
    check (state <> 'confirmed' or asked_by <> 'operator:' || decided_by)
);
create index waiting_credit_open on waiting_credit (asked_at_ms) where state = 'waiting';
create index waiting_credit_owed on waiting_credit (decided_at_ms) where state = 'confirmed' and booked_at_ms is null;
