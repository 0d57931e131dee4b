-- The ledger's writer puts parents and children into one transaction, parents first, and nothing ever deletes a parent.
-- So the parents say that themselves, and the writer's connection does without a look-up for each row and reference.

create trigger wallet_kept before delete on wallet
begin select raise(abort, 'a wallet is kept'); end;

create trigger lot_kept before delete on lot
begin select raise(abort, 'a lot is kept'); end;

create trigger reservation_kept before delete on reservation
begin select raise(abort, 'a reservation is kept'); end;

-- Small rows that are only reached by their key are kept in its order: one tree to write instead of two.

create table reservation_lot_by_key (
    reservation_id text not null references reservation (id),
    lot_id text not null references lot (id),
    pinned_nano bigint not null check (pinned_nano > 0),
    primary key (reservation_id, lot_id)
) without rowid;
insert into reservation_lot_by_key (reservation_id, lot_id, pinned_nano) select reservation_id, lot_id, pinned_nano from reservation_lot;
drop table reservation_lot;
alter table reservation_lot_by_key rename to reservation_lot;

create table journal_entry_by_key (
    tx_id text not null references journal_tx (id),
    seq bigint not null,
    account text not null check (account = 'principal' or account = 'bonus' or account = 'psp_clearing'
        or account = 'bonus_expense' or account = 'revenue' or account = 'breakage' or account = 'withdrawn'),
    org_id text,
    lot_id text references lot (id),
    amount_nano bigint not null check (amount_nano <> 0),
    primary key (tx_id, seq),
    check ((account in ('principal', 'bonus')) = (org_id is not null)),
    check ((account in ('principal', 'bonus')) = (lot_id is not null))
) without rowid;
insert into journal_entry_by_key (tx_id, seq, account, org_id, lot_id, amount_nano) select tx_id, seq, account, org_id, lot_id, amount_nano from journal_entry;
drop table journal_entry;
alter table journal_entry_by_key rename to journal_entry;

create table upstream_attempt_by_key (
    reservation_id text not null references reservation (id),
    seq bigint not null,
    channel_id text not null,
    model_served text not null,
    upstream_request_id text,
    http_status bigint,
    outcome text not null,
    started_at_ms bigint not null,
    duration_ms bigint not null check (duration_ms >= 0),
    first_content_ms bigint,
    native_finish text,
    usage_json text,
    cost_pico bigint check (cost_pico >= 0),
    primary key (reservation_id, seq)
) without rowid;
insert into upstream_attempt_by_key (reservation_id, seq, channel_id, model_served, upstream_request_id, http_status, outcome, started_at_ms, duration_ms, first_content_ms, native_finish, usage_json, cost_pico) select reservation_id, seq, channel_id, model_served, upstream_request_id, http_status, outcome, started_at_ms, duration_ms, first_content_ms, native_finish, usage_json, cost_pico from upstream_attempt;
drop table upstream_attempt;
alter table upstream_attempt_by_key rename to upstream_attempt;

create index journal_entry_of_org on journal_entry (org_id) where org_id is not null;

create trigger journal_entry_no_update before update on journal_entry
begin select raise(abort, 'the journal is append-only'); end;

create trigger journal_entry_no_delete before delete on journal_entry
begin select raise(abort, 'the journal is append-only'); end;
