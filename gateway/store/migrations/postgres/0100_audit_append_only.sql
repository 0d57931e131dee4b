-- What was written into the audit log stays as it is.

create trigger audit_event_append_only before update or delete on audit_event
for each row execute function refuse_change('the audit log is append-only');
