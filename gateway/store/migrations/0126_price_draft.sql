-- What operators changed about prices at their pages and have not published yet: at most one row. A publication settles it.
create table price_draft (
    id text primary key not null check (id = 'draft'),
    -- The whole of the overrides, as a publication keeps them.
    overrides_json text not null,
    changed_by text not null,
    changed_at_ms bigint not null
);
