//! Makes data/leaked-passwords.bin: reads passwords from standard input, one a line, and writes the sorted five-byte
//! beginnings of their SHA-256 to standard output. Only those long enough to be allowed anywhere are kept.
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Write as _};
use unicode_normalization::UnicodeNormalization as _;

/// The shortest password that could ever be accepted, with a second factor.
const LEAST_CHARACTERS: usize = 8;

fn main() -> io::Result<()> {
    let mut prefixes = BTreeSet::new();
    for line in io::stdin().lock().lines() {
        let folded = line?.nfkc().collect::<String>().to_lowercase();
        if folded.chars().count() >= LEAST_CHARACTERS {
            prefixes.insert(Sha256::digest(folded.as_bytes())[..5].to_vec());
        }
    }
    io::stdout().lock().write_all(&prefixes.into_iter().flatten().collect::<Vec<u8>>())
}
