//! The rules, in memory. A batch is given the rows its commands touch, decides them one after another, and knows
//! afterwards which rows to write. Both databases run this same code between their load and their store.
use crate::alerts;
use crate::call::{
    BookingError, Claim, Claimed, Credit, CreditKind, Credited, Debit, HoldRequest, Outcome, Refusal,
    Release, Resolution, ResolveError, Settlement,
};
use crate::journal::{self, Account, LotMove, Posting};
use crate::kept::Kept;
use crate::lots;
use crate::node::NodeId;
use crate::rows::{
    AbsorbedRow, AttemptRow, ClaimRow, EntryRow, JournalRow, LimitRow, LotRow, OutboxRow, PinRow, ReceiptRow,
    ReservationRow, WalletRow,
};
use crate::window::time_zone;
use bytespike_catalog::NanoUsd;
use bytespike_catalog::money::{MAX_REQUEST, MAX_WALLET};
use bytespike_store::audit_event::Entry;
use bytespike_store::world::World;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// Something the writer is asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Hold(Box<HoldRequest>),
    Settle(Box<Settlement>),
    Release(Box<Release>),
    /// Ends a hold whose lease ran out.
    Expire {
        reservation_id: String,
        org_id: String,
    },
    /// With the event that tells of it, where somebody decided it.
    Credit(Credit, Option<Box<Entry>>),
    /// Takes credit out, with the event that tells of it.
    Debit(Debit, Option<Box<Entry>>),
    /// Takes a payment back.
    Claim(Claim),
    /// Writes off lapsed credit.
    Lapse {
        org_id: String,
    },
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Hold(Result<Granted, Refusal>),
    Resolve(Result<Resolution, ResolveError>),
    Credit(Result<Credited, BookingError>),
    Claim(Result<Claimed, BookingError>),
    /// Whether anything lapsed.
    Lapse(bool),
}

/// A hold as the writer answers it.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub held: NanoUsd,
    pub held_at_ms: i64,
    pub wallet_available: NanoUsd,
    pub limits: Vec<crate::call::LimitState>,
}

/// Who writes and for how long a hold lives without being renewed.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub owner: String,
    pub length_ms: i64,
}

/// The rows a batch works on. Ordered, so that a batch always writes in the same order.
#[derive(Default)]
pub(crate) struct Loaded {
    pub wallets: BTreeMap<String, Kept<WalletRow>>,
    /// By org, in burn order.
    pub lots: BTreeMap<String, Vec<Kept<LotRow>>>,
    /// By node, in the order of their windows.
    pub limits: BTreeMap<String, Vec<Kept<LimitRow>>>,
    pub reservations: BTreeMap<String, Kept<ReservationRow>>,
    /// By reservation.
    pub pins: HashMap<String, Vec<PinRow>>,
    /// What an idempotency key booked before, by org and key; a debit below zero.
    pub credited: HashMap<(String, String), i64>,
    /// What an idempotency key claimed before: the paid part and what was given on top.
    pub claimed: HashMap<(String, String), (i64, i64)>,
}

/// Rows that are only ever added.
#[derive(Default)]
pub(crate) struct Changes {
    pub pins: Vec<PinRow>,
    pub transactions: Vec<JournalRow>,
    pub entries: Vec<EntryRow>,
    pub claims: Vec<ClaimRow>,
    pub attempts: Vec<AttemptRow>,
    pub absorbed: Vec<AbsorbedRow>,
    pub receipts: Vec<ReceiptRow>,
    pub outbox: Vec<OutboxRow>,
    /// Appended to the audit log last.
    pub events: Vec<Entry>,
}

pub(crate) struct Batch<'a> {
    pub loaded: Loaded,
    pub changes: Changes,
    world: &'a World,
    lease: &'a Lease,
    now_ms: i64,
}

impl Command {
    pub fn org_id(&self) -> &str {
        match self {
            Self::Hold(hold) => &hold.payer.org_id,
            Self::Settle(settlement) => &settlement.org_id,
            Self::Release(release) => &release.org_id,
            Self::Expire { org_id, .. } | Self::Lapse { org_id } => org_id,
            Self::Credit(credit, _) => &credit.org_id,
            Self::Debit(debit, _) => &debit.org_id,
            Self::Claim(claim) => &claim.org_id,
        }
    }

    pub fn reservation_id(&self) -> Option<&str> {
        match self {
            Self::Hold(hold) => Some(&hold.reservation_id),
            Self::Settle(settlement) => Some(&settlement.reservation_id),
            Self::Release(release) => Some(&release.reservation_id),
            Self::Expire { reservation_id, .. } => Some(reservation_id),
            Self::Credit(..) | Self::Debit(..) | Self::Claim(_) | Self::Lapse { .. } => None,
        }
    }

    /// Losing a hold that was answered costs nobody anything: after a crash its call is gone as well.
    pub fn must_reach_the_disk(&self) -> bool {
        !matches!(self, Self::Hold(_))
    }
}

impl<'a> Batch<'a> {
    pub fn new(loaded: Loaded, world: &'a World, lease: &'a Lease) -> Self {
        Self { loaded, changes: Changes::default(), now_ms: world.now_ms(), world, lease }
    }

    pub fn apply(&mut self, command: &Command) -> Answer {
        match command {
            Command::Hold(request) => Answer::Hold(self.hold(request)),
            Command::Settle(settlement) => Answer::Resolve(self.settle(settlement)),
            Command::Release(release) => Answer::Resolve(self.release(release)),
            Command::Expire { reservation_id, org_id } => {
                Answer::Resolve(self.expire(reservation_id, org_id))
            }
            Command::Credit(credit, event) => {
                let booked = self.credit(credit);
                self.told_if_booked(booked, event.as_deref())
            }
            Command::Debit(debit, event) => {
                let booked = self.debit(debit);
                self.told_if_booked(booked, event.as_deref())
            }
            Command::Claim(claim) => Answer::Claim(self.claim(claim)),
            Command::Lapse { org_id } => Answer::Lapse(self.lapse(org_id)),
        }
    }

    /// What a booking is answered with; its event is appended only where it was booked now.
    fn told_if_booked(&mut self, booked: Result<Credited, BookingError>, event: Option<&Entry>) -> Answer {
        if matches!(booked, Ok(Credited::Booked { .. })) {
            self.changes.events.extend(event.cloned());
        }
        Answer::Credit(booked)
    }

    fn hold(&mut self, request: &HoldRequest) -> Result<Granted, Refusal> {
        let (org_id, amount) = (&request.payer.org_id, request.amount);
        if let Some(existing) = self.loaded.reservations.get(&request.reservation_id) {
            return self.held_before(existing, request);
        }
        self.lapse(org_id);
        let wallet = self.loaded.wallets.get(org_id).ok_or(Refusal::NoWallet)?;
        if wallet.frozen || wallet.owed_nano > 0 {
            return Err(Refusal::Frozen);
        }
        let available = NanoUsd(wallet.posted_nano - wallet.held_nano);
        if amount > available || amount > MAX_REQUEST || amount < NanoUsd::ZERO {
            return Err(Refusal::InsufficientCredits { required: amount, available });
        }
        let nodes = request.payer.nodes();
        match self.time_of_hold(&nodes, request, wallet) {
            Ok(held_at_ms) => Ok(self.take(request, held_at_ms, &nodes)),
            Err(refusal) => {
                self.tell_of_refusal(&refusal);
                Err(refusal)
            }
        }
    }

    /// The same request a second time is answered like the first; another one under its id is refused.
    fn held_before(&self, existing: &ReservationRow, request: &HoldRequest) -> Result<Granted, Refusal> {
        let same = existing.state == "held"
            && existing.org_id == request.payer.org_id
            && existing.key_path == request.payer.joined_path()
            && existing.held_nano == request.amount.0
            && existing.model_requested == request.model_requested;
        if same { Ok(self.granted(existing, &existing.nodes())) } else { Err(Refusal::IdReused) }
    }

    /// When the call is held, if all its limits have room: when the youngest of them opened at the earliest, so that
    /// clocks of several instances cannot count it in a window that is past.
    fn time_of_hold(
        &self,
        nodes: &[NodeId],
        request: &HoldRequest,
        wallet: &WalletRow,
    ) -> Result<i64, Refusal> {
        let rows = || nodes.iter().flat_map(|node| self.limits_of(node));
        let held_at_ms = rows().map(LimitRow::not_before_ms).fold(self.now_ms, i64::max);
        let full = || rows().filter(|row| !row.fits(request.amount.0, held_at_ms));
        if full().next().is_none() {
            return Ok(held_at_ms);
        }
        let zone = zone_of(wallet);
        let full = full().map(|row| row.current(held_at_ms, &zone).state_at(held_at_ms));
        match full.min_by_key(crate::call::LimitState::remaining) {
            Some(limit) => Err(Refusal::LimitExceeded { limit, required: request.amount }),
            None => Ok(held_at_ms),
        }
    }

    /// Everything has room: write the hold into every counter.
    fn take(&mut self, request: &HoldRequest, held_at_ms: i64, nodes: &[NodeId]) -> Granted {
        let (org_id, amount_nano) = (&request.payer.org_id, request.amount.0);
        self.hold_limits(org_id, amount_nano, held_at_ms, nodes);
        if let Some(wallet) = self.loaded.wallets.get_mut(org_id) {
            wallet.change().held_nano += amount_nano;
        }
        let org_lots = self.loaded.lots.entry(org_id.clone()).or_default();
        let pins = lots::pin(org_lots, &request.reservation_id, amount_nano);
        self.changes.pins.extend(pins.iter().cloned());
        self.loaded.pins.insert(request.reservation_id.clone(), pins);
        let row = self.reservation(request, held_at_ms);
        let granted = self.granted(&row, nodes);
        self.loaded.reservations.insert(row.id.clone(), Kept::new(row));
        granted
    }

    /// Into the limits' current windows; those that have ended open anew.
    fn hold_limits(&mut self, org_id: &str, amount_nano: i64, held_at_ms: i64, nodes: &[NodeId]) {
        let wallet = self.loaded.wallets.get(org_id);
        for node in nodes {
            for limit in self.loaded.limits.get_mut(node.as_str()).into_iter().flatten() {
                if limit.is_over(held_at_ms) {
                    let zone = wallet.map_or(TimeZone::UTC, |wallet| zone_of(wallet));
                    *limit.change() = limit.current(held_at_ms, &zone);
                }
                limit.change().held_nano += amount_nano;
            }
        }
    }

    fn granted(&self, row: &ReservationRow, nodes: &[NodeId]) -> Granted {
        Granted {
            held: NanoUsd(row.held_nano),
            held_at_ms: row.held_at_ms,
            wallet_available: self.available(&row.org_id),
            limits: self.limit_states(nodes),
        }
    }

    fn reservation(&self, request: &HoldRequest, held_at_ms: i64) -> ReservationRow {
        ReservationRow {
            id: request.reservation_id.clone(),
            org_id: request.payer.org_id.clone(),
            deployment_id: request.payer.deployment_id.clone(),
            member_id: request.payer.member_id.clone(),
            key_id: request.payer.key_id().to_owned(),
            key_path: request.payer.joined_path(),
            state: "held".to_owned(),
            reason: None,
            held_nano: request.amount.0,
            charged_nano: None,
            price_version: request.price_version,
            model_requested: request.model_requested.clone(),
            protocol: request.facts.protocol.clone(),
            stream: request.facts.stream,
            key_name: request.facts.key_name.clone(),
            // Strings, integers and booleans only: this always serialises.
            request_json: serde_json::to_string(&request.facts).unwrap_or_default(),
            owner: self.lease.owner.clone(),
            expires_at_ms: self.now_ms + self.lease.length_ms,
            held_at_ms,
            resolved_at_ms: None,
            resolved_seq: None,
            model_served: None,
            usage_source: None,
            input_tokens: 0,
            cache_read_tokens: 0,
            cache_write_tokens: 0,
            output_tokens: 0,
            reasoning_tokens: 0,
            searches: 0,
            attempts: 0,
            first_content_ms: None,
            duration_ms: None,
            images: 0,
            video_ms: 0,
            audio_ms: 0,
            characters: 0,
            rerank_units: 0,
        }
    }

    fn credit(&mut self, credit: &Credit) -> Result<Credited, BookingError> {
        let key = (credit.org_id.clone(), credit.idempotency_key.clone());
        if let Some(before) = self.booked_before(&key, credit.amount.0) {
            return before;
        }
        let wallet = self.loaded.wallets.get(&credit.org_id).ok_or(BookingError::NoWallet)?;
        if credit.amount <= NanoUsd::ZERO {
            return Err(BookingError::NotPositive);
        }
        let fits =
            NanoUsd(wallet.posted_nano).checked_add(credit.amount).is_some_and(|sum| sum <= MAX_WALLET);
        if !fits {
            return Err(BookingError::WalletFull);
        }
        self.loaded.credited.insert(key, credit.amount.0);
        self.book(credit);
        self.collect(&credit.org_id, None);
        Ok(Credited::Booked { available: self.available(&credit.org_id) })
    }

    /// What an idempotency key that was used before is answered with.
    pub(crate) fn booked_before(
        &self,
        key: &(String, String),
        moved_nano: i64,
    ) -> Option<Result<Credited, BookingError>> {
        let before = self.loaded.credited.get(key)?;
        Some(if *before == moved_nano {
            Ok(Credited::Already { available: self.available(&key.0) })
        } else {
            Err(BookingError::IdempotencyMismatch)
        })
    }

    fn book(&mut self, credit: &Credit) {
        let (kind, lot_kind, priority, against) = match credit.kind {
            CreditKind::TopUp => ("top_up", "principal", lots::PRINCIPAL_PRIORITY, Account::PspClearing),
            CreditKind::Grant => ("grant", "bonus", lots::BONUS_PRIORITY, Account::BonusExpense),
        };
        let lot = LotRow {
            id: self.world.id("lot"),
            org_id: credit.org_id.clone(),
            kind: lot_kind.to_owned(),
            granted_nano: credit.amount.0,
            remaining_nano: credit.amount.0,
            pinned_nano: 0,
            priority,
            expires_at_ms: credit.expires_at_ms,
            created_at_ms: self.now_ms,
        };
        let lot_move = LotMove {
            lot_id: lot.id.clone(),
            account: Account::of_lot(lot_kind),
            amount_nano: credit.amount.0,
        };
        let org_lots = self.loaded.lots.entry(credit.org_id.clone()).or_default();
        org_lots.push(Kept::new(lot));
        lots::sort(org_lots);
        self.post(
            &credit.org_id,
            Posting {
                id: self.world.id("jtx"),
                kind,
                reservation_id: None,
                idem_key: Some(&credit.idempotency_key),
                note: Some(&credit.note),
                price_version: None,
                at_ms: self.now_ms,
                moves: vec![lot_move],
                against,
            },
        );
    }

    pub(crate) fn lapse(&mut self, org_id: &str) -> bool {
        let Some(org_lots) = self.loaded.lots.get_mut(org_id) else { return false };
        let moves = lots::lapse(org_lots, self.now_ms);
        if moves.is_empty() {
            return false;
        }
        self.post(
            org_id,
            Posting {
                id: self.world.id("jtx"),
                kind: "breakage",
                reservation_id: None,
                idem_key: None,
                note: None,
                price_version: None,
                at_ms: self.now_ms,
                moves,
                against: Account::Breakage,
            },
        );
        true
    }

    pub(crate) fn post(&mut self, org_id: &str, posting: Posting<'_>) {
        let Some(wallet) = self.loaded.wallets.get_mut(org_id) else { return };
        let before_nano = wallet.posted_nano;
        let (transaction, entries) = journal::post(wallet.change(), posting);
        let alert = alerts::of_balance(before_nano, wallet);
        self.tell(alert);
        self.changes.transactions.push(transaction);
        self.changes.entries.extend(entries);
    }

    pub(crate) fn available(&self, org_id: &str) -> NanoUsd {
        self.loaded
            .wallets
            .get(org_id)
            .map_or(NanoUsd::ZERO, |wallet| NanoUsd(wallet.posted_nano - wallet.held_nano))
    }

    fn limits_of(&self, node: &NodeId) -> impl Iterator<Item = &LimitRow> {
        self.loaded.limits.get(node.as_str()).into_iter().flatten().map(|kept| &**kept)
    }

    pub(crate) fn limit_states(&self, nodes: &[NodeId]) -> Vec<crate::call::LimitState> {
        nodes.iter().flat_map(|node| self.limits_of(node)).map(|row| row.state_at(self.now_ms)).collect()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    pub(crate) fn world(&self) -> &World {
        self.world
    }
}

fn zone_of(wallet: &WalletRow) -> TimeZone {
    time_zone(&wallet.time_zone).unwrap_or(TimeZone::UTC)
}

/// An outcome as a row names it; a held row has none.
pub(crate) fn outcome_of(row: &ReservationRow) -> Option<Outcome> {
    Outcome::parse(&row.state)
}
