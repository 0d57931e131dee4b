-- Keys that are derived, rotated and bound to networks; and what nodes above keys allow beside money and rates.

-- '/root/…/own id/', because a key never gets another parent; empty for one that was made before there were derived keys.
alter table api_key add column path text not null default '';
alter table api_key add column note text not null default '';
-- JSON list of networks in CIDR form; null: from anywhere the nodes above allow.
alter table api_key add column ips_json text;
-- The key that made this one through the API; null for one that a person made.
alter table api_key add column created_by_key_id text references api_key (id);

-- Where a credential was last used from.
alter table api_key_credential add column last_used_ip text;
alter table api_key_credential add column last_used_client text;

-- What an org, deployment or member allows to every key below it. A key has the same in its own row.
create table node_rule (
    -- 'org:…', 'dep:…' or 'mem:…'
    node_id text primary key not null,
    org_id text not null references org (id),
    models_json text,
    scopes_json text,
    ips_json text,
    expires_at_ms bigint
);
create index node_rule_of_org on node_rule (org_id);
