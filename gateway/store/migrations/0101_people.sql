-- Invitations into an org. Of the link's token only an HMAC is stored, and none once the link is worth nothing.
create table invitation (
    id text primary key not null,
    org_id text not null references org (id),
    email text not null,
    email_key text not null,
    -- Fixed when it is issued.
    role text not null check (role in ('owner', 'admin', 'billing', 'developer', 'viewer')),
    state text not null default 'open' check (state in ('open', 'accepted', 'revoked')),
    token_hash text unique,
    -- Whose right it rests on.
    invited_by_member_id text not null references member (id),
    -- Who accepted it.
    member_id text references member (id),
    sent_at_ms bigint not null,
    expires_at_ms bigint not null,
    created_at_ms bigint not null,
    check ((state = 'open') = (token_hash is not null)),
    check ((state = 'accepted') = (member_id is not null))
);
create unique index invitation_open on invitation (org_id, email_key) where state = 'open';

-- Only the org that comes with an account is owed a trial credit; every org has a wallet opened for it.
alter table org add column owes_trial boolean not null default true;
