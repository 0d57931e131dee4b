create trigger claim_kept before update or delete on claim
for each row execute function refuse_change('a claim never changes');
