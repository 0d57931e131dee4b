-- A payment that was undone: a bank took it back, or it was given back at the payment provider. What is left of paid credit
-- is taken at once; the rest is owed, and nothing is held until it is paid.
alter table wallet add column owed_nano bigint not null default 0 check (owed_nano >= 0);

create table claim (
    org_id text not null references wallet (org_id),
    idem_key text not null,
    -- The paid part, all of which is taken or owed.
    amount_nano bigint not null check (amount_nano >= 0),
    -- What was given on top of the payment lapses, as far as it is there.
    bonus_nano bigint not null default 0 check (bonus_nano >= 0),
    note text not null,
    at_ms bigint not null,
    primary key (org_id, idem_key)
);

-- What was undone of an order at the payment provider, by its id there, and when it came back.
create table payment_reversal (
    id text primary key not null,
    order_id text not null references payment_order (id),
    kind text not null check (kind in ('dispute', 'return')),
    amount_minor bigint not null check (amount_minor > 0),
    left_at_ms bigint,
    back_at_ms bigint,
    check (left_at_ms is not null or back_at_ms is not null)
);
create index payment_reversal_of_order on payment_reversal (order_id);
