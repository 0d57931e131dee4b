-- What the document at a program's id said when it was last read, for programs that nobody registered.
create table oauth_client_document (
    client_id text primary key not null,
    name text not null,
    redirect_uris_json text not null,
    scopes_json text not null,
    fresh_until_ms bigint not null,
    kept_until_ms bigint not null
);
create index oauth_client_document_expiring on oauth_client_document (kept_until_ms);
