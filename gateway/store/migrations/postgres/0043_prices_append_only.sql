-- What a version of the price book says stays as it is, and so does the order in which versions came into force.

create trigger price_kept before update or delete on price
for each row execute function refuse_change('a published price never changes');

create trigger price_publication_kept before update or delete on price_publication
for each row execute function refuse_change('a publication never changes');
