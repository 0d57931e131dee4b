-- The journal knows debits. A check is not part of what is stored, so its text may be changed in place; what comes last tells
-- other connections to read the schema anew.
pragma writable_schema = on;

update sqlite_schema set sql = replace(sql,
    'or kind = ''breakage'' or kind = ''withdrawal'')',
    'or kind = ''breakage'' or kind = ''withdrawal'' or kind = ''debit'')')
where type = 'table' and name = 'journal_tx';

pragma writable_schema = reset;

create table schema_read_anew (id bigint);
drop table schema_read_anew;
