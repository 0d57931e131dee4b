-- What was written into the audit log stays as it is.

create trigger audit_event_no_update before update on audit_event
begin select raise(abort, 'the audit log is append-only'); end;

create trigger audit_event_no_delete before delete on audit_event
begin select raise(abort, 'the audit log is append-only'); end;
