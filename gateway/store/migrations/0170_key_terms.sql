-- Tags to sort keys by; at whom and where calls of a key may be answered; and how long keys below a node may live.

-- ' prod batch ', so that a tag is found as ' prod '; empty without any.
alter table api_key add column tags text not null default '';
-- JSON lists; null: whoever, and wherever, the nodes above allow.
alter table api_key add column providers_json text;
alter table api_key add column regions_json text;

alter table node_rule add column providers_json text;
alter table node_rule add column regions_json text;
-- From the making of a key to its end; null: as long as anybody likes. It binds whoever makes a key or moves its end.
alter table node_rule add column max_lifetime_days bigint check (max_lifetime_days > 0);

-- Where a channel's provider keeps what it is sent, as the operator says; null: nobody said.
alter table channel add column region text;
