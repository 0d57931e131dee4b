//! `bytespike receipt verify`: checks a receipt offline, prints the arithmetic, and says exactly what does not fit.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytespike_catalog::{PriceExport, SignedExport};
use bytespike_gateway::KeySet;
use bytespike_ledger::{Finding, receipt_key_id, recompute, verify_receipt};

use crate::Failure;
use crate::told::say;

/// Ends the command when something does not fit. What cannot be read at all ends it with [`UNREADABLE`].
const WRONG: u8 = 1;
const UNREADABLE: u8 = 2;

/// What to check and against what.
#[derive(clap::Args)]
pub struct Verify {
    /// The receipt as it was served, or `-` to read it from standard input.
    receipt: PathBuf,
    /// The price export of the receipt's version (`GET /v1/prices?version=N`); without it prices are not checked.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// The published keys (`GET /v1/signing-keys`); without them signatures are not checked.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Checks and prints. Exit status 0: everything that was checked fits; 1: something does not; 2: a file cannot be read.
pub fn verify(wanted: &Verify) -> ExitCode {
    let findings = match check(wanted) {
        Ok(findings) => findings,
        Err(error) => {
            crate::cli::complain(&*error);
            return ExitCode::from(UNREADABLE);
        }
    };
    for finding in &findings {
        say(&format!("{} {}", if finding.fits { "fits " } else { "WRONG" }, finding.text));
    }
    for (missing, option, what) in
        [(&wanted.keys, "--keys", "signatures"), (&wanted.prices, "--prices", "prices")]
    {
        if missing.is_none() {
            say(&format!("not checked: {what} (give {option})"));
        }
    }
    let wrong = findings.iter().filter(|finding| !finding.fits).count();
    match wrong {
        0 => say("The receipt fits."),
        wrong => say(&format!("The receipt does not fit: {wrong} of {} checks failed.", findings.len())),
    }
    ExitCode::from(if wrong == 0 { 0 } else { WRONG })
}

fn check(wanted: &Verify) -> Result<Vec<Finding>, Failure> {
    let receipt = read(&wanted.receipt)?;
    // Editors and shells end a file with a line break that was never signed.
    let receipt = receipt.trim_end();
    let keys: Option<KeySet> = wanted.keys.as_deref().map(|path| parse(path, "a set of keys")).transpose()?;
    let prices: Option<SignedExport> =
        wanted.prices.as_deref().map(|path| parse(path, "a price export")).transpose()?;
    let mut findings = Vec::new();
    if let Some(keys) = &keys {
        findings.push(receipt_signature(receipt, keys));
    }
    let export = match (&prices, &keys) {
        (Some(signed), Some(keys)) => {
            let (finding, export) = price_signature(signed, keys)?;
            findings.push(finding);
            Some(export)
        }
        (Some(signed), None) => Some(signed.unverified()?),
        (None, _) => None,
    };
    findings.extend(recompute(receipt, export.as_ref())?);
    Ok(findings)
}

fn receipt_signature(receipt: &str, keys: &KeySet) -> Finding {
    let Some(key_id) = receipt_key_id(receipt) else {
        let text = "signature of the receipt: there is none where one is written; save the answer byte for byte, \
                    because reformatted JSON is not what was signed";
        return Finding { fits: false, text: text.to_owned() };
    };
    match keys.find(&key_id, "receipt") {
        None => unknown_key("receipt", &key_id),
        Some(key) => signature("receipt", &key_id, verify_receipt(receipt, &key) == Some(true)),
    }
}

/// The content is used even when its signature is wrong, so that every fault is named at once.
fn price_signature(signed: &SignedExport, keys: &KeySet) -> Result<(Finding, PriceExport), Failure> {
    let key_id = signed.key_id();
    let finding = match keys.find(key_id, "price_export") {
        None => unknown_key("prices", key_id),
        Some(key) => signature("prices", key_id, signed.verify(&key).is_ok()),
    };
    Ok((finding, signed.unverified()?))
}

fn signature(of: &str, key_id: &str, fits: bool) -> Finding {
    let text = match fits {
        true => format!("signature of the {of}: made with {key_id}"),
        false => format!("signature of the {of}: not made with {key_id} over this content"),
    };
    Finding { fits, text }
}

fn unknown_key(of: &str, key_id: &str) -> Finding {
    Finding {
        fits: false,
        text: format!("signature of the {of}: key {key_id} is not among the published keys"),
    }
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let text = read(path)?;
    serde_json::from_str(&text).map_err(|error| format!("{} is not {what}: {error}", path.display()).into())
}

fn read(path: &Path) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(cannot)?;
    } else {
        text = std::fs::read_to_string(path).map_err(cannot)?;
    }
    Ok(text)
}
