-- Keys that outlive the master key they were derived from, sealed under the one in use: one row, `proofs`.
create table kept_keys (
    name text primary key not null,
    sealed text not null
);
