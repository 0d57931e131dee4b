-- A second factor of a person or of an operator: the secret of an authenticator app, and codes for the day it is lost.
create table totp (
    -- The id of the person or of the operator.
    subject_id text primary key not null,
    sealed_secret text not null,
    -- The newest 30-second step whose code was accepted: codes of it and of those before it are spent.
    last_step bigint not null,
    created_at_ms bigint not null
);

-- Recovery codes, as HMACs. A used one stays until the set is replaced, so that it can be told from a wrong one.
create table recovery_code (
    code_hash text primary key not null,
    subject_id text not null,
    used_at_ms bigint,
    created_at_ms bigint not null
);
create index recovery_code_of_subject on recovery_code (subject_id);

-- Browsers a person signed in with, by the HMAC of a cookie of theirs: a letter tells of each new one.
create table known_browser (
    person_id text not null references person (id),
    browser_hash text not null,
    last_seen_at_ms bigint not null,
    created_at_ms bigint not null,
    primary key (person_id, browser_hash)
);
