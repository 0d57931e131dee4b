-- Which price book is in force: the newest publication. A book that was in force before may be published again.
create table price_publication (
    seq bigint primary key not null,
    version bigint not null references price_book (version),
    at_ms bigint not null,
    -- Who published it and why: a person's words, or the program's at a start.
    note text not null,
    -- What the operator changed about the catalogue, as it was given.
    overrides_json text not null
);

-- Observed and chosen exchange rates. A published price never moves with them: its book names one.
create table fx_rate (
    id text primary key not null,
    day text not null,
    usd_cny_micro bigint not null check (usd_cny_micro > 0),
    source text not null
);

-- When it is peak, for prices that depend on the hour.
create table price_schedule (
    version bigint not null references price_book (version),
    id text not null,
    utc_offset_minutes bigint not null,
    -- '1,2,3,4,5': Monday is 1.
    weekdays text not null,
    -- '540-720,840-1080': minutes since local midnight, the end exclusive.
    minutes text not null,
    -- The first day no holiday is known for; from there on there is no peak.
    known_until text not null,
    primary key (version, id)
);

create table price_holiday (
    version bigint not null references price_book (version),
    schedule_id text not null,
    first_day text not null,
    last_day text not null,
    primary key (version, schedule_id, first_day)
);

-- One row per price of a version: what we sell at, beside the list price it comes from. Channels have no price.
create table price (
    version bigint not null references price_book (version),
    model text not null,
    -- The row's place in the book.
    seq bigint not null,
    component text not null,
    unit text not null,
    -- Pico-USD per unit, and pico-units of the list's own currency.
    usd_pico bigint not null check (usd_pico >= 0),
    currency text not null check (currency in ('USD', 'CNY')),
    region text,
    list_pico bigint not null check (list_pico >= 0),
    input_tokens_above bigint,
    input_tokens_upto bigint,
    sizes text not null default '',
    quality text,
    with_audio boolean,
    with_video_input boolean,
    schedule_side text check (schedule_side in ('peak', 'offpeak')),
    effective_from_ms bigint,
    effective_to_ms bigint,
    source text not null,
    source_date text not null,
    verification text not null,
    primary key (version, model, seq)
);

insert into change_counter (name, changes) values ('prices', 0);
