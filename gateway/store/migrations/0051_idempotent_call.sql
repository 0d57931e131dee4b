-- One row for each Idempotency-Key in use. Whether its call runs, landed or failed is the reservation's state,
-- so a crash leaves nothing here to be repaired.
create table idempotent_call (
    -- SHA-256 over the API key's id, the route and the Idempotency-Key, which itself is not stored.
    id text primary key not null,
    org_id text not null,
    key_id text not null,
    body_sha256 text not null,
    -- The call that has the key now; also its reservation's id.
    receipt_id text not null,
    claimed_at_ms bigint not null,
    -- True while an answer is stored, or is going to be once the call has landed.
    keeps_answer boolean not null,
    -- The answer, sealed for this row.
    answer_sealed text,
    expires_at_ms bigint not null
);
create index idempotent_call_expiring on idempotent_call (expires_at_ms);
