-- How much of the traffic that several channels could take a channel gets, as its share of their weights: twice the weight,
-- twice the conversations. With 0 it is asked only when the others fail.
alter table channel add column weight bigint not null default 1 check (weight between 0 and 1000);
-- Words by which operators tell channels apart, as a JSON array. Nothing is routed by them.
alter table channel add column tags_json text not null default '[]';
