create trigger invoice_kept before update or delete on invoice
for each row execute function refuse_change('an invoice never changes');
