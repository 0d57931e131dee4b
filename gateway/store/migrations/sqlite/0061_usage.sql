-- Numbers calls that were resolved before they had one, and keeps closed statements as they are.

drop trigger reservation_resolved_once;
update reservation set resolved_seq = numbered.seq
from (select id, row_number() over (partition by org_id order by resolved_at_ms, id) as seq
      from reservation where state <> 'held') as numbered
where reservation.id = numbered.id;
create trigger reservation_resolved_once before update on reservation when old.state <> 'held'
begin select raise(abort, 'a resolved reservation never changes'); end;

update wallet set resolved_seq = (select count(*) from reservation
    where reservation.org_id = wallet.org_id and state <> 'held');

create trigger statement_no_update before update on statement
begin select raise(abort, 'a closed statement never changes'); end;

create trigger statement_no_delete before delete on statement
begin select raise(abort, 'a closed statement is kept'); end;
