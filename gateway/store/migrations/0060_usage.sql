-- Usage that can be asked without reading history, statements that close, and alerts that are not lost.

-- A wallet counts its resolutions, and each resolved call carries its number. Both are written under the wallet's lock,
-- so numbers become visible in their order and without gaps: whoever has read up to one has missed nothing before it.
alter table wallet add column resolved_seq bigint not null default 0;
alter table reservation add column resolved_seq bigint;
create unique index reservation_resolved on reservation (org_id, resolved_seq) where resolved_seq is not null;
create index reservation_held on reservation (org_id, held_at_ms) where state = 'held';

-- When an org wants to be told. A balance of null tells nobody.
alter table wallet add column low_balance_nano bigint check (low_balance_nano > 0);
alter table wallet add column alert_limits boolean not null default true;
-- The highest share of a limit that was told of in its window.
alter table spend_limit add column alerted_percent bigint not null default 0;

-- Sums of resolved calls by quarter of an hour: every zone's offset is a whole number of them, so days and months of any
-- zone are sums of rows. The bounds of resolved_seq find a row's calls again.
create table usage_quarter (
    org_id text not null references wallet (org_id),
    start_ms bigint not null,
    outcome text not null check (outcome in ('settled', 'released', 'expired')),
    model text not null,
    key_path text not null,
    key_id text not null,
    member_id text not null,
    deployment_id text not null,
    first_seq bigint not null,
    last_seq bigint not null,
    calls bigint not null,
    held_nano bigint not null,
    charged_nano bigint not null,
    -- The part of charged_nano that was paid with given credit.
    bonus_nano bigint not null,
    input_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_tokens bigint not null,
    output_tokens bigint not null,
    reasoning_tokens bigint not null,
    searches bigint not null,
    images bigint not null default 0,
    video_ms bigint not null default 0,
    audio_ms bigint not null default 0,
    characters bigint not null default 0,
    rerank_units bigint not null default 0,
    primary key (org_id, start_ms, outcome, model, key_path, member_id, deployment_id)
);

-- How far an org's calls are summed, and when its next month ends; null until that was worked out.
create table usage_mark (
    org_id text primary key not null references wallet (org_id),
    resolved_seq bigint not null default 0,
    month_ends_ms bigint
);
insert into usage_mark (org_id) select org_id from wallet;

-- Money that is no charge, by time: a few rows a month.
create index journal_tx_money on journal_tx (org_id, at_ms) where kind <> 'settle';

-- A closed month. Never changed.
create table statement (
    org_id text not null references wallet (org_id),
    -- 2026-11
    month text not null,
    from_ms bigint not null,
    to_ms bigint not null,
    -- The last transaction and the last call that were known when the month was closed. What became known later
    -- is counted as if it had happened when the month ended.
    journal_seq bigint not null,
    resolved_seq bigint not null,
    closing_paid_nano bigint not null,
    closing_bonus_nano bigint not null,
    closed_at_ms bigint not null,
    body_json text not null,
    hash text not null,
    primary key (org_id, month),
    check (to_ms > from_ms)
);

-- What somebody should be told, written in the transaction that made it true.
create table outbox (
    id text primary key not null,
    org_id text not null,
    kind text not null,
    -- What it is about: a limit node, or the org.
    subject text not null,
    payload_json text not null,
    created_at_ms bigint not null,
    -- When its letters were written.
    mailed_at_ms bigint
);
create index outbox_unmailed on outbox (created_at_ms) where mailed_at_ms is null;
create index outbox_of_org on outbox (org_id, created_at_ms);

-- Letters on their way. The sealed part holds reader, subject and text, which may carry a one-time link; it is emptied
-- when the letter is sent or given up.
create table letter (
    id text primary key not null,
    outbox_id text references outbox (id),
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
    sealed text not null,
    tries bigint not null default 0,
    due_at_ms bigint not null,
    leased_until_ms bigint not null default 0,
    created_at_ms bigint not null,
    ended_at_ms bigint
);
create index letter_due on letter (due_at_ms) where state = 'waiting';
