-- Signing in with somebody else: which account of theirs is which person here. Known by the provider's own subject; the
-- address is what they said when it was linked, for showing, and never decides anything.
create table identity (
    provider text not null,
    subject text not null,
    person_id text not null references person (id),
    email text not null,
    linked_at_ms bigint not null,
    last_used_at_ms bigint,
    primary key (provider, subject)
);
create index identity_of_person on identity (person_id, linked_at_ms);

-- A browser that was sent to a provider and is expected back. Taken once, by the browser that was sent.
create table identity_transaction (
    id_hash text primary key not null,
    sealed text not null,
    expires_at_ms bigint not null
);
