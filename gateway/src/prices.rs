//! The price book in force and its signed export, swapped as one value so that a page, a quote and a charge never disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use bytespike_catalog::diff::Revision;
use bytespike_catalog::export::{ExportError, LIFETIME_MS};
use bytespike_catalog::{PriceBook, PriceExport};
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

/// How many earlier versions are kept signed.
const EARLIER_KEPT: usize = 8;

/// The current prices of this process.
pub struct Prices {
    current: ArcSwap<Published>,
    /// Whoever changes the current value holds this meanwhile.
    changing: Mutex<()>,
    /// Exports of versions that are not in force, signed when they were asked for.
    earlier: Mutex<BTreeMap<i64, Arc<Signed>>>,
    key: SigningKey,
}

/// A price book and the export that shows it.
pub struct Published {
    pub book: Arc<PriceBook>,
    /// Slugs that some channel carries.
    pub wired: Arc<BTreeSet<String>>,
    /// What the last publications changed, newest first.
    pub history: Arc<Vec<Revision>>,
    pub export: PriceExport,
    pub signed: Arc<Signed>,
}

/// A signed export as it is served.
pub struct Signed {
    pub json: Bytes,
    /// Strong, over `json`.
    pub etag: String,
    expires_at_ms: i64,
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
        let first = Shown { book: Arc::new(book), wired: Arc::new(wired), history: Arc::default() }
            .publish(&key, now_ms)?;
        Ok(Self {
            current: ArcSwap::from_pointee(first),
            changing: Mutex::default(),
            earlier: Mutex::default(),
            key,
        })
    }

    /// What is in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Published> {
        self.current.load_full()
    }

    /// Puts another book in force. Calls that run keep the one they were admitted with.
    ///
    /// # Errors
    /// When the export cannot be written; the old one stays.
    pub fn adopt(&self, book: Arc<PriceBook>, now_ms: i64) -> Result<(), ExportError> {
        self.change(now_ms, |current| Shown { book, ..current })
    }

    /// Shows which models can be called after the channels changed.
    ///
    /// # Errors
    /// When the export cannot be written; the old one stays.
    pub fn rewire(&self, wired: BTreeSet<String>, now_ms: i64) -> Result<(), ExportError> {
        self.change(now_ms, |current| Shown { wired: Arc::new(wired), ..current })
    }

    /// Shows how the prices came to be what they are.
    ///
    /// # Errors
    /// When the export cannot be written; the old one stays.
    pub fn tell_history(&self, history: Vec<Revision>, now_ms: i64) -> Result<(), ExportError> {
        self.change(now_ms, |current| Shown { history: Arc::new(history), ..current })
    }

    /// Signs the same book again, so that the export does not grow old.
    ///
    /// # Errors
    /// When the export cannot be written; the old one stays.
    pub fn sign_again(&self, now_ms: i64) -> Result<(), ExportError> {
        self.change(now_ms, |current| current)
    }

    /// The signed export of a book that is not in force.
    ///
    /// # Errors
    /// When the export cannot be written.
    pub fn earlier(&self, book: &PriceBook, now_ms: i64) -> Result<Arc<Signed>, ExportError> {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = earlier.get(&book.version).filter(|signed| now_ms < signed.expires_at_ms) {
            return Ok(signed.clone());
        }
        let signed = Arc::new(Signed::new(&PriceExport::superseded(book, now_ms), &self.key)?);
        if earlier.len() >= EARLIER_KEPT {
            earlier.clear();
        }
        earlier.insert(book.version, signed.clone());
        Ok(signed)
    }

    /// As [`Self::earlier`], if it was asked for lately.
    #[must_use]
    pub fn kept(&self, version: i64, now_ms: i64) -> Option<Arc<Signed>> {
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        earlier.get(&version).filter(|signed| now_ms < signed.expires_at_ms).cloned()
    }

    /// The key that signs exports.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    fn change(&self, now_ms: i64, next: impl FnOnce(Shown) -> Shown) -> Result<(), ExportError> {
        let _only_one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = next(self.current.load().shown());
        self.current.store(Arc::new(shown.publish(&self.key, now_ms)?));
        Ok(())
    }
}

impl Published {
    fn shown(&self) -> Shown {
        Shown { book: self.book.clone(), wired: self.wired.clone(), history: self.history.clone() }
    }
}

/// What an export is made from.
struct Shown {
    book: Arc<PriceBook>,
    wired: Arc<BTreeSet<String>>,
    history: Arc<Vec<Revision>>,
}

impl Shown {
    fn publish(self, key: &SigningKey, now_ms: i64) -> Result<Published, ExportError> {
        let Self { book, wired, history } = self;
        let export = PriceExport::new(&book, &wired, now_ms).with_history(history.to_vec());
        let signed = Arc::new(Signed::new(&export, key)?);
        Ok(Published { book, wired, history, export, signed })
    }
}

impl Signed {
    fn new(export: &PriceExport, key: &SigningKey) -> Result<Self, ExportError> {
        let json = Bytes::from(serde_json::to_vec(&export.sign(key)?)?);
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&json)[..16]));
        // Served until a little before it would be past its lifetime at the reader's.
        Ok(Self { json, etag, expires_at_ms: export.expires_at_ms - LIFETIME_MS / 3 })
    }
}
