//! Every price book that was ever in force, by version, and the order in which they came into force.
mod rows;

use bytespike_catalog::diff::{Revision, diff};
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{Overrides, PriceBook};
use bytespike_store::audit_event::{Appends as _, Entry};
use bytespike_store::{Store, on_database};
use std::sync::Arc;

/// A book to put in force.
#[derive(Clone, Debug)]
pub struct Draft {
    pub book: PriceBook,
    /// What it was made with, so that the next start makes the same.
    pub overrides: Overrides,
    /// Who publishes it and why, in words for the history.
    pub note: String,
    /// Exchange rates seen so far; kept beside the one the book uses.
    pub observed: Vec<FxRate>,
}

/// A book that was put in force.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Publication {
    /// Counts up; the highest is in force.
    pub seq: i64,
    pub version: i64,
    pub at_ms: i64,
    pub note: String,
    pub hash: String,
}

/// What is in force.
#[derive(Clone, Debug)]
pub struct InForce {
    pub publication: Publication,
    pub overrides: Overrides,
    pub book: Arc<PriceBook>,
}

/// Why a book was not published, or not read.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Book(#[from] bytespike_catalog::book::BookError),
    #[error("publication {0} does not say what it was made with")]
    Overrides(i64),
    #[error("exchange rate `{0}` is known with another value; date the chosen one otherwise")]
    Rate(String),
    #[error(
        "the rows of price book version {0} are not those of its body; the database was changed by hand: restore it"
    )]
    Rows(i64),
    #[error("several processes published at the same time; publish again")]
    Crowded,
}

/// How often a publication is tried that another process was quicker with.
const TRIES: usize = 8;

/// Puts a book in force, in one transaction, and answers with its version: the one this content has had before, or the
/// next one. Publishing what is in force changes nothing. With an entry somebody decided it: what operators had not
/// published yet is settled by it, and the entry tells of it.
pub(crate) async fn publish(
    store: &Store,
    draft: &Draft,
    (now_ms, entry): (i64, Option<&Entry>),
) -> Result<i64, BooksError> {
    known_rates(store, draft).await?;
    for _ in 0..TRIES {
        if let Some(version) = try_publish(store, draft, (now_ms, entry)).await? {
            return Ok(version);
        }
    }
    Err(BooksError::Crowded)
}

/// A rate that is known by the same name has the same value.
async fn known_rates(store: &Store, draft: &Draft) -> Result<(), BooksError> {
    let known: Vec<(String, i64)> = on_database!(read store, db => sqlx::query_as(
        "select id, usd_cny_micro from fx_rate").fetch_all(db).await)?;
    let used = &draft.book.content.fx;
    let other = known.iter().any(|(id, micro)| *id == used.id && *micro != used.usd_cny_micro);
    if other { Err(BooksError::Rate(used.id.clone())) } else { Ok(()) }
}

/// `None` when another process took the version or the place in the history meanwhile.
async fn try_publish(
    store: &Store,
    draft: &Draft,
    (now_ms, entry): (i64, Option<&Entry>),
) -> sqlx::Result<Option<i64>> {
    let (hash, body) = (&draft.book.hash, draft.book.content_json());
    let overrides = serde_json::to_string(&draft.overrides).unwrap_or_default();
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into price_book (version, hash, published_at_ms, body_json)
             select coalesce(max(version), 0) + 1, $1, $2, $3 from price_book where true
             on conflict do nothing")
            .bind(hash).bind(now_ms).bind(&body).execute(&mut *tx).await?;
        let version: Option<i64> = sqlx::query_scalar("select version from price_book where hash = $1")
            .bind(hash).fetch_optional(&mut *tx).await?;
        let Some(version) = version else { return Ok(None) };
        let written: i64 = sqlx::query_scalar("select count(*) from price where version = $1")
            .bind(version).fetch_one(&mut *tx).await?;
        if written == 0 {
            for row in rows::prices(&draft.book) {
                rows::insert_price!(tx, version, row);
            }
            rows::insert_schedule!(tx, version, &draft.book.content.peak_hours);
        }
        for rate in draft.observed.iter().chain([&draft.book.content.fx]) {
            sqlx::query(
                "insert into fx_rate (id, day, usd_cny_micro, source) values ($1, $2, $3, $4) on conflict do nothing")
                .bind(&rate.id).bind(&rate.date).bind(rate.usd_cny_micro).bind(&rate.source)
                .execute(&mut *tx).await?;
        }
        let newest: Option<(i64, i64, String)> = sqlx::query_as(
            "select seq, version, overrides_json from price_publication order by seq desc limit 1")
            .fetch_optional(&mut *tx).await?;
        if newest.as_ref().is_some_and(|(_, current, with)| *current == version && *with == overrides) {
            tx.commit().await?;
            return Ok(Some(version));
        }
        let added = sqlx::query(
            "insert into price_publication (seq, version, at_ms, note, overrides_json) values ($1, $2, $3, $4, $5)
             on conflict do nothing")
            .bind(newest.map_or(1, |(seq, ..)| seq + 1)).bind(version).bind(now_ms).bind(&draft.note).bind(&overrides)
            .execute(&mut *tx).await?;
        if added.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'prices'").execute(&mut *tx).await?;
        if let Some(entry) = entry {
            sqlx::query("delete from price_draft").execute(&mut *tx).await?;
            tx.append(&entry.about(&version.to_string())).await?;
        }
        tx.commit().await?;
        Ok(Some(version))
    })
}

/// The newest publication with its book; `None` before the first.
pub(crate) async fn in_force(store: &Store) -> Result<Option<InForce>, BooksError> {
    let Some(publication) = history(store, 1).await?.into_iter().next() else { return Ok(None) };
    let overrides: String = on_database!(read store, db => sqlx::query_scalar(
        "select overrides_json from price_publication where seq = $1")
        .bind(publication.seq).fetch_one(db).await)?;
    let overrides = serde_json::from_str(&overrides).map_err(|_| BooksError::Overrides(publication.seq))?;
    let book = load(store, publication.version).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Some(InForce { publication, overrides, book: Arc::new(book) }))
}

/// The book of a version, its hash and its rows checked.
pub(crate) async fn load(store: &Store, version: i64) -> Result<Option<PriceBook>, BooksError> {
    let found: Option<(String, String)> = on_database!(read store, db => sqlx::query_as(
        "select hash, body_json from price_book where version = $1")
        .bind(version).fetch_optional(db).await)?;
    let Some((hash, body)) = found else { return Ok(None) };
    let book = PriceBook::from_stored(version, &hash, &body)?;
    // A version from before there were rows has none until it is published again.
    let stored = stored_rows(store, version).await?;
    if !stored.is_empty() && stored != rows::prices(&book) {
        return Err(BooksError::Rows(version));
    }
    Ok(Some(book))
}

/// In the order of the book, whatever the database's own order of texts is.
async fn stored_rows(store: &Store, version: i64) -> sqlx::Result<Vec<rows::PriceRow>> {
    let mut stored: Vec<rows::PriceRow> = on_database!(read store, db => sqlx::query_as(
        "select model, seq, component, unit, usd_pico, currency, region, list_pico, input_tokens_above,
                input_tokens_upto, sizes, quality, with_audio, with_video_input, schedule_side, effective_from_ms,
                effective_to_ms, source, source_date, verification
         from price where version = $1")
        .bind(version).fetch_all(db).await)?;
    stored.sort_by(|a, b| (&a.model, a.seq).cmp(&(&b.model, b.seq)));
    Ok(stored)
}

/// What came into force, newest first.
pub(crate) async fn history(store: &Store, limit: u32) -> sqlx::Result<Vec<Publication>> {
    on_database!(read store, db => sqlx::query_as(
        "select p.seq, p.version, p.at_ms, p.note, b.hash
         from price_publication p join price_book b on b.version = p.version order by p.seq desc limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// What the last publications changed, newest first; of the very first one there is nothing to compare.
pub(crate) async fn revisions(store: &Store, limit: u32) -> Result<Vec<Revision>, BooksError> {
    let publications = history(store, limit.saturating_add(1)).await?;
    let mut revisions = Vec::new();
    let mut before: Option<PriceBook> = None;
    for publication in publications.iter().rev() {
        let book = load(store, publication.version).await?.ok_or(sqlx::Error::RowNotFound)?;
        let changes = before.as_ref().map(|before| diff(before, &book));
        revisions.push(Revision { version: publication.version, at_ms: publication.at_ms, changes });
        before = Some(book);
    }
    // One more was read than is shown, to compare with.
    revisions.reverse();
    revisions.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(revisions)
}

/// The newest exchange rate that was seen.
pub(crate) async fn newest_rate(store: &Store) -> sqlx::Result<Option<FxRate>> {
    let found: Option<(String, String, i64, String)> = on_database!(read store, db => sqlx::query_as(
        "select id, day, usd_cny_micro, source from fx_rate order by day desc, id desc limit 1")
        .fetch_optional(db).await)?;
    Ok(found.map(|(id, date, usd_cny_micro, source)| FxRate { id, date, usd_cny_micro, source }))
}
