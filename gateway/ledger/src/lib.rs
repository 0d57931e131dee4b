//! Holds, settlement, the journal, receipts and their invariants.
