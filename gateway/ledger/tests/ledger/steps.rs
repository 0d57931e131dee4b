//! What can happen to a ledger, and random histories of it.
use crate::calendar::Zone;
use crate::trouble::Trouble;
use bytespike_ledger::{CreditKind, Fault, Moment};
use proptest::prelude::*;
use proptest::sample::Index;

/// Payers of a history; see `machine::payer`.
pub const PAYERS: usize = 6;
pub const ORGS: usize = 3;
/// Nodes that limits are set at; see `machine::node`.
pub const NODES: usize = 17;

#[derive(Clone, Debug)]
pub enum Step {
    /// Commands sent at once, each as often as `copies` says: what is delivered twice counts once.
    Send {
        ops: Vec<Op>,
        copies: usize,
        trouble: Option<Trouble>,
    },
    /// The owner of a call is gone without a word.
    Abandon {
        call: Index,
    },
    Limit {
        node: usize,
        window: usize,
        nano: Option<i64>,
    },
    /// A limit is raised for a time.
    Grant {
        node: usize,
        window: usize,
        nano: i64,
        for_ms: i64,
        then: i64,
    },
    /// It is written down of a limit that its grant is over, if it is.
    EndGrant {
        node: usize,
        window: usize,
    },
    Freeze {
        org: usize,
        frozen: bool,
    },
    Zone {
        org: usize,
        zone: Zone,
    },
    /// The clock goes on, or back.
    Clock {
        ms: i64,
    },
    /// Housekeeping.
    Tick {
        trouble: Option<Trouble>,
    },
    /// The process dies between two batches, and another one starts.
    Crash,
}

#[derive(Clone, Debug)]
pub enum Op {
    Credit {
        org: usize,
        nano: i64,
        kind: CreditKind,
        lapses_in_ms: Option<i64>,
    },
    /// A payment that was booked before, with its own amount or another.
    CreditAgain {
        credit: Index,
        more: i64,
    },
    /// Credit is taken by decision.
    Debit {
        org: usize,
        nano: i64,
        kind: CreditKind,
    },
    /// A debit that was asked for before, booked or not, with its own amount or another.
    DebitAgain {
        debit: Index,
        more: i64,
    },
    /// A payment is taken back, whether it was ever made or not.
    Claim {
        org: usize,
        nano: i64,
        bonus_nano: i64,
    },
    ClaimAgain {
        claim: Index,
        more: i64,
    },
    Hold {
        payer: usize,
        nano: i64,
    },
    /// A request that was made before, with its own amount or another.
    HoldAgain {
        call: Index,
        more: i64,
    },
    /// Of a call that its owner still works on.
    Settle {
        call: Index,
        nano: i64,
        cost_pico: i64,
    },
    Release {
        call: Index,
        cost_pico: i64,
    },
    /// Of any call, in whichever state.
    SettleAny {
        call: Index,
        nano: i64,
        cost_pico: i64,
    },
    ReleaseAny {
        call: Index,
        cost_pico: i64,
    },
}

pub fn step() -> impl Strategy<Value = Step> {
    let zone = prop_oneof![Just(Zone::Utc), Just(Zone::Shanghai), Just(Zone::NewYork)];
    prop_oneof![
        24 => (prop::collection::vec(op(), 1..2), 1..=2usize, prop::option::weighted(0.15, trouble(1)))
            .prop_map(|(ops, copies, trouble)| Step::Send { ops, copies, trouble }),
        6 => (prop::collection::vec(op(), 2..8), 1..=2usize, prop::option::weighted(0.25, trouble(2)))
            .prop_map(|(ops, copies, trouble)| Step::Send { ops, copies, trouble }),
        2 => any::<Index>().prop_map(|call| Step::Abandon { call }),
        2 => (0..NODES, 0..5usize, prop::option::weighted(0.8, 0..6_000i64))
            .prop_map(|(node, window, nano)| Step::Limit { node, window, nano }),
        2 => (0..NODES, 0..5usize, 0..6_000i64, clock(), 0..2_000i64)
            .prop_map(|(node, window, nano, for_ms, then)| Step::Grant { node, window, nano, for_ms, then }),
        1 => (0..NODES, 0..5usize).prop_map(|(node, window)| Step::EndGrant { node, window }),
        1 => (0..ORGS, prop::bool::weighted(0.2)).prop_map(|(org, frozen)| Step::Freeze { org, frozen }),
        1 => (0..ORGS, zone).prop_map(|(org, zone)| Step::Zone { org, zone }),
        5 => clock().prop_map(|ms| Step::Clock { ms }),
        4 => prop::option::weighted(0.1, trouble(2)).prop_map(|trouble| Step::Tick { trouble }),
        1 => Just(Step::Crash),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let call = any::<Index>;
    let cost = || prop_oneof![Just(0i64), 1..900_000i64];
    let kind = || prop_oneof![Just(CreditKind::TopUp), Just(CreditKind::Grant)];
    let lapses = prop::option::weighted(0.6, prop_oneof![1..100_000i64, 3_600_000..400_000_000i64]);
    prop_oneof![
        3 => (0..ORGS, 1..5_000i64, kind(), lapses)
            .prop_map(|(org, nano, kind, lapses_in_ms)| Op::Credit { org, nano, kind, lapses_in_ms }),
        1 => (call(), 0..2i64).prop_map(|(credit, more)| Op::CreditAgain { credit, more }),
        1 => (0..ORGS, 1..2_000i64, kind()).prop_map(|(org, nano, kind)| Op::Debit { org, nano, kind }),
        1 => (call(), 0..2i64).prop_map(|(debit, more)| Op::DebitAgain { debit, more }),
        1 => (0..ORGS, 1..1_500i64, 0..300i64)
            .prop_map(|(org, nano, bonus_nano)| Op::Claim { org, nano, bonus_nano }),
        1 => (call(), 0..2i64).prop_map(|(claim, more)| Op::ClaimAgain { claim, more }),
        14 => (0..PAYERS, 0..900i64).prop_map(|(payer, nano)| Op::Hold { payer, nano }),
        1 => (call(), 0..2i64).prop_map(|(call, more)| Op::HoldAgain { call, more }),
        8 => (call(), 0..1_200i64, cost())
            .prop_map(|(call, nano, cost_pico)| Op::Settle { call, nano, cost_pico }),
        4 => (call(), cost()).prop_map(|(call, cost_pico)| Op::Release { call, cost_pico }),
        1 => (call(), 0..1_200i64, cost())
            .prop_map(|(call, nano, cost_pico)| Op::SettleAny { call, nano, cost_pico }),
        1 => (call(), cost()).prop_map(|(call, cost_pico)| Op::ReleaseAny { call, cost_pico }),
    ]
}

/// Milliseconds, hours, weeks; and back, by seconds or by hours.
fn clock() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 1..50i64,
        6 => 1_000..40_000i64,
        4 => 3_600_000..90_000_000i64,
        1 => 600_000_000..3_000_000_000i64,
        2 => -30_000..0i64,
        1 => -90_000_000..-1_000_000i64,
    ]
}

/// A confirmation that is lost after the commit makes every command of its batch be sent again. Which commands share a
/// batch is a matter of timing, so that what the second answers say can be predicted for single commands only.
fn trouble(commands: usize) -> impl Strategy<Value = Trouble> {
    let moment = prop::sample::select(Moment::ALL.to_vec());
    let fault = prop::sample::select(vec![Fault::Refuse, Fault::Collide, Fault::Die]);
    (moment, fault, 1..8u32).prop_map(move |(moment, fault, times)| {
        let fault = if moment == Moment::Committed && commands > 1 { Fault::Die } else { fault };
        Trouble { moment, fault, times }
    })
}
