//! The signed export: what pages show and receipts are recomputed from.
use crate::support::{NOW_MS, book};
use bytespike_catalog::export::{Badge, ExportError, LIFETIME_MS};
use bytespike_catalog::{PriceExport, SignedExport, Unavailable};
use ed25519_dalek::SigningKey;
use std::collections::BTreeSet;

fn export() -> PriceExport {
    let wired = BTreeSet::from(["claude-sonnet-5-5".to_owned(), "sora-2".to_owned()]);
    PriceExport::new(&book().with_version(3), &wired, NOW_MS)
}

#[test]
fn only_what_can_be_called_is_live() {
    let export = export();
    let badge = |id: &str| {
        let row = export.models.iter().find(|row| row.priced.model.id == id).expect("is listed");
        (row.badge, row.reason.clone())
    };
    assert_eq!(badge("claude-sonnet-5-5"), (Badge::Live, None));
    assert_eq!(badge("claude-opus-5"), (Badge::Estimate, Some(Unavailable::NotWired)));
    assert_eq!(badge("sora-2"), (Badge::Estimate, Some(Unavailable::Retired)), "wired or not");
}

#[test]
fn it_travels_as_json_and_becomes_the_same_book() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let json = serde_json::to_string(&export().sign(&key).expect("signs")).expect("writes");
    let read: SignedExport = serde_json::from_str(&json).expect("reads");
    let verified = read.verify(&key.verifying_key()).expect("is genuine");
    assert_eq!(verified, export());
    assert_eq!(verified.book().expect("its hash fits"), book().with_version(3));
    assert!(verified.is_current(NOW_MS + LIFETIME_MS - 1) && !verified.is_current(NOW_MS + LIFETIME_MS));
}

#[test]
fn a_changed_byte_or_another_key_is_noticed() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let json = serde_json::to_string(&export().sign(&key).expect("signs")).expect("writes");
    let forged = json.replacen(r#""usd_pico":2000000"#, r#""usd_pico":2000001"#, 1);
    assert_ne!(forged, json);
    let read: SignedExport = serde_json::from_str(&forged).expect("reads");
    assert!(matches!(read.verify(&key.verifying_key()), Err(ExportError::Signature(_))));
    let genuine: SignedExport = serde_json::from_str(&json).expect("reads");
    let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
    assert!(matches!(genuine.verify(&other), Err(ExportError::Signature(_))));
    let mut wrong = export();
    wrong.models.pop();
    assert!(matches!(wrong.book(), Err(ExportError::Hash)));
}
