//! The price book in force and its signed export, swapped as one value so that a page, a quote and a charge never disagree.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use bytespike_catalog::export::ExportError;
use bytespike_catalog::{PriceBook, PriceExport};
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

/// The current prices of this process.
pub struct Prices {
    current: ArcSwap<Published>,
    /// Slugs that some channel carries.
    wired: BTreeSet<String>,
    key: SigningKey,
}

/// A price book and the export that shows it.
pub struct Published {
    pub book: Arc<PriceBook>,
    pub export: PriceExport,
    /// The signed export as it is served.
    pub json: Bytes,
    /// Strong, over `json`.
    pub etag: String,
}

impl Prices {
    /// # Errors
    /// When the export cannot be written.
    pub fn new(
        book: PriceBook,
        wired: BTreeSet<String>,
        key: SigningKey,
        now_ms: i64,
    ) -> Result<Self, ExportError> {
        let first = publish(Arc::new(book), &wired, &key, now_ms)?;
        Ok(Self { current: ArcSwap::from_pointee(first), wired, key })
    }

    /// What is in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Published> {
        self.current.load_full()
    }

    /// Puts another book in force.
    ///
    /// # Errors
    /// When the export cannot be written; the old one stays.
    pub fn publish(&self, book: PriceBook, now_ms: i64) -> Result<(), ExportError> {
        self.current.store(Arc::new(publish(Arc::new(book), &self.wired, &self.key, now_ms)?));
        Ok(())
    }

    /// Signs the same book again, so that the export does not grow old.
    ///
    /// # Errors
    /// When the export cannot be written; the old one stays.
    pub fn sign_again(&self, now_ms: i64) -> Result<(), ExportError> {
        let book = self.current().book.clone();
        self.current.store(Arc::new(publish(book, &self.wired, &self.key, now_ms)?));
        Ok(())
    }

    /// The key that signs exports and receipts.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }
}

fn publish(
    book: Arc<PriceBook>,
    wired: &BTreeSet<String>,
    key: &SigningKey,
    now_ms: i64,
) -> Result<Published, ExportError> {
    let export = PriceExport::new(&book, wired, now_ms);
    let json = Bytes::from(serde_json::to_vec(&export.sign(key)?)?);
    let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&json)[..16]));
    Ok(Published { book, export, json, etag })
}
