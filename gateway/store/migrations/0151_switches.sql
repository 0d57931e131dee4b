-- What operators decided while the installation runs. What has no row here is as the configuration says.
create table switch (
    name text primary key not null,
    value text not null,
    -- An operator's id.
    changed_by text not null,
    changed_at_ms bigint not null
);

insert into change_counter (name, changes) values ('switches', 0);

-- People who signed up while an operator had to let each of them in. Until that is decided their account is disabled.
create table sign_up_request (
    person_id text primary key not null references person (id),
    asked_at_ms bigint not null,
    decision text check (decision in ('approved', 'refused')),
    -- An operator's id.
    decided_by text,
    decided_at_ms bigint,
    check ((decision is null) = (decided_at_ms is null))
);
create index sign_up_request_open on sign_up_request (asked_at_ms) where decision is null;
