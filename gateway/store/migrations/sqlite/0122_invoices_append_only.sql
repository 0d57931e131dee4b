create trigger invoice_no_update before update on invoice
begin select raise(abort, 'an invoice never changes'); end;

create trigger invoice_no_delete before delete on invoice
begin select raise(abort, 'an invoice is kept'); end;
