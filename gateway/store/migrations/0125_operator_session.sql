-- Browser sessions of operators: a table and a cookie of their own, so that neither kind of session can stand for the
-- other. Rows are found by an HMAC of the cookie's value.

create table operator_session (
    id_hash text primary key not null,
    public_id text not null unique,
    operator_id text not null references operator (id),
    -- `first_step`: the password was right, and nobody is signed in yet.
    step text not null check (step in ('first_step', 'signed_in')),
    -- What the next page needs, sealed: a second factor that is offered, or recovery codes to be shown once.
    kept_sealed text,
    -- When a second factor was last checked in this session.
    confirmed_at_ms bigint not null,
    ip text not null,
    user_agent text not null,
    last_seen_at_ms bigint not null,
    ends_at_ms bigint not null,
    created_at_ms bigint not null
);
create index operator_session_of_operator on operator_session (operator_id);
