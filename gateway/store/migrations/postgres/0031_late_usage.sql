create trigger late_usage_no_update before update on late_usage
for each row execute function refuse_change('late usage is written once');
