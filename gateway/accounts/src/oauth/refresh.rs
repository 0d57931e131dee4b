//! What becomes of a presented refresh token. Each is good once; one that comes again is either a client that did not hear
//! the answer, or somebody who should not have it.
use bytespike_store::oauth::token::Family;

/// A client that did not hear the answer asks again within this long.
const RETRY_MS: i64 = 30_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A new pair. The ids are tokens that end with it.
    Rotate { retired: Vec<String> },
    /// The whole family ends.
    Reuse,
    /// Expired or revoked: nothing happens.
    Dead,
}

pub(super) fn judge(family: &Family, now_ms: i64) -> Verdict {
    let Family { token, successor, successor_access } = family;
    match token.state.as_str() {
        "active" if token.expires_at_ms > now_ms => {
            Verdict::Rotate { retired: token.access_id.iter().cloned().collect() }
        }
        "consumed" => {
            let is_fresh = token.consumed_at_ms.is_some_and(|at_ms| now_ms - at_ms <= RETRY_MS);
            let is_unheard = successor.as_ref().is_some_and(|successor| successor.state == "active")
                && successor_access.as_ref().is_none_or(|access| access.first_used_at_ms.is_none());
            if is_fresh && is_unheard {
                let pair = [successor, successor_access].into_iter().flatten();
                Verdict::Rotate { retired: pair.map(|token| token.id.clone()).collect() }
            } else {
                Verdict::Reuse
            }
        }
        _ => Verdict::Dead,
    }
}
