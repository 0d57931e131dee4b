//! Sealing anew, under the master key in use, what former ones sealed.
use super::kept::KEPT_KEYS;
use super::keyring::Keyring;
use super::purposes::SealPurpose;
use super::seal::{Place, SealKey};
use bytespike_store::sealed::{self, SealedIn, SealedRow};
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};

const PAGE: i64 = 100;

/// A column of sealed values, each bound to the row of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedColumn {
    pub purpose: SealPurpose,
    pub place: SealedIn,
}

const fn column(
    purpose: SealPurpose,
    table: &'static str,
    id: &'static str,
    column: &'static str,
) -> SealedColumn {
    SealedColumn { purpose, place: SealedIn { table, id, row: id, column } }
}

/// What is sealed for longer than a day.
pub const SEALED_COLUMNS: [SealedColumn; 7] = [
    SealedColumn { purpose: SealPurpose::KeptKeys, place: KEPT_KEYS },
    column(SealPurpose::ChannelSecret, "channel", "id", "credentials_sealed"),
    column(SealPurpose::Totp, "totp", "subject_id", "sealed_secret"),
    column(SealPurpose::WebhookSecret, "webhook_secret", "id", "sealed"),
    column(SealPurpose::Letter, "letter", "id", "sealed"),
    body("request_sealed"),
    body("response_sealed"),
];

/// What a call was asked or answered is bound to its org too.
const fn body(column: &'static str) -> SealedColumn {
    let row = "(select c.org_id || '/' || c.receipt_id from call_body c where c.receipt_id = call_body_text.receipt_id)";
    let place = SealedIn { table: "call_body_text", id: "receipt_id", row, column };
    SealedColumn { purpose: SealPurpose::CallBody, place }
}

/// What is sealed for a day at most, or for an answer that a client may ask for again within minutes: it is gone before a
/// former master key is.
#[cfg(test)]
const SHORT_LIVED: [(&str, &str); 7] = [
    ("data_export_part", "sealed"),
    ("idempotent_call", "answer_sealed"),
    ("identity_transaction", "sealed"),
    ("oauth_key", "sealed_answer"),
    ("operator_session", "kept_sealed"),
    ("passkey_ceremony", "sealed"),
    ("voucher_batch", "codes_sealed"),
];

/// How a column's values are sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// `table.column`
    pub column: String,
    /// Those that the master key in use had sealed before.
    pub current: u64,
    /// Those that a former one had sealed.
    pub former: u64,
    /// Those that no known master key opens.
    pub closed: u64,
}

impl Keyring {
    /// Seals anew whatever a former master key sealed, one value after the other, while processes serve. A value that
    /// changes meanwhile stays as its change left it.
    ///
    /// # Errors
    /// The database fails. What was sealed anew by then stays so.
    pub async fn seal_anew(&self, store: &Store, world: &World) -> sqlx::Result<Vec<Resealed>> {
        self.walk(store, world, true).await
    }

    /// How many values each kind of master key sealed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sealed_by(&self, store: &Store, world: &World) -> sqlx::Result<Vec<Resealed>> {
        self.walk(store, world, false).await
    }

    async fn walk(&self, store: &Store, world: &World, may_write: bool) -> sqlx::Result<Vec<Resealed>> {
        let mut all = Vec::new();
        for SealedColumn { purpose, place } in SEALED_COLUMNS {
            let seal = self.seal(purpose);
            let mut counted =
                Resealed { column: format!("{}.{}", place.table, place.column), ..Resealed::default() };
            let mut last = String::new();
            loop {
                let page = sealed::after(store, place, &last, PAGE).await?;
                let Some(row) = page.last() else { break };
                last.clone_from(&row.id);
                for SealedRow { id, bound_to, sealed: before } in &page {
                    let here = Place { table: place.table, row: bound_to, column: place.column };
                    if let Some(after) = counted.count((&seal, world), here, before).filter(|_| may_write) {
                        sealed::replace(store, place, id, (before, &after)).await?;
                    }
                }
            }
            all.push(counted);
        }
        Ok(all)
    }
}

impl Resealed {
    /// Counts a value, and seals it anew if a former master key sealed it.
    fn count(&mut self, (seal, world): (&SealKey, &World), here: Place<'_>, sealed: &str) -> Option<String> {
        match seal.sealed_anew(world, here, sealed) {
            // It was emptied on purpose: a letter that was sent.
            Err(_) if sealed.is_empty() => None,
            Err(_) => {
                self.closed += 1;
                None
            }
            Ok(None) => {
                self.current += 1;
                None
            }
            Ok(after) => {
                self.former += 1;
                after
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_store::testing::on_each_database;

    #[tokio::test]
    async fn every_sealed_column_is_known() {
        on_each_database(async |store| {
            let long = SEALED_COLUMNS.map(|known| (known.place.table, known.place.column));
            let all = SHORT_LIVED.into_iter().chain(long);
            let mut known: Vec<String> = all.map(|(table, column)| format!("{table}.{column}")).collect();
            known.sort();
            let mut columns = sealed::columns(&store).await.expect("read");
            columns.sort();
            assert_eq!(
                columns, known,
                "is it sealed anew when the master key changes, or gone within a day?"
            );
        })
        .await;
    }
}
