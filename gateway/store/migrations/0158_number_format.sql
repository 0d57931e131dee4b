-- How somebody wants numbers written: as their language does, or with marks that they chose.
alter table person add column number_format text not null default 'language'
    check (number_format in ('language', 'comma_point', 'point_comma', 'space_comma'));
