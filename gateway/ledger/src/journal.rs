//! The money book: transactions of entries that sum to zero, chained by hash within each wallet.
use crate::rows::{EntryRow, JournalRow, WalletRow};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Which pocket an entry is in. `Principal` and `Bonus` are the org's, the others ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Principal,
    Bonus,
    PspClearing,
    BonusExpense,
    Revenue,
    Breakage,
    /// Left the wallet with a payment that was undone.
    Withdrawn,
}

impl Account {
    pub fn name(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Bonus => "bonus",
            Self::PspClearing => "psp_clearing",
            Self::BonusExpense => "bonus_expense",
            Self::Revenue => "revenue",
            Self::Breakage => "breakage",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The org's account that a lot of this kind belongs to.
    pub fn of_lot(kind: &str) -> Self {
        if kind == "principal" { Self::Principal } else { Self::Bonus }
    }
}

/// A movement on a lot of the org; the other side is one of our accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LotMove {
    pub lot_id: String,
    pub account: Account,
    pub amount_nano: i64,
}

/// A transaction about to be written.
#[derive(Clone, Debug)]
pub(crate) struct Posting<'a> {
    pub id: String,
    pub kind: &'static str,
    pub reservation_id: Option<&'a str>,
    pub idem_key: Option<&'a str>,
    pub note: Option<&'a str>,
    pub price_version: Option<i64>,
    pub at_ms: i64,
    pub moves: Vec<LotMove>,
    /// Takes the opposite of all moves.
    pub against: Account,
}

/// Appends to the wallet's chain and returns the rows. The wallet's posted amount moves with it.
pub(crate) fn post(wallet: &mut WalletRow, posting: Posting<'_>) -> (JournalRow, Vec<EntryRow>) {
    let moved: i64 = posting.moves.iter().map(|lot_move| lot_move.amount_nano).sum();
    let mut transaction = JournalRow {
        id: posting.id.clone(),
        org_id: wallet.org_id.clone(),
        seq: wallet.journal_seq + 1,
        kind: posting.kind.to_owned(),
        reservation_id: posting.reservation_id.map(str::to_owned),
        idem_key: posting.idem_key.map(str::to_owned),
        note: posting.note.map(str::to_owned),
        price_version: posting.price_version,
        at_ms: posting.at_ms,
        prev_hash: wallet.journal_hash.clone(),
        hash: String::new(),
    };
    let entries = entries(&wallet.org_id, posting, moved);
    transaction.hash = hash(&transaction, &entries);
    wallet.journal_seq = transaction.seq;
    wallet.journal_hash.clone_from(&transaction.hash);
    wallet.posted_nano += moved;
    (transaction, entries)
}

fn entries(org_id: &str, posting: Posting<'_>, moved: i64) -> Vec<EntryRow> {
    let ours = (moved != 0).then(|| (posting.against.name(), None, None, -moved));
    let theirs = posting.moves.into_iter().filter(|lot_move| lot_move.amount_nano != 0);
    let theirs = theirs.map(|m| (m.account.name(), Some(org_id.to_owned()), Some(m.lot_id), m.amount_nano));
    (1..)
        .zip(theirs.chain(ours))
        .map(|(seq, (account, org_id, lot_id, amount_nano))| EntryRow {
            tx_id: posting.id.clone(),
            seq,
            account: account.to_owned(),
            org_id,
            lot_id,
            amount_nano,
        })
        .collect()
}

/// SHA-256 over the transaction (its own hash left empty, the previous one included) and its entries, as compact JSON.
pub(crate) fn hash(transaction: &JournalRow, entries: &[EntryRow]) -> String {
    #[derive(Serialize)]
    struct Hashed<'a> {
        transaction: &'a JournalRow,
        entries: &'a [EntryRow],
    }
    let emptied;
    let transaction = if transaction.hash.is_empty() {
        transaction
    } else {
        emptied = JournalRow { hash: String::new(), ..transaction.clone() };
        &emptied
    };
    let mut bytes = Vec::with_capacity(1_024);
    // Rows of plain values always serialise.
    let written = serde_json::to_writer(&mut bytes, &Hashed { transaction, entries });
    debug_assert!(written.is_ok());
    hex::encode(Sha256::digest(bytes))
}
