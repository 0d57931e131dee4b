//! A ledger in trouble: for as long as it is said, every transaction fails in one way at one moment.
use bytespike_ledger::{Fault, Faults, Moment};
use std::sync::{Mutex, PoisonError};

#[derive(Default)]
pub struct Trouble(Mutex<Option<(Moment, Fault)>>);

/// Every way in which a commit can go wrong: refused and rolled back, in another's way, silent before or after.
pub const TROUBLES: [(Moment, Fault); 6] = [
    (Moment::Begin, Fault::Refuse),
    (Moment::Stored, Fault::Refuse),
    (Moment::Loaded, Fault::Collide),
    (Moment::Committed, Fault::Refuse),
    (Moment::Begin, Fault::Die),
    (Moment::Committed, Fault::Die),
];

impl Trouble {
    pub fn set(&self, trouble: Option<(Moment, Fault)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl Faults for Trouble {
    fn at(&self, moment: Moment) -> Option<Fault> {
        let trouble = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.filter(|(when, _)| *when == moment).map(|(_, fault)| fault)
    }
}
