//! What the last batches left behind: rows that need not be read again as long as nobody else has written.
use crate::batch::Loaded;
use crate::kept::Kept;

/// Rows kept at most; beyond that all are forgotten, so that walking through them stays cheaper than reading them.
const MOST: usize = 4_096;

/// The rows as the last committed batch left them, and which state of the database that was.
#[derive(Default)]
pub(crate) struct Memory {
    rows: Loaded,
    data_version: i64,
}

impl Memory {
    /// The rows, when nobody else has written since. They leave the memory: a batch that fails leaves nothing behind.
    pub fn recall(&mut self, data_version: i64) -> Loaded {
        let rows = std::mem::take(&mut self.rows);
        let known = std::mem::replace(&mut self.data_version, data_version);
        if known == data_version { rows } else { Loaded::default() }
    }

    /// Keeps what a batch worked on, now that it is committed.
    pub fn keep(&mut self, mut rows: Loaded) {
        if rows.wallets.len() + rows.limits.len() + rows.reservations.len() > MOST {
            return;
        }
        rows.reservations.retain(|_, row| row.state == "held");
        rows.pins.retain(|reservation_id, _| rows.reservations.contains_key(reservation_id));
        rows.lots.values_mut().for_each(|lots| lots.retain(|lot| lot.remaining_nano > 0));
        rows.credited.clear();
        rows.claimed.clear();
        rows.wallets.values_mut().for_each(Kept::saved);
        rows.lots.values_mut().flatten().for_each(Kept::saved);
        rows.limits.values_mut().flatten().for_each(Kept::saved);
        rows.reservations.values_mut().for_each(Kept::saved);
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::WalletRow;

    fn rows() -> Loaded {
        let wallet = WalletRow {
            org_id: "o".to_owned(),
            time_zone: "UTC".to_owned(),
            frozen: false,
            low_balance_nano: None,
            alert_limits: true,
            created_at_ms: 0,
            posted_nano: 1,
            held_nano: 0,
            owed_nano: 0,
            journal_seq: 0,
            journal_hash: String::new(),
            resolved_seq: 0,
        };
        let mut rows = Loaded::default();
        rows.wallets.insert("o".to_owned(), Kept::loaded(wallet));
        rows
    }

    #[test]
    fn rows_are_recalled_once_and_only_of_the_same_state() {
        let mut memory = Memory::default();
        assert!(memory.recall(7).wallets.is_empty());
        memory.keep(rows());
        assert_eq!(memory.recall(7).wallets.len(), 1);
        assert!(memory.recall(7).wallets.is_empty(), "the batch in between was not committed");
        memory.keep(rows());
        assert!(memory.recall(8).wallets.is_empty(), "somebody else has written");
    }

    #[test]
    fn what_was_changed_is_not_written_again() {
        let (mut memory, mut changed) = (Memory::default(), rows());
        changed.wallets.values_mut().for_each(|wallet| wallet.change().held_nano += 1);
        memory.keep(changed);
        let recalled = memory.recall(0);
        let wallet = recalled.wallets.get("o").expect("is kept");
        assert_eq!((wallet.held_nano, wallet.to_update()), (1, None));
    }
}
