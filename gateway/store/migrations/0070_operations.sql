-- What lets others check: which keys sign, what the status page counts, which jobs ran, and who operates from outside.

-- Public keys that have signed something. A former key stays, so that an old receipt can still be verified.
create table signing_key (
    -- As signatures name it.
    id text primary key not null,
    purpose text not null check (purpose in ('receipt', 'price_export')),
    -- 32 bytes, base64url.
    public_key text not null,
    first_used_at_ms bigint not null
);

-- When a job last began, so that of several processes one does it, and a restart does not do it again.
create table job (
    name text primary key not null,
    begun_at_ms bigint not null
);

-- Calls held in the last 30 days by how they ended, counted by a job: the public status page must not scan the books.
create table call_count (
    state text primary key not null check (state in ('held', 'settled', 'released', 'expired')),
    calls bigint not null,
    counted_at_ms bigint not null
);

-- Programs that operate the installation. As for keys, no secret is stored.
create table operator_token (
    -- The public twelve characters inside the token.
    id text primary key not null,
    name text not null,
    verifier text not null,
    last_four text not null,
    expires_at_ms bigint,
    revoked_at_ms bigint,
    last_used_at_ms bigint,
    created_at_ms bigint not null
);

-- What providers say we cost them, one row for each line of a report. A newer report of the same day replaces the older.
create table provider_cost (
    provider text not null,
    -- UTC, such as 2026-11-24.
    day text not null,
    line bigint not null,
    description text not null,
    amount_nano bigint not null,
    -- The file, or the address.
    source text not null,
    imported_at_ms bigint not null,
    primary key (provider, day, line)
);

-- The last comparison of a provider's day with our attempts. A difference is looked into; it never moves a wallet.
create table recon_run (
    id text primary key not null,
    provider text not null,
    day text not null,
    at_ms bigint not null,
    attempts bigint not null,
    -- Of those, how many whose cost we do not know.
    unpriced_attempts bigint not null,
    -- The sum over our attempts, and over the report's lines; null when there is no report for a day on which we called.
    expected_nano bigint not null,
    actual_nano bigint,
    tolerance_nano bigint not null,
    state text not null check (state in ('matched', 'unmatched', 'missing')),
    unique (provider, day)
);

-- Receipts of free calls are swept by age.
create index receipt_of_free_call on receipt (at_ms) where not settled;
