//! Content measured by class of bytes, from which tokens are estimated.

/// How much of each kind of content there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContentProfile {
    /// Bytes of prose in Latin and every other script that is not Han.
    pub latin_bytes: u64,
    /// Bytes of Han, Kana and Hangul text (three or four per character).
    pub han_bytes: u64,
    /// Bytes of code, JSON and other symbol-heavy text.
    pub code_bytes: u64,
    /// Bytes of base64 carried inside text; files and images are counted apart.
    pub base64_bytes: u64,
}

impl ContentProfile {
    pub fn total_bytes(&self) -> u64 {
        self.latin_bytes + self.han_bytes + self.code_bytes + self.base64_bytes
    }
}
