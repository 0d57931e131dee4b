//! Reasoning signatures the gateway mints: tagged with their origin, authenticated, opaque to clients.

/// Seals and opens reasoning signatures for one organisation.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
    scope: String,
}

impl Seal {
    /// `key` is used for nothing else; a signature opens only under the same `scope`.
    pub fn new(key: [u8; 32], scope: impl Into<String>) -> Self {
        Self { key, scope: scope.into() }
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Seal").field("scope", &self.scope).finish_non_exhaustive()
    }
}
