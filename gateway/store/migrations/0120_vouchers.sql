-- Codes that operators hand out; who redeems one is granted credit. The code itself is shown once and kept only as an HMAC.
create table voucher (
    id text primary key not null,
    verifier text not null unique,
    -- The end of the code, by which people tell codes apart.
    last_four text not null,
    amount_nano bigint not null check (amount_nano > 0),
    -- How many orgs may redeem it, and how many have.
    uses bigint not null check (uses > 0),
    used bigint not null default 0 check (used >= 0 and used <= uses),
    -- Until when it can be redeemed.
    expires_at_ms bigint,
    -- How long its credit lasts from then on; for ever without.
    credit_lasts_ms bigint check (credit_lasts_ms > 0),
    -- What it is for. Who redeems it sees this in the journal.
    note text not null,
    created_at_ms bigint not null,
    -- Ended by an operator before its time.
    ended_at_ms bigint
);
create index voucher_created on voucher (created_at_ms, id);

-- Each org that redeemed a voucher, once. The credit is owed from here on until it is booked.
create table voucher_use (
    voucher_id text not null references voucher (id),
    org_id text not null references wallet (org_id),
    -- Who redeemed it. Kept when the account is gone.
    person_id text not null,
    at_ms bigint not null,
    -- When its credit lapses.
    credit_expires_at_ms bigint,
    booked_at_ms bigint,
    primary key (voucher_id, org_id)
);
create index voucher_use_owed on voucher_use (at_ms) where booked_at_ms is null;
