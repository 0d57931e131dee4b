//! Passwords that were leaked and are tried first, as sorted five-byte beginnings of their SHA-256.
//! data/README.md says where the list comes from; a stranger's password matches by chance once in three million.
use sha2::{Digest as _, Sha256};

const PREFIX_BYTES: usize = 5;
static LEAKED: &[u8] = include_bytes!("../../data/leaked-passwords.bin");

/// Whether `folded`, a password in lower case, is on the list.
pub fn contains(folded: &str) -> bool {
    let digest = Sha256::digest(folded.as_bytes());
    let (prefixes, _) = LEAKED.as_chunks::<PREFIX_BYTES>();
    prefixes.binary_search_by(|prefix| prefix.as_slice().cmp(&digest[..PREFIX_BYTES])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s43_the_list_is_sorted_whole_and_large() {
        let (prefixes, rest) = LEAKED.as_chunks::<PREFIX_BYTES>();
        assert!(rest.is_empty());
        assert!(prefixes.is_sorted());
        assert!(prefixes.len() > 300_000, "only {} entries", prefixes.len());
    }
}
