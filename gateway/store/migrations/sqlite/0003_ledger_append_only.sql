-- The journal is append-only, and what is resolved stays as it is.

create trigger journal_tx_no_update before update on journal_tx
begin select raise(abort, 'the journal is append-only'); end;

create trigger journal_tx_no_delete before delete on journal_tx
begin select raise(abort, 'the journal is append-only'); end;

create trigger journal_entry_no_update before update on journal_entry
begin select raise(abort, 'the journal is append-only'); end;

create trigger journal_entry_no_delete before delete on journal_entry
begin select raise(abort, 'the journal is append-only'); end;

create trigger reservation_resolved_once before update on reservation when old.state <> 'held'
begin select raise(abort, 'a resolved reservation never changes'); end;

create trigger receipt_no_update before update on receipt
begin select raise(abort, 'a receipt never changes'); end;

create trigger receipt_settled_no_delete before delete on receipt when old.settled
begin select raise(abort, 'the receipt of a settled call is kept'); end;

create trigger price_book_no_update before update on price_book
begin select raise(abort, 'a published price book never changes'); end;

create trigger price_book_no_delete before delete on price_book
begin select raise(abort, 'a published price book is kept'); end;
