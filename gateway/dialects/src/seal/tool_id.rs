//! Tool-call ids that every dialect takes, by one reversible mapping that keeps no state.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::hex;

/// Marks an id that was escaped.
const ESCAPED: &str = "gwt_";
/// Marks an id too long to escape; it cannot be turned back.
const HASHED: &str = "gwt_long_";
const LENGTH_MAX: usize = 64;

/// The id as a client gets it: unchanged if it fits `^[a-zA-Z0-9_-]{1,64}$`, escaped otherwise.
pub(crate) fn for_client(upstream_id: &str) -> Cow<'_, str> {
    if fits(upstream_id) && !upstream_id.starts_with(ESCAPED) {
        Cow::Borrowed(upstream_id)
    } else {
        Cow::Owned(escape(upstream_id))
    }
}

/// The id for Anthropic: whatever already fits stays, also what we escaped earlier.
pub(crate) fn for_anthropic(client_id: &str) -> Cow<'_, str> {
    if fits(client_id) { Cow::Borrowed(client_id) } else { Cow::Owned(escape(client_id)) }
}

/// The id the provider minted, from the one the client got.
pub(crate) fn for_origin(client_id: &str) -> Cow<'_, str> {
    client_id.strip_prefix(ESCAPED).and_then(unescape).map_or(Cow::Borrowed(client_id), Cow::Owned)
}

/// An id for a call that came without one.
pub(crate) fn minted(seed: &[u8; 16], ordinal: usize) -> String {
    let digest = Sha256::new()
        .chain_update(b"tool id")
        .chain_update(seed)
        .chain_update(ordinal.to_be_bytes())
        .finalize();
    format!("call_{}", &hex(&digest)[..24])
}

fn fits(id: &str) -> bool {
    (1..=LENGTH_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn escape(id: &str) -> String {
    let mut escaped = String::from(ESCAPED);
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("_{byte:02x}"));
        }
    }
    if escaped.len() <= LENGTH_MAX {
        return escaped;
    }
    format!("{HASHED}{}", &hex(&Sha256::digest(id.as_bytes()))[..32])
}

fn unescape(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(first) = rest.bytes().next() {
        if first == b'_' {
            bytes.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
            rest = rest.get(3..)?;
        } else {
            bytes.push(first);
            rest = rest.get(1..)?;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn v37_an_id_outside_the_alphabet_comes_back_unchanged() {
        let shown = for_client("functions.Bash:0");
        assert_eq!(shown, "gwt_functions_2eBash_3a0");
        assert_eq!(for_origin(&shown), "functions.Bash:0");
        assert_eq!(for_anthropic(&shown), shown);
        assert_eq!(for_client("toolu_01A-b"), "toolu_01A-b");
    }

    proptest! {
        #[test]
        fn ids_fit_and_turn_back(id in "\\PC{0,40}") {
            let shown = for_client(&id).into_owned();
            prop_assert!(fits(&shown));
            prop_assert_eq!(for_anthropic(&shown), shown.as_str());
            if !shown.starts_with(HASHED) {
                prop_assert_eq!(for_origin(&shown), id);
            }
        }

        #[test]
        fn different_ids_stay_different(a in "[a-c_.g:wt-]{0,8}", b in "[a-c_.g:wt-]{0,8}") {
            prop_assume!(a != b);
            prop_assert_ne!(for_client(&a), for_client(&b));
        }
    }
}
