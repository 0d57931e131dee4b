-- What a version of the price book says stays as it is, and so does the order in which versions came into force.

create trigger price_no_update before update on price
begin select raise(abort, 'a published price never changes'); end;

create trigger price_no_delete before delete on price
begin select raise(abort, 'a published price is kept'); end;

create trigger price_publication_no_update before update on price_publication
begin select raise(abort, 'a publication never changes'); end;

create trigger price_publication_no_delete before delete on price_publication
begin select raise(abort, 'a publication is kept'); end;
