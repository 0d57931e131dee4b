-- The ledger's writer puts parents and children into one transaction, parents first, and nothing ever deletes a parent.
-- So the parents say that themselves, and their children are spared a look-up for each row and reference.

create trigger wallet_kept before delete on wallet
for each row execute function refuse_change('a wallet is kept');

create trigger lot_kept before delete on lot
for each row execute function refuse_change('a lot is kept');

create trigger reservation_kept before delete on reservation
for each row execute function refuse_change('a reservation is kept');

alter table reservation drop constraint reservation_org_id_fkey;
alter table reservation_lot drop constraint reservation_lot_reservation_id_fkey;
alter table reservation_lot drop constraint reservation_lot_lot_id_fkey;
alter table journal_tx drop constraint journal_tx_org_id_fkey;
alter table journal_entry drop constraint journal_entry_tx_id_fkey;
alter table journal_entry drop constraint journal_entry_lot_id_fkey;
alter table upstream_attempt drop constraint upstream_attempt_reservation_id_fkey;
alter table receipt drop constraint receipt_id_fkey;

-- A receipt is about two kilobytes: it stays in its row instead of being compressed on the way in.
alter table receipt set (toast_tuple_target = 8160);
