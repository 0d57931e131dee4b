-- Not only credit for a wallet waits for another operator: credit that is taken from one does, and vouchers do.
create table waiting_credit_now (
    id text primary key not null,
    -- Says which booking it is: the same one is asked for once.
    once text not null unique,
    -- Nobody's wallet yet where vouchers are to be made.
    org_id text references wallet (org_id),
    -- Of vouchers, what all of them are worth together.
    amount_nano bigint not null check (amount_nano > 0),
    kind text not null check (kind in ('top_up', 'grant', 'debit_top_up', 'debit_grant', 'vouchers')),
    reason text not null,
    -- When the credit lapses once it is booked.
    credit_expires_at_ms bigint,
    -- What the vouchers are to be.
    vouchers_json text,
    -- As the audit log names who asked: 'operator:…' or 'operator-token:…'.
    asked_by text not null,
    asked_at_ms bigint not null,
    -- From then on nobody confirms it any more.
    waits_until_ms bigint not null,
    -- 'failed': it was confirmed, and there was not enough left to be taken.
    state text not null default 'waiting' check (state in ('waiting', 'confirmed', 'refused', 'failed')),
    -- An operator's id; never that of who asked, where it is confirmed.
    decided_by text,
    decided_at_ms bigint,
    -- When it was done. A crash after the confirmation leaves this null, and it is tried again.
    booked_at_ms bigint,
    check ((kind = 'vouchers') = (org_id is null)),
    check ((kind = 'vouchers') = (vouchers_json is not null)),
    check ((state = 'waiting') = (decided_at_ms is null)),
    check (state not in ('confirmed', 'failed') or asked_by <> 'operator:' || decided_by)
);
insert into waiting_credit_now (id, once, org_id, amount_nano, kind, reason, credit_expires_at_ms, asked_by, asked_at_ms,
                                waits_until_ms, state, decided_by, decided_at_ms, booked_at_ms)
select id, once, org_id, amount_nano, kind, reason, credit_expires_at_ms, asked_by, asked_at_ms,
       waits_until_ms, state, decided_by, decided_at_ms, booked_at_ms
from waiting_credit;
drop table waiting_credit;
alter table waiting_credit_now rename to waiting_credit;
create index waiting_credit_open on waiting_credit (asked_at_ms) where state = 'waiting';
create index waiting_credit_owed on waiting_credit (decided_at_ms) where state = 'confirmed' and booked_at_ms is null;
