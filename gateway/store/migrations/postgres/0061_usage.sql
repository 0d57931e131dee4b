-- Numbers calls that were resolved before they had one, and keeps closed statements as they are.

drop trigger reservation_resolved_once on reservation;
update reservation set resolved_seq = numbered.seq
from (select id, row_number() over (partition by org_id order by resolved_at_ms, id) as seq
      from reservation where state <> 'held') as numbered
where reservation.id = numbered.id;
create trigger reservation_resolved_once before update on reservation
for each row when (old.state <> 'held') execute function refuse_change('a resolved reservation never changes');

update wallet set resolved_seq = (select count(*) from reservation
    where reservation.org_id = wallet.org_id and state <> 'held');

create trigger statement_append_only before update or delete on statement
for each row execute function refuse_change('a closed statement never changes');

-- Counters that change with every call keep their page half empty, so that an update stays on it (HOT).
alter table usage_quarter set (fillfactor = 70);
