//! The price export: the whole price book as signed JSON, from which pages are built and receipts are recomputed.
use crate::book::{BookContent, BookError, Markup, PriceBook, PricedModel, Unavailable};
use crate::diff::Revision;
use crate::fx::FxRate;
use crate::model::Provider;
use crate::schedule::PeakHours;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long an export may be relied on. It is signed anew every minute.
pub const LIFETIME_MS: i64 = 15 * 60_000;

/// Every model with its price, and whether it can be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceExport {
    /// `price_export`.
    pub object: String,
    pub version: i64,
    pub hash: String,
    pub exported_at_ms: i64,
    pub expires_at_ms: i64,
    pub fx: FxRate,
    pub markup: Markup,
    /// When it is peak, for prices that depend on it.
    pub peak_hours: Arc<PeakHours>,
    pub providers: Vec<Provider>,
    pub models: Vec<ExportedModel>,
    /// What the last publications changed, newest first. Not part of what the hash covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Revision>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedModel {
    pub badge: Badge,
    /// Why it is an estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Unavailable>,
    #[serde(flatten)]
    pub priced: PricedModel,
}

/// Whether the price is what a call costs now, or an estimate because no call can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Badge {
    Live,
    Estimate,
}

/// An export with the signature over exactly the bytes of its `export`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedExport {
    export: Box<RawValue>,
    signature: ExportSignature,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ExportSignature {
    /// `ed25519`.
    algorithm: String,
    key_id: String,
    /// Base64.
    value: String,
}

/// Why an export is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("the price export is not JSON of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the price export's signature does not fit key {0}")]
    Signature(String),
    #[error("the price export expired at {0} ms since 1970")]
    Expired(i64),
    #[error("the price export's content does not have the hash it names")]
    Hash,
    #[error(transparent)]
    Book(#[from] BookError),
}

impl PriceExport {
    /// `wired` holds the ids of the models that some channel serves.
    pub fn new(book: &PriceBook, wired: &BTreeSet<String>, now_ms: i64) -> Self {
        Self::of(book, now_ms, |model| match wired.contains(&model.model.id) {
            true => model.sellable(now_ms),
            false => model.sellable(now_ms).and(Err(Unavailable::NotWired)),
        })
    }

    /// A version that is not in force any more (or not here): receipts that name it are recomputed from this.
    pub fn superseded(book: &PriceBook, now_ms: i64) -> Self {
        Self::of(book, now_ms, |_| Err(Unavailable::Superseded))
    }

    fn of(book: &PriceBook, now_ms: i64, callable: impl Fn(&PricedModel) -> Result<(), Unavailable>) -> Self {
        let models = book.models().map(|model| ExportedModel::new(model, callable(model))).collect();
        Self {
            object: "price_export".to_owned(),
            version: book.version,
            hash: book.hash.clone(),
            exported_at_ms: now_ms,
            expires_at_ms: now_ms + LIFETIME_MS,
            fx: book.content.fx.clone(),
            markup: book.content.markup,
            peak_hours: book.content.peak_hours.clone(),
            providers: book.content.providers.clone(),
            models,
            history: Vec::new(),
        }
    }

    /// The same with what the last publications changed.
    #[must_use]
    pub fn with_history(self, history: Vec<Revision>) -> Self {
        Self { history, ..self }
    }

    pub fn sign(&self, key: &SigningKey) -> Result<SignedExport, ExportError> {
        let json = serde_json::to_string(self)?;
        let signature = ExportSignature {
            algorithm: "ed25519".to_owned(),
            key_id: key_id(&key.verifying_key()),
            value: BASE64.encode(key.sign(json.as_bytes()).to_bytes()),
        };
        Ok(SignedExport { export: RawValue::from_string(json)?, signature })
    }

    /// The price book it was made from, its hash checked.
    pub fn book(&self) -> Result<PriceBook, ExportError> {
        let models: BTreeMap<String, PricedModel> =
            self.models.iter().map(|model| (model.priced.model.id.clone(), model.priced.clone())).collect();
        let (fx, providers, peak_hours) = (self.fx.clone(), self.providers.clone(), self.peak_hours.clone());
        let content = BookContent { fx, markup: self.markup, peak_hours, providers, models };
        let book = PriceBook::from_content(content)?;
        if book.hash == self.hash { Ok(book.with_version(self.version)) } else { Err(ExportError::Hash) }
    }

    pub fn is_current(&self, now_ms: i64) -> bool {
        now_ms < self.expires_at_ms
    }
}

impl ExportedModel {
    fn new(model: &PricedModel, callable: Result<(), Unavailable>) -> Self {
        let badge = if callable.is_ok() { Badge::Live } else { Badge::Estimate };
        Self { badge, reason: callable.err(), priced: model.clone() }
    }
}

impl SignedExport {
    /// Names the key that is said to have signed it.
    pub fn key_id(&self) -> &str {
        &self.signature.key_id
    }

    /// The export whoever signed it, for a reader that only wants to calculate with it.
    pub fn unverified(&self) -> Result<PriceExport, ExportError> {
        let mut export: PriceExport = serde_json::from_str(self.export.get())?;
        for model in &mut export.models {
            model.priced.peak_hours = export.peak_hours.clone();
        }
        Ok(export)
    }

    /// The export, if the key made the signature. Whether it is still current is [`PriceExport::is_current`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<PriceExport, ExportError> {
        let wrong = || ExportError::Signature(self.signature.key_id.clone());
        let bytes = BASE64.decode(&self.signature.value).map_err(|_| wrong())?;
        let signature = Signature::from_slice(&bytes).map_err(|_| wrong())?;
        key.verify_strict(self.export.get().as_bytes(), &signature).map_err(|_| wrong())?;
        self.unverified()
    }
}

/// Names a public key: `ed25519-` and the first eight bytes of its SHA-256 in hex.
pub fn key_id(key: &VerifyingKey) -> String {
    let digest = Sha256::digest(key.as_bytes());
    format!("ed25519-{}", hex::encode(&digest[..8]))
}
