create trigger late_usage_no_update before update on late_usage
begin select raise(abort, 'late usage is written once'); end;
