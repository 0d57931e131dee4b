-- What operators tell everybody who opens a page, in both languages, for a time.
create table announcement (
    id text primary key not null,
    level text not null check (level in ('information', 'warning', 'incident')),
    -- Which pages carry it.
    place text not null check (place in ('all', 'site', 'docs', 'console')),
    text_en text not null,
    text_zh text not null,
    -- Where more is said: a path of ours, or an https address.
    link text,
    from_ms bigint not null,
    -- Without it, until an operator ends it.
    until_ms bigint check (until_ms > from_ms),
    ended_at_ms bigint,
    created_at_ms bigint not null
);
create index announcement_created on announcement (created_at_ms, id);

-- Who does not want to see it any more. Gone when it says something else.
create table announcement_dismissal (
    announcement_id text not null references announcement (id),
    person_id text not null references person (id),
    at_ms bigint not null,
    primary key (announcement_id, person_id)
);
create index announcement_dismissal_of_person on announcement_dismissal (person_id);

insert into change_counter (name, changes) values ('announcements', 0);
