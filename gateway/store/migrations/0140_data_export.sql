-- What a person takes with them: an archive that one process at a time prepares, and that is gone a day after.
create table data_export (
    id text primary key not null,
    -- One at a time: asking again replaces one that has ended.
    person_id text not null unique references person (id),
    -- `waiting`, `ready` or `failed`.
    state text not null default 'waiting',
    -- Whichever process prepares it has it until then, and says so anew with every piece.
    leased_until_ms bigint not null default 0,
    -- How often it was begun. Pieces carry it, so that those of a process that died are told from the others.
    tries bigint not null default 0,
    bytes bigint not null default 0,
    asked_at_ms bigint not null,
    ready_at_ms bigint,
    expires_at_ms bigint
);
create index data_export_waiting on data_export (asked_at_ms) where state = 'waiting';
create index data_export_expiring on data_export (expires_at_ms) where expires_at_ms is not null;

-- The archive in pieces, each sealed. The key is not in the database.
create table data_export_part (
    export_id text not null,
    attempt bigint not null,
    number bigint not null,
    sealed text not null,
    primary key (export_id, attempt, number)
);

-- What a person did, and what was done about them.
create index audit_event_of_actor on audit_event (actor, seq);
create index audit_event_of_target on audit_event (target, seq) where target is not null;
