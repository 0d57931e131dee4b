-- Who there is: people, the orgs they belong to, the keys they hold, and how they prove it.
-- No secret is stored. Passwords are argon2id hashes; keys, sessions and one-time tokens are HMACs under
-- peppers that are not in the database, so that neither reading nor writing it yields a working credential.

create table person (
    id text primary key not null,
    email text not null,
    -- The address as it is compared: lower case.
    email_key text not null unique,
    name text not null,
    language text not null check (language in ('en', 'zh')),
    time_zone text not null,
    -- Null for someone who signs in another way.
    password_hash text,
    state text not null default 'active' check (state in ('active', 'disabled')),
    email_verified_at_ms bigint,
    created_at_ms bigint not null
);

create table org (
    id text primary key not null,
    name text not null,
    preset text not null check (preset in ('global', 'china')),
    state text not null default 'active' check (state in ('active', 'closed')),
    -- When the trial credit was booked. A crash between verification and booking leaves it null, and it is tried again.
    trial_granted_at_ms bigint,
    created_at_ms bigint not null
);
create index org_without_trial on org (created_at_ms) where trial_granted_at_ms is null;

create table deployment (
    id text primary key not null,
    org_id text not null references org (id),
    name text not null,
    slug text not null,
    archived_at_ms bigint,
    created_at_ms bigint not null,
    unique (org_id, slug)
);

-- A member holds keys: a person, or a service account (a name without a person).
create table member (
    id text primary key not null,
    org_id text not null references org (id),
    person_id text references person (id),
    service_name text,
    role text not null check (role in ('owner', 'admin', 'billing', 'developer', 'viewer')),
    state text not null default 'active' check (state in ('active', 'removed')),
    created_at_ms bigint not null,
    unique (org_id, person_id),
    check ((person_id is null) <> (service_name is null))
);
create index member_of_person on member (person_id) where person_id is not null;

-- What may be done. Spend limits live on the ledger's nodes, under the same id.
create table api_key (
    id text primary key not null,
    org_id text not null references org (id),
    deployment_id text not null references deployment (id),
    member_id text not null references member (id),
    parent_key_id text references api_key (id),
    -- 0 for a key that was not derived from another.
    depth bigint not null default 0 check (depth between 0 and 3),
    name text not null,
    kind text not null check (kind in ('live', 'test')),
    state text not null default 'active' check (state in ('active', 'disabled', 'revoked', 'deleted')),
    -- Null: whatever the parent, or the org's preset, allows.
    models_json text,
    scopes_json text not null,
    strict boolean not null default false,
    expires_at_ms bigint,
    created_by_person_id text references person (id),
    created_at_ms bigint not null,
    ended_at_ms bigint,
    check ((parent_key_id is null) = (depth = 0))
);
create index api_key_of_org on api_key (org_id, created_at_ms);
create index api_key_of_parent on api_key (parent_key_id) where parent_key_id is not null;

-- What proves it. A rotation adds a second credential to the same key, so budget and history stay one.
create table api_key_credential (
    -- The public twelve characters inside the key.
    id text primary key not null,
    key_id text not null references api_key (id),
    verifier text not null,
    pepper_version bigint not null,
    last_four text not null,
    not_after_ms bigint,
    last_used_at_ms bigint,
    created_at_ms bigint not null
);
create index api_key_credential_of_key on api_key_credential (key_id);

-- Counts changes that take a right away. Every instance reads it several times a second, and forgets
-- what it had cached when the number has moved.
create table change_counter (
    name text primary key not null,
    changes bigint not null
);
insert into change_counter (name, changes) values ('rights', 0);

create table session (
    id_hash text primary key not null,
    -- Names the session in lists and forms without being able to stand in for it.
    public_id text not null unique,
    person_id text references person (id),
    data_json text not null,
    user_agent text not null,
    ip text not null,
    idle_ms bigint not null,
    last_seen_at_ms bigint not null,
    ends_at_ms bigint not null,
    created_at_ms bigint not null
);
create index session_of_person on session (person_id, last_seen_at_ms) where person_id is not null;

-- Links sent by mail or printed once. The primary key makes a newer one replace the older.
create table one_time_token (
    kind text not null check (kind in ('verify_email', 'reset_password', 'first_operator')),
    subject_id text not null,
    token_hash text not null unique,
    expires_at_ms bigint not null,
    created_at_ms bigint not null,
    primary key (kind, subject_id)
);

-- Failures that slow down whoever makes them. The subject is an HMAC of an address or a network.
create table attempt (
    subject text primary key not null,
    failures bigint not null,
    next_try_at_ms bigint not null,
    window_ends_at_ms bigint not null
);

-- A class of its own, not a role. Rows are never deleted: that an operator ever existed closes the first-run page.
create table operator (
    id text primary key not null,
    email text not null,
    email_key text not null unique,
    name text not null,
    password_hash text not null,
    state text not null default 'active' check (state in ('active', 'disabled')),
    created_at_ms bigint not null
);

-- Security events. Each row's hash covers the one before it, under a key that is not in the database.
create table audit_event (
    seq bigint primary key not null,
    at_ms bigint not null,
    event text not null,
    -- 'person:…', 'operator:…', 'key:…', 'host' or 'anonymous'.
    actor text not null,
    org_id text,
    target text,
    ip text not null,
    user_agent text not null,
    request_id text not null,
    detail_json text not null,
    hash text not null
);
create index audit_event_of_org on audit_event (org_id, seq) where org_id is not null;

create table audit_head (
    name text primary key not null,
    seq bigint not null,
    hash text not null
);
insert into audit_head (name, seq, hash) values ('audit', 0, '');
