-- Passkeys: public keys whose private half stays with the person's device, each found by the id the device gave it.
create table passkey (
    id text primary key not null,
    -- As the device names it, in base64url. It says whose the key is, so nobody else may bring the same one.
    credential_id text not null unique,
    person_id text not null references person (id),
    name text not null,
    -- The public key and what was agreed with the device, and what changes with each use: its counter. Both in base64.
    fixed_state text not null,
    moving_state text not null,
    created_at_ms bigint not null,
    last_used_at_ms bigint
);
create index passkey_of_person on passkey (person_id, created_at_ms);

-- Challenges on their way to a browser and back. Taken once, by the browser they were made for.
create table passkey_ceremony (
    id_hash text primary key not null,
    sealed text not null,
    expires_at_ms bigint not null
);
