-- What a media call used, beside its tokens, for statements and exports. Sound in and out are added up.
alter table reservation add column images bigint not null default 0;
alter table reservation add column video_ms bigint not null default 0;
alter table reservation add column audio_ms bigint not null default 0;
alter table reservation add column characters bigint not null default 0;
alter table reservation add column rerank_units bigint not null default 0;
