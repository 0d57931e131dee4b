//! The numbers that move when something changes that running processes keep in memory. Writers bump them inside their
//! own transaction.
use crate::{Store, on_database};

/// How many changes of each kind there have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Publications of price books.
    pub prices: i64,
    pub channels: i64,
    /// Additions to what is known about estimates.
    pub estimates: i64,
    pub announcements: i64,
    pub switches: i64,
}

/// How many changes of rights there have been.
pub async fn rights(store: &Store) -> sqlx::Result<i64> {
    let (changes,): (i64,) = on_database!(read store, db => sqlx::query_as(
        "select changes from change_counter where name = 'rights'").fetch_one(db).await)?;
    Ok(changes)
}

/// How many changes of what operators set there have been.
pub async fn settings(store: &Store) -> sqlx::Result<Settings> {
    let rows: Vec<(String, i64)> = on_database!(read store, db => sqlx::query_as(
        "select name, changes from change_counter").fetch_all(db).await)?;
    let of = |name: &str| rows.iter().find(|(one, _)| one == name).map_or(0, |(_, changes)| *changes);
    Ok(Settings {
        prices: of("prices"),
        channels: of("channels"),
        estimates: of("estimates"),
        announcements: of("announcements"),
        switches: of("switches"),
    })
}
