-- Usage that was learned after its call was resolved: an answer read on for a while when its caller had gone. The
-- reservation, its attempts and its receipt stay as they are; this is for reconciling what providers bill.
create table late_usage (
    reservation_id text not null references reservation (id),
    -- The attempt it belongs to.
    seq bigint not null,
    at_ms bigint not null,
    usage_json text not null,
    -- At list price, as far as known.
    cost_pico bigint check (cost_pico >= 0),
    primary key (reservation_id, seq)
);
