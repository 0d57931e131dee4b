-- The journal knows debits.
alter table journal_tx drop constraint journal_tx_kind_check;
alter table journal_tx add constraint journal_tx_kind_check
    check (kind in ('top_up', 'grant', 'settle', 'breakage', 'withdrawal', 'debit'));
