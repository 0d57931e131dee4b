-- Rows of calls that cost nothing go with their receipts, 30 days after they ended. What was charged, and what is still
-- held, is kept.
drop trigger reservation_kept on reservation;
create trigger reservation_kept before delete on reservation
for each row when (old.state in ('settled', 'held'))
execute function refuse_change('a reservation that was charged or is open is kept');
