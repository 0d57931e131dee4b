-- For an `in` of more than two values SQLite builds a table of them each time it checks a row, which costs more than
-- writing the row. The same checks as a choice of equals do not. A check is not part of what is stored, so its text
-- may be changed in place; what comes last tells other connections to read the schema anew.
pragma writable_schema = on;

update sqlite_schema set sql = replace(sql,
    'check (state in (''held'', ''settled'', ''released'', ''expired''))',
    'check (state = ''held'' or state = ''settled'' or state = ''released'' or state = ''expired'')')
where type = 'table' and name = 'reservation';

update sqlite_schema set sql = replace(sql,
    'check (kind in (''top_up'', ''grant'', ''settle'', ''breakage'', ''withdrawal''))',
    'check (kind = ''settle'' or kind = ''top_up'' or kind = ''grant'' or kind = ''breakage'' or kind = ''withdrawal'')')
where type = 'table' and name = 'journal_tx';

pragma writable_schema = reset;

create table schema_read_anew (id bigint);
drop table schema_read_anew;
