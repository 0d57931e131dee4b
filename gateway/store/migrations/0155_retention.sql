-- What the last removal of what was kept long enough removed, by what it is. How long things are kept is in `switch`, where
-- operators shortened it, else in the configuration.
create table retention_run (
    kind text primary key not null,
    at_ms bigint not null,
    removed bigint not null check (removed >= 0),
    -- The last time that it removed something, and how much it has removed in all.
    last_removed_at_ms bigint,
    removed_in_all bigint not null check (removed_in_all >= 0)
);
