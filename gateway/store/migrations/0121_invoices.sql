-- Who an org is on its invoices. Absent until somebody says it.
create table billing_details (
    org_id text primary key not null references org (id),
    legal_name text not null,
    -- Lines as they are printed.
    address text not null,
    -- ISO 3166-1 alpha-2, or empty.
    country text not null,
    -- [{"kind": "eu_vat", "value": "DE123456788"}, …]
    tax_ids_json text not null,
    -- Where invoices are sent; empty for nowhere.
    email text not null,
    -- 'en' or 'zh': the language of those letters.
    language text not null,
    updated_at_ms bigint not null
);

-- Numbers of invoices and credit notes: each series counts from 1 without a gap, because a number is taken in the
-- transaction that keeps its document.
create table invoice_series (
    series text primary key not null,
    last_number bigint not null check (last_number > 0)
);

-- What was printed about a payment, and about one that was undone. Never changes.
create table invoice (
    id text primary key not null,
    org_id text not null,
    order_id text not null references payment_order (id),
    -- What it is about, once: 'order:…', 'left:…' or 'back:…' with the reversal's id.
    subject text not null unique,
    kind text not null check (kind in ('invoice', 'credit_note')),
    series text not null,
    number bigint not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    -- Seller, buyer and everything else as it was at that moment.
    content_json text not null,
    issued_at_ms bigint not null,
    unique (series, number)
);
create index invoice_of_org on invoice (org_id, issued_at_ms);
create index invoice_of_order on invoice (order_id, issued_at_ms);

alter table payment_order add column invoiced boolean not null default false;
create index payment_order_not_invoiced on payment_order (paid_at_ms)
    where not invoiced and state in ('paid', 'credited');
