-- Ways to a provider that operators add while the gateway runs; those of the configuration are not here.
create table channel (
    id text primary key not null,
    provider text not null,
    dialect text not null,
    base_url text not null,
    -- Slug → the provider's own id, as a JSON object.
    models_json text not null,
    state text not null check (state in ('enabled', 'disabled')),
    -- A JSON array of upstream keys, sealed for this row. Written, never shown; a new base URL empties it.
    credentials_sealed text,
    created_at_ms bigint not null,
    updated_at_ms bigint not null,
    check (state = 'disabled' or credentials_sealed is not null)
);

-- What we pay: a price row of the provider's for a channel, whether it is here or in the configuration.
create table channel_cost (
    channel_id text not null,
    model text not null,
    seq bigint not null,
    component text not null,
    unit text not null,
    currency text not null check (currency in ('USD', 'CNY')),
    amount_pico bigint not null check (amount_pico >= 0),
    -- For which requests and when, and where the figure is from, as a JSON object.
    row_json text not null,
    primary key (channel_id, model, seq)
);

insert into change_counter (name, changes) values ('channels', 0);
-- How far estimates of input were from what providers counted: calls per model and ratio. Each bucket is 2 % wider
-- than the one before; the 99th percentile becomes the model's factor.
create table estimate_ratio (
    model text not null,
    bucket bigint not null,
    calls bigint not null check (calls >= 0),
    primary key (model, bucket)
);

insert into change_counter (name, changes) values ('estimates', 0);
