-- Two books. The journal holds money that moved; the reservation book holds promises.
-- A call that fails never touches the journal, so there is nothing to give back.
-- Amounts are nano-USD (1 credit = 1,000), costs pico-USD. Bounds keep every sum far from overflow.

create table wallet (
    org_id text primary key not null,
    time_zone text not null default 'UTC',
    posted_nano bigint not null default 0 check (posted_nano between 0 and 1000000000000000000),
    held_nano bigint not null default 0 check (held_nano >= 0),
    frozen boolean not null default false,
    -- Head of this wallet's hash chain.
    journal_seq bigint not null default 0,
    journal_hash text not null default '',
    created_at_ms bigint not null,
    check (held_nano <= posted_nano)
);

-- Credit in the order it burns. What a hold pinned outlives the lot's expiry until the hold is resolved.
create table lot (
    id text primary key not null,
    org_id text not null references wallet (org_id),
    kind text not null check (kind in ('principal', 'bonus')),
    granted_nano bigint not null check (granted_nano > 0),
    remaining_nano bigint not null check (remaining_nano >= 0),
    pinned_nano bigint not null default 0 check (pinned_nano >= 0),
    priority bigint not null,
    expires_at_ms bigint,
    created_at_ms bigint not null,
    check (pinned_nano <= remaining_nano),
    check (remaining_nano <= granted_nano)
);
create index lot_of_org on lot (org_id) where remaining_nano > 0;
create index lot_expiring on lot (expires_at_ms) where remaining_nano > 0 and expires_at_ms is not null;

create table journal_tx (
    id text primary key not null,
    org_id text not null references wallet (org_id),
    seq bigint not null check (seq > 0),
    kind text not null check (kind in ('top_up', 'grant', 'settle', 'breakage', 'withdrawal')),
    reservation_id text unique,
    idem_key text,
    note text,
    price_version bigint,
    at_ms bigint not null,
    prev_hash text not null,
    hash text not null,
    unique (org_id, seq),
    unique (org_id, idem_key),
    check ((kind = 'settle') = (reservation_id is not null))
);

-- Double entry: the amounts of one transaction sum to zero.
create table journal_entry (
    tx_id text not null references journal_tx (id),
    seq bigint not null,
    account text not null check (account in
        ('principal', 'bonus', 'psp_clearing', 'bonus_expense', 'revenue', 'breakage', 'withdrawn')),
    org_id text,
    lot_id text references lot (id),
    amount_nano bigint not null check (amount_nano <> 0),
    primary key (tx_id, seq),
    check ((account in ('principal', 'bonus')) = (org_id is not null)),
    check ((account in ('principal', 'bonus')) = (lot_id is not null))
);
create index journal_entry_of_org on journal_entry (org_id) where org_id is not null;

-- held -> settled | released | expired, once. The id is also the receipt's.
create table reservation (
    id text primary key not null,
    org_id text not null references wallet (org_id),
    deployment_id text not null,
    member_id text not null,
    key_id text not null,
    -- '/root/…/leaf/': the key and every key it was derived from.
    key_path text not null,
    state text not null check (state in ('held', 'settled', 'released', 'expired')),
    reason text,
    held_nano bigint not null check (held_nano between 0 and 10000000000000),
    charged_nano bigint check (charged_nano >= 0 and charged_nano <= held_nano),
    price_version bigint not null,
    model_requested text not null,
    protocol text not null,
    stream boolean not null,
    key_name text not null,
    -- What the receipt says about the request and its caller, fixed when held.
    request_json text not null,
    owner text not null,
    expires_at_ms bigint not null,
    held_at_ms bigint not null,
    resolved_at_ms bigint,
    -- Written with the resolution.
    model_served text,
    usage_source text check (usage_source in ('provider', 'delivered_count')),
    input_tokens bigint not null default 0,
    cache_read_tokens bigint not null default 0,
    cache_write_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    reasoning_tokens bigint not null default 0,
    searches bigint not null default 0,
    attempts bigint not null default 0,
    first_content_ms bigint,
    duration_ms bigint,
    check ((state = 'held') = (resolved_at_ms is null)),
    check ((state = 'held') = (charged_nano is null)),
    check (state in ('held', 'settled') or charged_nano = 0),
    check (state = 'held' or reason is not null)
);
create index reservation_of_org on reservation (org_id, held_at_ms, id);
create index reservation_open on reservation (expires_at_ms) where state = 'held';

create table reservation_lot (
    reservation_id text not null references reservation (id),
    lot_id text not null references lot (id),
    pinned_nano bigint not null check (pinned_nano > 0),
    primary key (reservation_id, lot_id)
);

-- One row per spend limit that is set. Windows are fixed: a call counts in the window it was held in.
create table spend_limit (
    node_id text not null,
    window_kind text not null check (window_kind in ('lifetime', 'month', '5h', '1d', '7d')),
    org_id text not null references wallet (org_id),
    limit_nano bigint not null check (limit_nano >= 0),
    used_nano bigint not null default 0 check (used_nano >= 0),
    held_nano bigint not null default 0 check (held_nano >= 0),
    opened_at_ms bigint not null,
    ends_at_ms bigint not null,
    primary key (node_id, window_kind),
    check (ends_at_ms > opened_at_ms)
);
create index spend_limit_of_org on spend_limit (org_id);

-- Every try at an upstream, with what it cost us.
create table upstream_attempt (
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
);

-- What failures cost us and nobody else: the price of the promise.
create table absorbed_cost (
    reservation_id text not null references reservation (id),
    cause text not null,
    org_id text not null,
    key_id text not null,
    amount_pico bigint not null check (amount_pico > 0),
    at_ms bigint not null,
    primary key (reservation_id, cause)
);
create index absorbed_cost_of_key on absorbed_cost (key_id, at_ms);

-- Written in the transaction that resolves the reservation. Kept for settled calls, 30 days for the others.
create table receipt (
    id text primary key not null references reservation (id),
    org_id text not null,
    settled boolean not null,
    at_ms bigint not null,
    body_json text not null
);

-- Every price book that was ever in force, so that an old receipt can be recomputed.
create table price_book (
    version bigint primary key not null,
    hash text not null unique,
    published_at_ms bigint not null,
    body_json text not null
);

-- Running processes; the owner of a hold is one of them.
create table instance (
    id text primary key not null,
    started_at_ms bigint not null,
    seen_at_ms bigint not null
);

-- The last runs of the invariant checks, for the status page and for operators.
create table invariant_run (
    id text primary key not null,
    at_ms bigint not null,
    checked bigint not null,
    violations_json text not null
);
