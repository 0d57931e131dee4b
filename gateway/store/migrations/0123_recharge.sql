-- Paying in by itself: a saved card that is charged when the balance falls below a threshold. One row for each org that
-- ever saved one. Amounts as in payment_order.
create table recharge (
    org_id text primary key not null references wallet (org_id),
    -- Stripe's name of the org, and of its card.
    customer_id text not null,
    payment_method_id text,
    -- Such as 'visa 4242'.
    card text,
    -- The page on which a card is being saved.
    setup_session_id text unique,
    setup_url text,
    setup_closes_at_ms bigint,
    is_on boolean not null default false,
    threshold_nano bigint not null default 0 check (threshold_nano >= 0),
    currency text not null default 'usd' check (currency in ('usd', 'cny')),
    amount_minor bigint not null default 0 check (amount_minor >= 0),
    -- At most so much in a calendar month of the org.
    month_most_minor bigint not null default 0 check (month_most_minor >= 0),
    -- Who agreed, when, and to which words.
    person_id text,
    agreed_at_ms bigint,
    agreed_text text,
    -- The payment that fills the balance up now. Until it has ended there is no other.
    order_id text references payment_order (id),
    -- Until then the process that took it is at it.
    taken_until_ms bigint not null default 0,
    -- Failures since the last success, when it may be tried again, and why it turned itself off.
    failures bigint not null default 0,
    next_try_at_ms bigint not null default 0,
    off_reason text,
    check (not is_on or (payment_method_id is not null and threshold_nano > 0 and amount_minor > 0 and agreed_at_ms is not null))
);
create index recharge_on on recharge (org_id) where is_on;
create index recharge_running on recharge (order_id) where order_id is not null;
