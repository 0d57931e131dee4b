//! Payments that were undone. Paid credit that is free goes at once, what is missing is owed, and as long as anything is
//! owed, paid credit that becomes free goes to it and nothing new is held. So a wallet is never overdrawn, and what an org
//! owes stands outside of it.
use crate::alerts;
use crate::batch::Batch;
use crate::call::{BookingError, Claim, Claimed};
use crate::journal::{Account, LotMove, Posting};
use crate::lots;
use crate::rows::ClaimRow;
use bytespike_catalog::NanoUsd;

/// What is taken of one of an org's accounts, and why.
#[derive(Clone, Copy)]
pub(crate) struct Taking<'a> {
    /// As the journal names it.
    pub kind: &'static str,
    pub account: Account,
    pub at_most_nano: i64,
    pub against: Account,
    pub idem_key: Option<&'a str>,
    pub note: Option<&'a str>,
}

impl Batch<'_> {
    pub(crate) fn claim(&mut self, claim: &Claim) -> Result<Claimed, BookingError> {
        let key = (claim.org_id.clone(), claim.idempotency_key.clone());
        let amounts = (claim.amount.0, claim.bonus.0);
        match self.loaded.claimed.get(&key) {
            Some(before) if *before == amounts => {
                return Ok(Claimed { taken: NanoUsd::ZERO, owed: self.owed(claim) });
            }
            Some(_) => return Err(BookingError::IdempotencyMismatch),
            None => {}
        }
        let wallet = self.loaded.wallets.get_mut(&claim.org_id).ok_or(BookingError::NoWallet)?;
        if claim.amount <= NanoUsd::ZERO || claim.bonus < NanoUsd::ZERO {
            return Err(BookingError::NotPositive);
        }
        let owed_nano = wallet.owed_nano.checked_add(claim.amount.0).ok_or(BookingError::WalletFull)?;
        wallet.change().owed_nano = owed_nano;
        self.loaded.claimed.insert(key, amounts);
        self.changes.claims.push(ClaimRow {
            org_id: claim.org_id.clone(),
            idem_key: claim.idempotency_key.clone(),
            amount_nano: claim.amount.0,
            bonus_nano: claim.bonus.0,
            note: claim.note.clone(),
            at_ms: self.now_ms(),
        });
        self.take_bonus(claim);
        let taken = self.collect(&claim.org_id, Some(&claim.note));
        let wallet = self.loaded.wallets.get(&claim.org_id);
        let alert = wallet.map(|wallet| alerts::of_claim(wallet, (claim.amount.0, taken.0)));
        self.tell(alert);
        Ok(Claimed { taken, owed: self.owed(claim) })
    }

    /// Takes what is owed out of paid credit that is free; how much.
    pub(crate) fn collect(&mut self, org_id: &str, note: Option<&str>) -> NanoUsd {
        let owed_nano = self.loaded.wallets.get(org_id).map_or(0, |wallet| wallet.owed_nano);
        if owed_nano == 0 {
            return NanoUsd::ZERO;
        }
        let taking = Taking {
            kind: "withdrawal",
            account: Account::Principal,
            at_most_nano: owed_nano,
            against: Account::Withdrawn,
            idem_key: None,
            note,
        };
        let taken_nano = self.take_out(org_id, taking);
        if taken_nano > 0
            && let Some(wallet) = self.loaded.wallets.get_mut(org_id)
        {
            wallet.change().owed_nano -= taken_nano;
        }
        NanoUsd(taken_nano)
    }

    /// What was given on top of the payment was given for it.
    fn take_bonus(&mut self, claim: &Claim) {
        let taking = Taking {
            kind: "breakage",
            account: Account::Bonus,
            at_most_nano: claim.bonus.0,
            against: Account::Breakage,
            idem_key: None,
            note: Some(&claim.note),
        };
        self.take_out(&claim.org_id, taking);
    }

    /// Takes at most so much of what is free on one of the org's accounts, in burn order; how much there was.
    pub(crate) fn take_out(&mut self, org_id: &str, taking: Taking<'_>) -> i64 {
        let org_lots = self.loaded.lots.entry(org_id.to_owned()).or_default();
        let moves: Vec<LotMove> = lots::take_free(org_lots, taking.account, taking.at_most_nano);
        let taken_nano: i64 = moves.iter().map(|lot_move| -lot_move.amount_nano).sum();
        if taken_nano > 0 {
            let posting = Posting {
                id: self.world().id("jtx"),
                kind: taking.kind,
                reservation_id: None,
                idem_key: taking.idem_key,
                note: taking.note,
                price_version: None,
                at_ms: self.now_ms(),
                moves,
                against: taking.against,
            };
            self.post(org_id, posting);
        }
        taken_nano
    }

    fn owed(&self, claim: &Claim) -> NanoUsd {
        self.loaded.wallets.get(&claim.org_id).map_or(NanoUsd::ZERO, |wallet| NanoUsd(wallet.owed_nano))
    }
}
