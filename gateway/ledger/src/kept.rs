//! A row in a batch's memory, and whether the database has to be told about it.
use std::ops::Deref;

/// Read it like the row; change it through [`Kept::change`], which remembers that it was.
#[derive(Clone, Debug)]
pub(crate) struct Kept<R> {
    row: R,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AsLoaded,
    Changed,
    New,
}

impl<R> Kept<R> {
    pub fn loaded(row: R) -> Self {
        Self { row, state: State::AsLoaded }
    }

    pub fn new(row: R) -> Self {
        Self { row, state: State::New }
    }

    pub fn change(&mut self) -> &mut R {
        if self.state == State::AsLoaded {
            self.state = State::Changed;
        }
        &mut self.row
    }

    /// The database has it now as it is here.
    pub fn saved(&mut self) {
        self.state = State::AsLoaded;
    }

    /// The row, when it has to be inserted.
    pub fn to_insert(&self) -> Option<&R> {
        (self.state == State::New).then_some(&self.row)
    }

    /// The row, when it has to be updated.
    pub fn to_update(&self) -> Option<&R> {
        (self.state == State::Changed).then_some(&self.row)
    }
}

impl<R> Deref for Kept<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.row
    }
}
