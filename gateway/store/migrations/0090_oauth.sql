-- Sign in with ByteSpike: programs, what people allowed them, and the tokens that prove it.
-- Of codes and tokens only HMACs are stored, found by the public part of their text.

-- Programs that an org registered; those that ship with ByteSpike are in its code.
create table oauth_client (
    id text primary key not null,
    org_id text not null references org (id),
    name text not null,
    -- Null for a public client, which proves itself by PKCE alone.
    secret_verifier text,
    redirect_uris_json text not null,
    scopes_json text not null,
    -- May ask whether a token is good.
    is_resource_server boolean not null,
    state text not null default 'active' check (state in ('active', 'disabled')),
    created_by_person_id text not null references person (id),
    created_at_ms bigint not null
);
create index oauth_client_of_org on oauth_client (org_id);

-- A checked request to authorize, between /oauth/authorize and the decision. Bound to one browser by a cookie.
create table oauth_transaction (
    id text primary key not null,
    browser_verifier text not null,
    client_id text not null,
    redirect_uri text not null,
    client_state text,
    code_challenge text not null,
    scopes_json text not null,
    resource text,
    -- The key that the program asks for.
    key_request_json text not null,
    must_sign_in_after_ms bigint,
    expires_at_ms bigint not null,
    decided_at_ms bigint,
    created_at_ms bigint not null
);
create index oauth_transaction_expiring on oauth_transaction (expires_at_ms);

-- What a person allowed a program to do in one of their orgs. A family of tokens hangs on it.
create table oauth_grant (
    id text primary key not null,
    client_id text not null,
    -- As it was shown when it was allowed.
    client_name text not null,
    client_place text not null,
    person_id text not null references person (id),
    org_id text not null references org (id),
    member_id text not null references member (id),
    scopes_json text not null,
    resource text,
    -- Bounds of the key that the program may make.
    key_bounds_json text not null,
    state text not null default 'active' check (state in ('active', 'revoked')),
    revoked_reason text,
    revoked_at_ms bigint,
    -- The last moment at which a refresh can happen.
    ends_at_ms bigint not null,
    last_used_at_ms bigint,
    created_at_ms bigint not null,
    check ((state = 'revoked') = (revoked_at_ms is not null))
);
create index oauth_grant_of_person on oauth_grant (person_id, created_at_ms);

create table oauth_code (
    id text primary key not null,
    verifier text not null,
    grant_id text not null references oauth_grant (id),
    client_id text not null,
    redirect_uri text not null,
    code_challenge text not null,
    expires_at_ms bigint not null,
    used_at_ms bigint,
    created_at_ms bigint not null
);
create index oauth_code_expiring on oauth_code (expires_at_ms);

create table oauth_token (
    id text primary key not null,
    kind text not null check (kind in ('access', 'refresh')),
    verifier text not null,
    grant_id text not null references oauth_grant (id),
    state text not null default 'active' check (state in ('active', 'consumed', 'revoked')),
    -- Of a refresh token: the pair that came with it, and the one that replaced it.
    access_id text,
    successor_id text,
    consumed_at_ms bigint,
    -- Of an access token; a refresh token always stands for the whole grant.
    scopes_json text,
    first_used_at_ms bigint,
    expires_at_ms bigint not null,
    created_at_ms bigint not null,
    check (state <> 'consumed' or kind = 'refresh')
);
create index oauth_token_of_grant on oauth_token (grant_id);
create index oauth_token_expiring on oauth_token (expires_at_ms);

create table oauth_device (
    id text primary key not null,
    verifier text not null,
    user_code_hash text not null unique,
    client_id text not null,
    scopes_json text not null,
    resource text,
    key_request_json text not null,
    -- Shown to whoever types the code, so that they notice somebody else's device.
    ip text not null,
    state text not null default 'pending' check (state in ('pending', 'approved', 'denied', 'redeemed')),
    grant_id text references oauth_grant (id),
    interval_s bigint not null,
    polled_at_ms bigint,
    expires_at_ms bigint not null,
    created_at_ms bigint not null,
    check ((state in ('approved', 'redeemed')) = (grant_id is not null))
);
create index oauth_device_expiring on oauth_device (expires_at_ms);

-- Keys that programs made for themselves within their grant.
create table oauth_key (
    key_id text primary key not null references api_key (id),
    grant_id text not null references oauth_grant (id),
    client_instance text,
    request_key text not null,
    body_hash text not null,
    -- The answer with the key in it, kept for a minute in case it was lost on its way.
    sealed_answer text,
    sealed_until_ms bigint not null,
    created_at_ms bigint not null,
    unique (grant_id, request_key)
);
create index oauth_key_of_grant on oauth_key (grant_id);
