//! Which holds of this process are still being worked on. Their leases are renewed; the others' run out.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The holds that somebody in this process still owns.
#[derive(Clone, Default)]
pub(crate) struct LiveHolds(Arc<Mutex<HashMap<String, usize>>>);

/// Owning one hold; dropping the last clone ends it.
pub(crate) struct LiveHold {
    all: LiveHolds,
    reservation_id: String,
}

impl LiveHolds {
    pub fn enter(&self, reservation_id: &str) -> LiveHold {
        self.with(|live| *live.entry(reservation_id.to_owned()).or_default() += 1);
        LiveHold { all: self.clone(), reservation_id: reservation_id.to_owned() }
    }

    pub fn ids(&self) -> Vec<String> {
        self.with(|live| live.keys().cloned().collect())
    }

    fn leave(&self, reservation_id: &str) {
        self.with(|live| {
            let Some(owners) = live.get_mut(reservation_id) else { return };
            *owners -= 1;
            if *owners == 0 {
                live.remove(reservation_id);
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, usize>) -> T) -> T {
        // A panic cannot leave the map half changed.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clone for LiveHold {
    fn clone(&self) -> Self {
        self.all.enter(&self.reservation_id)
    }
}

impl Drop for LiveHold {
    fn drop(&mut self) {
        self.all.leave(&self.reservation_id);
    }
}

impl std::fmt::Debug for LiveHold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LiveHold")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_lives_until_its_last_owner_drops_it() {
        let live = LiveHolds::default();
        let first = live.enter("a");
        let second = first.clone();
        drop(first);
        assert_eq!(live.ids(), ["a"]);
        drop(second);
        assert!(live.ids().is_empty());
    }
}
