-- The journal is append-only, and what is resolved stays as it is.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '%', tg_argv[0] using errcode = 'restrict_violation';
end $$;

create trigger journal_tx_append_only before update or delete on journal_tx
for each row execute function refuse_change('the journal is append-only');

create trigger journal_entry_append_only before update or delete on journal_entry
for each row execute function refuse_change('the journal is append-only');

create trigger reservation_resolved_once before update on reservation
for each row when (old.state <> 'held') execute function refuse_change('a resolved reservation never changes');

create trigger receipt_no_update before update on receipt
for each row execute function refuse_change('a receipt never changes');

create trigger receipt_settled_no_delete before delete on receipt
for each row when (old.settled) execute function refuse_change('the receipt of a settled call is kept');

create trigger price_book_kept before update or delete on price_book
for each row execute function refuse_change('a published price book never changes');

-- Counters that change with every call keep their page half empty, so that an update stays on it (HOT).
alter table wallet set (fillfactor = 50);
alter table spend_limit set (fillfactor = 50);
alter table lot set (fillfactor = 50);
