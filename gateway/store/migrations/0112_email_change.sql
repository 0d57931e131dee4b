-- An address somebody wants to change to, until it is proven. The primary key makes a newer wish replace the older.
create table email_change (
    person_id text primary key not null references person (id),
    email text not null,
    email_key text not null,
    token_hash text not null unique,
    expires_at_ms bigint not null
);
