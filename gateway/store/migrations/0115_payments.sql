-- What somebody wants to pay, what that will be worth here, and how far it has come. Amounts of money paid are in the
-- currency's smallest unit (US cents, fen); what they are worth is nano-USD, fixed when the order was made.
create table payment_order (
    id text primary key not null,
    org_id text not null references wallet (org_id),
    -- Who wanted to pay. Kept when the account is gone.
    person_id text not null,
    -- One form makes one order for one amount, however often it is sent.
    form_key text not null,
    state text not null default 'made' check (state in
        ('made', 'open', 'processing', 'paid', 'credited', 'failed', 'expired')),
    currency text not null check (currency in ('usd', 'cny')),
    amount_minor bigint not null check (amount_minor > 0),
    -- The dated rate that CNY was converted at; none for USD.
    fx_rate_id text references fx_rate (id),
    usd_cny_micro bigint check (usd_cny_micro > 0),
    paid_nano bigint not null check (paid_nano > 0),
    bonus_nano bigint not null default 0 check (bonus_nano >= 0),
    bonus_expires_at_ms bigint,
    -- Stripe's names for it, and the page on which it is paid.
    session_id text unique,
    payment_intent_id text,
    checkout_url text,
    created_at_ms bigint not null,
    -- When the page on which it is paid closes.
    closes_at_ms bigint,
    paid_at_ms bigint,
    credited_at_ms bigint,
    unique (org_id, form_key),
    check ((currency = 'cny') = (usd_cny_micro is not null)),
    check ((usd_cny_micro is null) = (fx_rate_id is null))
);
create index payment_order_of_org on payment_order (org_id, created_at_ms);
create index payment_order_unfinished on payment_order (created_at_ms)
    where state in ('made', 'open', 'processing', 'paid');
create index payment_order_intent on payment_order (payment_intent_id) where payment_intent_id is not null;

-- Every event that Stripe told us, once, and what was done about it.
create table payment_event (
    id text primary key not null,
    kind text not null,
    body_json text not null,
    received_at_ms bigint not null,
    handled_at_ms bigint,
    -- 'applied', 'known' (nothing new), 'unknown' (not about an order of ours, or of a kind we do nothing about), or
    -- 'refused' with the reason.
    outcome text check (outcome in ('applied', 'known', 'unknown', 'refused')),
    reason text,
    check ((handled_at_ms is null) = (outcome is null))
);
create index payment_event_received on payment_event (received_at_ms);
