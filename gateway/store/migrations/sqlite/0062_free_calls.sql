-- Rows of calls that cost nothing go with their receipts, 30 days after they ended. What was charged, and what is still
-- held, is kept.
drop trigger reservation_kept;
create trigger reservation_kept before delete on reservation when old.state = 'settled' or old.state = 'held'
begin select raise(abort, 'a reservation that was charged or is open is kept'); end;
