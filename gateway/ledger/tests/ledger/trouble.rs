//! A database that fails and a process that dies when they are told to.
use bytespike_ledger::{Fault, Faults, Moment};
use std::sync::Mutex;

/// What goes wrong next, how often, and whether the process is dead: then it never commits anything again.
#[derive(Default)]
pub struct Troubles(Mutex<State>);

#[derive(Default)]
struct State {
    next: Option<Trouble>,
    dead: bool,
}

/// A fault at the first `times` batches that come to its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub moment: Moment,
    pub fault: Fault,
    pub times: u32,
}

impl Troubles {
    pub fn arm(&self, trouble: Option<Trouble>) {
        self.0.lock().expect("nobody panics while deciding").next = trouble;
    }

    pub fn is_dead(&self) -> bool {
        self.0.lock().expect("nobody panics while deciding").dead
    }
}

impl Faults for Troubles {
    fn at(&self, moment: Moment) -> Option<Fault> {
        let mut state = self.0.lock().expect("nobody panics while deciding");
        if state.dead {
            return Some(Fault::Die);
        }
        let trouble = state.next.as_mut().filter(|trouble| trouble.moment == moment && trouble.times > 0)?;
        trouble.times -= 1;
        let fault = trouble.fault;
        state.dead = fault == Fault::Die;
        Some(fault)
    }
}
