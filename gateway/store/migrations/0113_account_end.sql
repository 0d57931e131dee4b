-- Accounts whose person asked for their end. Nothing happens before `due_at_ms`, and until then it can be taken back.
create table account_end (
    person_id text primary key not null references person (id),
    asked_at_ms bigint not null,
    due_at_ms bigint not null
);
create index account_end_due on account_end (due_at_ms);
