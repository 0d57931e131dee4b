create trigger claim_no_update before update on claim
begin select raise(abort, 'a claim never changes'); end;

create trigger claim_no_delete before delete on claim
begin select raise(abort, 'a claim is kept'); end;
