//! Commands and what is said to them, in terms that the ledger and its auditor share.
use bytespike_ledger::{
    BookingError, Claim, Credit, Credited, Debit, HoldError, HoldRequest, Ledger, LimitState, Outcome,
    Refusal, Release, Resolution, ResolveError, Settlement, Unavailable,
};

/// A command, complete with the ids it names.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few of them live at a time, in a test")]
pub enum Request {
    Credit(Credit),
    Debit(Debit),
    Claim(Claim),
    Hold(Box<HoldRequest>),
    Settle(Settlement),
    Release(Release),
}

/// Node, window, used and held of a limit.
pub type Counted = (String, String, i64, i64);

/// An answer. What is not in it is nobody's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Held {
        held_at_ms: i64,
        available: i64,
        limits: Vec<Counted>,
    },
    Frozen,
    Insufficient {
        available: i64,
    },
    /// What is left of the limit that binds.
    Limited {
        remaining: i64,
    },
    IdReused,
    Ended {
        outcome: Outcome,
        charged: i64,
        available: i64,
        limits: Vec<Counted>,
    },
    AlreadyEnded(Outcome),
    Unknown,
    Booked {
        available: i64,
    },
    BookedBefore {
        available: i64,
    },
    /// So much of the credit that was to be taken is free.
    NotEnough {
        free: i64,
    },
    Claimed {
        owed: i64,
    },
    OtherAmount,
    /// Nothing is known to have happened.
    Unavailable,
}

impl Request {
    /// The call it is about.
    pub fn reservation_id(&self) -> Option<&str> {
        match self {
            Self::Credit(_) | Self::Debit(_) | Self::Claim(_) => None,
            Self::Hold(hold) => Some(&hold.reservation_id),
            Self::Settle(settlement) => Some(&settlement.reservation_id),
            Self::Release(release) => Some(&release.reservation_id),
        }
    }

    /// Sends it; the second value is what a hold that was taken is to be owned by.
    pub async fn send(&self, ledger: &Ledger) -> (Said, Option<bytespike_ledger::Held>) {
        match self {
            Self::Credit(credit) => (booked(ledger.credit(credit.clone()).await), None),
            Self::Debit(debit) => (booked(ledger.debit(debit.clone(), None).await), None),
            Self::Claim(claim) => match ledger.claim(claim.clone()).await {
                Ok(claimed) => (Said::Claimed { owed: claimed.owed.0 }, None),
                Err(error) => (booked(Err(error)), None),
            },
            Self::Hold(hold) => match ledger.hold(HoldRequest::clone(hold)).await {
                Ok(held) => {
                    let limits = counted(&held.limits);
                    let available = held.wallet_available.0;
                    assert_eq!(held.held, hold.amount);
                    (Said::Held { held_at_ms: held.held_at_ms, available, limits }, Some(held))
                }
                Err(error) => (refused(error), None),
            },
            Self::Settle(settlement) => (resolved(ledger.settle(settlement.clone()).await), None),
            Self::Release(release) => (resolved(ledger.release(release.clone()).await), None),
        }
    }
}

fn booked(said: Result<Credited, BookingError>) -> Said {
    match said {
        Ok(Credited::Booked { available }) => Said::Booked { available: available.0 },
        Ok(Credited::Already { available }) => Said::BookedBefore { available: available.0 },
        Err(BookingError::IdempotencyMismatch) => Said::OtherAmount,
        Err(BookingError::NotEnough { free }) => Said::NotEnough { free: free.0 },
        Err(BookingError::Unavailable(_)) => Said::Unavailable,
        Err(other) => panic!("{other}"),
    }
}

fn refused(error: HoldError) -> Said {
    match error {
        HoldError::Refused(Refusal::Frozen) => Said::Frozen,
        HoldError::Refused(Refusal::InsufficientCredits { available, .. }) => {
            Said::Insufficient { available: available.0 }
        }
        HoldError::Refused(Refusal::LimitExceeded { limit, .. }) => {
            Said::Limited { remaining: limit.remaining().0 }
        }
        HoldError::Refused(Refusal::IdReused) => Said::IdReused,
        HoldError::Refused(Refusal::NoWallet) => panic!("every org of the test has a wallet"),
        HoldError::Unavailable(Unavailable(_)) => Said::Unavailable,
    }
}

fn resolved(said: Result<Resolution, ResolveError>) -> Said {
    match said {
        Ok(resolution) => Said::Ended {
            outcome: resolution.outcome,
            charged: resolution.charged.0,
            available: resolution.wallet_available.0,
            limits: counted(&resolution.limits),
        },
        Err(ResolveError::AlreadyResolved(outcome)) => Said::AlreadyEnded(outcome),
        Err(ResolveError::Unknown(_)) => Said::Unknown,
        Err(ResolveError::Unavailable(_)) => Said::Unavailable,
    }
}

/// Sorted, so that two lists can be compared.
pub fn counted(limits: &[LimitState]) -> Vec<Counted> {
    let state = |limit: &LimitState| {
        (limit.node.to_string(), limit.window.name().to_owned(), limit.used.0, limit.held.0)
    };
    let mut counted: Vec<Counted> = limits.iter().map(state).collect();
    counted.sort();
    counted
}
