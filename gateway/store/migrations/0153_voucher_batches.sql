-- Vouchers that were made together: as many codes, each worth the same, of which one org redeems only so many.
create table voucher_batch (
    id text primary key not null,
    note text not null,
    amount_nano bigint not null check (amount_nano > 0),
    codes bigint not null check (codes > 0),
    -- Of each code.
    uses bigint not null check (uses > 0),
    -- How many of the codes one org may redeem.
    per_org bigint not null check (per_org > 0),
    expires_at_ms bigint,
    credit_lasts_ms bigint check (credit_lasts_ms > 0),
    -- Its codes, sealed, until they are downloaded once or an hour has passed.
    codes_sealed text,
    created_at_ms bigint not null,
    ended_at_ms bigint
);
create index voucher_batch_created on voucher_batch (created_at_ms, id);
create index voucher_batch_with_codes on voucher_batch (created_at_ms) where codes_sealed is not null;

alter table voucher add column batch_id text references voucher_batch (id);
create index voucher_of_batch on voucher (batch_id) where batch_id is not null;

-- How many codes of a batch an org has redeemed.
create table voucher_batch_use (
    batch_id text not null references voucher_batch (id),
    org_id text not null,
    used bigint not null check (used > 0),
    primary key (batch_id, org_id)
);
