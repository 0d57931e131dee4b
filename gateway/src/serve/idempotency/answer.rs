//! An answer that is kept for its Idempotency-Key: its headers and its bytes, sealed for the row they lie in.

use bytes::Bytes;
use bytespike_accounts::secrets::{Place, SealKey};
use bytespike_store::world::World;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The longest answer that is kept.
pub const LONGEST_BYTES: usize = 1 << 20;
/// What was true of the moment only: limits and balances as they were, and how long it took.
const OF_THE_MOMENT: [&str; 6] = [
    "server-timing",
    "x-org-quota-remaining-credits",
    "x-quota-remaining-credits",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// `None` when the answer is too long to be kept.
#[must_use]
pub fn seal((key, world): (&SealKey, &World), row: &str, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if body.len() > LONGEST_BYTES {
        return None;
    }
    let kept: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let mut plain = serde_json::to_vec(&kept).ok()?;
    plain.push(b'\n');
    plain.extend_from_slice(body);
    Some(key.seal(world, place(row), &plain))
}

/// `None` when it does not open: sealed under another key or for another row, or damaged.
#[must_use]
pub fn open(key: &SealKey, row: &str, sealed: &str) -> Option<(HeaderMap, Bytes)> {
    let plain = key.open(place(row), sealed).ok()?;
    // JSON on one line has no line feed in it.
    let at = plain.iter().position(|byte| *byte == b'\n')?;
    let kept: Vec<(String, String)> = serde_json::from_slice(plain.get(..at)?).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in kept {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    Some((headers, Bytes::copy_from_slice(plain.get(at + 1..)?)))
}

fn place(row: &str) -> Place<'_> {
    Place { table: "idempotent_call", row, column: "answer_sealed" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_accounts::secrets::{MasterKey, SealPurpose};

    #[test]
    fn an_answer_comes_back_byte_for_byte_and_only_in_its_row() {
        let (world, _) = World::manual(0, 1);
        let key = MasterKey::from_bytes(std::array::from_fn(|n| u8::try_from(n * 7).unwrap_or(0)))
            .expect("a key")
            .seal(SealPurpose::IdempotentAnswer);
        let mut headers = HeaderMap::new();
        headers.insert("x-receipt-id", HeaderValue::from_static("rcp_1"));
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("7.000"));
        let body = b"{\"text\":\"line\\n\"}\nmore\n";
        let sealed = seal((&key, &world), "row", &headers, body).expect("short");
        assert!(!sealed.contains("rcp_1"));
        let (opened, bytes) = open(&key, "row", &sealed).expect("opens");
        assert_eq!(&bytes[..], body);
        assert_eq!(opened.len(), 1, "what was true of the moment is left out");
        assert!(open(&key, "another row", &sealed).is_none());
        assert!(seal((&key, &world), "row", &headers, &vec![b'a'; LONGEST_BYTES]).is_some());
        assert!(seal((&key, &world), "row", &headers, &vec![b'a'; LONGEST_BYTES + 1]).is_none());
    }
}
