//! Puts interleaved fragments of parallel tool calls in a row: one call at a time, each from start to end.

use serde::de::IgnoredAny;

use super::chunk::ToolDelta;
use crate::UpstreamFailure;
use crate::seal::tool_id;
use crate::stream::{Part, Sink};

#[derive(Debug)]
pub(crate) struct ToolQueue {
    seed: [u8; 16],
    slots: Vec<Slot>,
    /// Slots before this one are closed.
    active: usize,
}

#[derive(Debug, Default)]
struct Slot {
    index: Option<u32>,
    id: String,
    name: String,
    arguments: String,
    /// How much of the arguments was passed on.
    passed: usize,
    is_open: bool,
}

impl ToolQueue {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self { seed, slots: Vec::new(), active: 0 }
    }

    /// Calls that were passed on, whole or in part.
    pub(crate) fn has_calls(&self) -> bool {
        self.active > 0 || self.slots.iter().any(|slot| slot.is_open)
    }

    /// A call is open whose arguments are not complete yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.slots.get(self.active).is_some_and(|slot| slot.is_open && !slot.is_complete())
    }

    pub(crate) fn fragment(
        &mut self,
        delta: &ToolDelta<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), UpstreamFailure> {
        let arguments = delta.arguments();
        let position = self.slot_for(delta);
        if position < self.active {
            if arguments.trim().is_empty() {
                return Ok(());
            }
            return Err(UpstreamFailure::invalid("it went on with a tool call that was already complete."));
        }
        if let Some(slot) = self.slots.get_mut(position) {
            slot.merge(delta, &arguments);
        }
        self.pass_on(sink);
        Ok(())
    }

    /// Something else comes: an open call that is complete ends here.
    pub(crate) fn make_way(&mut self, sink: &mut impl Sink) {
        if let Some(slot) = self.slots.get_mut(self.active).filter(|slot| slot.is_open && slot.is_complete())
        {
            slot.is_open = false;
            self.active += 1;
            sink.part(Part::BlockEnd);
            self.pass_on(sink);
        }
    }

    /// The answer is over: everything that is still held is passed on.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        while let Some(slot) = self.slots.get_mut(self.active) {
            if slot.name.is_empty() {
                if !slot.arguments.trim().is_empty() {
                    return Err(UpstreamFailure::invalid("it returned a tool call without a name."));
                }
                self.slots.remove(self.active);
                continue;
            }
            self.pass_active(sink);
            self.close_active(sink);
        }
        Ok(())
    }

    /// By index where there is one; a new id in a complete slot means that the host reuses its index.
    fn slot_for(&mut self, delta: &ToolDelta<'_>) -> usize {
        let id = delta.id();
        let known = match delta.index {
            Some(index) => self.slots.iter().rposition(|slot| slot.index == Some(index)),
            None if id.is_empty() => self.slots.len().checked_sub(1),
            None => self.slots.iter().rposition(|slot| slot.id == id),
        };
        let reused =
            |slot: &Slot| !id.is_empty() && !slot.id.is_empty() && slot.id != id && slot.is_complete();
        match known {
            Some(position) if !self.slots.get(position).is_some_and(reused) => position,
            _ => {
                self.slots.push(Slot { index: delta.index, ..Slot::default() });
                self.slots.len() - 1
            }
        }
    }

    /// Passes on what the active call has, and goes to the next as long as calls are complete and others wait.
    fn pass_on(&mut self, sink: &mut impl Sink) {
        while self.slots.get(self.active).is_some_and(|slot| !slot.name.is_empty()) {
            self.pass_active(sink);
            let others_wait = self.active + 1 < self.slots.len();
            if !(others_wait && self.slots.get(self.active).is_some_and(Slot::is_complete)) {
                return;
            }
            self.close_active(sink);
        }
    }

    fn pass_active(&mut self, sink: &mut impl Sink) {
        let is_taken = |id: &str| self.slots.iter().take(self.active).any(|slot| slot.id == id);
        let needs_id =
            self.slots.get(self.active).is_some_and(|slot| slot.id.is_empty() || is_taken(&slot.id));
        let (seed, ordinal) = (self.seed, self.active);
        let Some(slot) = self.slots.get_mut(self.active) else { return };
        if !slot.is_open {
            slot.is_open = true;
            if needs_id {
                slot.id = tool_id::minted(&seed, ordinal);
            }
            sink.part(Part::ToolStart { id: &slot.id, name: &slot.name });
        }
        if let Some(fresh) = slot.arguments.get(slot.passed..).filter(|fresh| !fresh.is_empty()) {
            sink.part(Part::ToolInput(fresh));
            slot.passed = slot.arguments.len();
        }
    }

    fn close_active(&mut self, sink: &mut impl Sink) {
        if let Some(slot) = self.slots.get_mut(self.active) {
            slot.is_open = false;
        }
        self.active += 1;
        sink.part(Part::BlockEnd);
    }
}

impl Slot {
    /// Ids and names come once and are never taken back by an empty repetition.
    fn merge(&mut self, delta: &ToolDelta<'_>, arguments: &str) {
        if self.id.is_empty() {
            delta.id().clone_into(&mut self.id);
        }
        if self.name.is_empty() {
            delta.name().clone_into(&mut self.name);
        }
        self.arguments.push_str(arguments);
    }

    fn is_complete(&self) -> bool {
        let text = self.arguments.trim_ascii();
        text.starts_with('{') && text.ends_with('}') && serde_json::from_str::<IgnoredAny>(text).is_ok()
    }
}
