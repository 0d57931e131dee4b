//! How a hold ends: settled, released or expired, once. Nothing else ever changes a reservation.
use crate::alerts;
use crate::batch::{Batch, outcome_of};
use crate::call::{Attempt, Outcome, Release, Resolution, ResolveError, Settlement};
use crate::journal::{Account, LotMove, Posting};
use crate::kept::Kept;
use crate::landed::Reason;
use crate::late::LATE_USAGE;
use crate::lots;
use crate::node::NodeId;
use crate::receipt;
use crate::rows::{AbsorbedRow, AttemptRow, ReceiptRow, ReservationRow};
use bytespike_catalog::NanoUsd;
use std::collections::BTreeMap;

/// One ending, whichever of the three.
struct Ending<'a> {
    outcome: Outcome,
    reason: &'a str,
    settlement: Option<&'a Settlement>,
    attempts: &'a [Attempt],
}

impl Batch<'_> {
    pub(crate) fn settle(&mut self, settlement: &Settlement) -> Result<Resolution, ResolveError> {
        let (id, org_id) = (&settlement.reservation_id, &settlement.org_id);
        let reason = clean(&settlement.reason);
        let ending = Ending {
            outcome: Outcome::Settled,
            reason: &reason,
            settlement: Some(settlement),
            attempts: &settlement.attempts,
        };
        self.end(id, org_id, &ending)
    }

    pub(crate) fn release(&mut self, release: &Release) -> Result<Resolution, ResolveError> {
        let ending = Ending {
            outcome: Outcome::Released,
            reason: release.reason.name(),
            settlement: None,
            attempts: &release.attempts,
        };
        self.end(&release.reservation_id, &release.org_id, &ending)
    }

    /// Only when the lease has really run out: its owner may have renewed it meanwhile.
    pub(crate) fn expire(&mut self, id: &str, org_id: &str) -> Result<Resolution, ResolveError> {
        let still_leased =
            |row: &Kept<ReservationRow>| row.state == "held" && row.expires_at_ms > self.now_ms();
        if self.loaded.reservations.get(id).is_some_and(still_leased) {
            return Err(ResolveError::Unknown(id.to_owned()));
        }
        let reason = Reason::Expired.name();
        self.end(id, org_id, &Ending { outcome: Outcome::Expired, reason, settlement: None, attempts: &[] })
    }

    /// The one compare-and-set: a row that is not held any more is left alone.
    fn end(&mut self, id: &str, org_id: &str, ending: &Ending<'_>) -> Result<Resolution, ResolveError> {
        let unknown = || ResolveError::Unknown(id.to_owned());
        let (id, mut row) = self.loaded.reservations.remove_entry(id).ok_or_else(unknown)?;
        let resolved = if row.org_id == org_id { self.end_once(&mut row, ending) } else { Err(unknown()) };
        self.loaded.reservations.insert(id, row);
        resolved
    }

    fn end_once(
        &mut self,
        row: &mut Kept<ReservationRow>,
        ending: &Ending<'_>,
    ) -> Result<Resolution, ResolveError> {
        match outcome_of(row) {
            None => Ok(self.end_held(row, ending)),
            Some(outcome) if outcome == ending.outcome => Ok(self.ended_before(row, outcome)),
            Some(outcome) => {
                self.record_late(row, outcome, ending);
                Err(ResolveError::AlreadyResolved(outcome))
            }
        }
    }

    /// An answer whose usage comes after its hold expired stays free; what it cost us is absorbed, once.
    fn record_late(&mut self, row: &ReservationRow, outcome: Outcome, ending: &Ending<'_>) {
        if outcome == Outcome::Expired {
            let late =
                ending.attempts.iter().filter_map(|attempt| attempt.cost_pico).filter(|cost| *cost > 0);
            let cost = late.fold(0i64, i64::saturating_add);
            self.absorb(row, BTreeMap::from([(LATE_USAGE.to_owned(), cost)]));
            self.keep_attempts(row, ending);
        }
    }

    fn end_held(&mut self, row: &mut Kept<ReservationRow>, ending: &Ending<'_>) -> Resolution {
        let held = NanoUsd(row.held_nano);
        // Never more than was held, whatever it came to.
        let charged = ending.settlement.map_or(NanoUsd::ZERO, |settlement| settlement.charge.nano.min(held));
        row.change().resolved_seq = self.next_resolution(&row.org_id);
        let nodes = row.nodes();
        self.free_limits(row, charged, &nodes);
        self.free_wallet(row, charged, ending.outcome);
        self.record_costs(row, ending);
        fill(row.change(), ending, charged, self.now_ms());
        let resolution = self.resolution(row, ending.outcome, charged, &nodes);
        self.write_receipt(row, ending, &resolution);
        resolution
    }

    fn ended_before(&self, row: &ReservationRow, outcome: Outcome) -> Resolution {
        self.resolution(row, outcome, NanoUsd(row.charged_nano.unwrap_or(0)), &row.nodes())
    }

    fn resolution(
        &self,
        row: &ReservationRow,
        outcome: Outcome,
        charged: NanoUsd,
        nodes: &[NodeId],
    ) -> Resolution {
        Resolution {
            reservation_id: row.id.clone(),
            outcome,
            reason: row.reason.clone().unwrap_or_default(),
            held: NanoUsd(row.held_nano),
            charged,
            wallet_available: self.available(&row.org_id),
            limits: self.limit_states(nodes),
        }
    }

    /// Counted under the wallet's lock: numbers come without gaps, and become visible in their order.
    fn next_resolution(&mut self, org_id: &str) -> Option<i64> {
        let wallet = self.loaded.wallets.get_mut(org_id)?;
        let wallet = wallet.change();
        wallet.resolved_seq += 1;
        Some(wallet.resolved_seq)
    }

    /// A call counts in the window it was held in; when that window is past, nothing is left to change.
    fn free_limits(&mut self, row: &ReservationRow, charged: NanoUsd, nodes: &[NodeId]) {
        let (mut alerts, now_ms) = (Vec::new(), self.now_ms());
        for node in nodes {
            for limit in self.loaded.limits.get_mut(node.as_str()).into_iter().flatten() {
                if limit.counts(row.held_at_ms) {
                    let limit = limit.change();
                    limit.held_nano -= row.held_nano;
                    limit.used_nano += charged.0;
                    alerts.extend(alerts::of_share(limit, now_ms));
                }
            }
        }
        for alert in alerts {
            self.tell(Some(alert));
        }
    }

    fn free_wallet(&mut self, row: &ReservationRow, charged: NanoUsd, outcome: Outcome) {
        let pins = self.loaded.pins.remove(&row.id).unwrap_or_default();
        let org_lots = self.loaded.lots.entry(row.org_id.clone()).or_default();
        let moves = lots::consume(org_lots, &pins, charged.0);
        if let Some(wallet) = self.loaded.wallets.get_mut(&row.org_id) {
            wallet.change().held_nano -= row.held_nano;
        }
        if outcome == Outcome::Settled {
            self.post_charge(row, moves);
        }
        self.collect(&row.org_id, None);
    }

    fn post_charge(&mut self, row: &ReservationRow, moves: Vec<LotMove>) {
        let posting = Posting {
            id: self.world().id("jtx"),
            kind: "settle",
            reservation_id: Some(&row.id),
            idem_key: None,
            note: None,
            price_version: Some(row.price_version),
            at_ms: self.now_ms(),
            moves,
            against: Account::Revenue,
        };
        self.post(&row.org_id, posting);
    }

    /// Attempts, and what they cost us beyond what is charged, by cause.
    fn record_costs(&mut self, row: &ReservationRow, ending: &Ending<'_>) {
        let mut by_cause: BTreeMap<String, i64> = BTreeMap::new();
        for attempt in ending.attempts {
            let paid_for = attempt.landed && ending.outcome == Outcome::Settled;
            if let Some(cost) = attempt.cost_pico.filter(|cost| *cost > 0 && !paid_for) {
                // A try that went well and gave nothing costs us for the reason that the call is free.
                let well = attempt.landed || attempt.outcome == "ok";
                let cause = if well { ending.reason.to_owned() } else { clean(&attempt.outcome) };
                let sum = by_cause.entry(cause).or_default();
                *sum = sum.saturating_add(cost);
            }
        }
        let excess = ending.settlement.map_or(0, |settlement| settlement.charge.nano.0 - row.held_nano);
        if excess > 0 {
            by_cause.insert("over_hold".to_owned(), excess.saturating_mul(1_000));
        }
        self.absorb(row, by_cause);
        self.keep_attempts(row, ending);
    }

    fn absorb(&mut self, row: &ReservationRow, by_cause: BTreeMap<String, i64>) {
        let at_ms = self.now_ms();
        let causes = by_cause.into_iter().filter(|(_, amount_pico)| *amount_pico > 0);
        self.changes.absorbed.extend(causes.map(|(cause, amount_pico)| AbsorbedRow {
            reservation_id: row.id.clone(),
            cause,
            org_id: row.org_id.clone(),
            key_id: row.key_id.clone(),
            amount_pico,
            at_ms,
        }));
    }

    fn keep_attempts(&mut self, row: &ReservationRow, ending: &Ending<'_>) {
        self.changes
            .attempts
            .extend((1..).zip(ending.attempts).map(|(seq, attempt)| attempt_row(&row.id, seq, attempt)));
    }

    fn write_receipt(&mut self, row: &ReservationRow, ending: &Ending<'_>, resolution: &Resolution) {
        let body_json = receipt::write(&receipt::Facts {
            reservation: row,
            outcome: ending.outcome,
            reason: ending.reason,
            charged: resolution.charged,
            settlement: ending.settlement,
            attempts: ending.attempts,
            wallet_available: resolution.wallet_available,
            limits: &resolution.limits,
            resolved_at_ms: self.now_ms(),
        });
        self.changes.receipts.push(ReceiptRow {
            id: row.id.clone(),
            org_id: row.org_id.clone(),
            settled: ending.outcome == Outcome::Settled,
            at_ms: self.now_ms(),
            body_json,
        });
    }
}

/// Writes the ending into the reservation's row.
fn fill(row: &mut ReservationRow, ending: &Ending<'_>, charged: NanoUsd, now_ms: i64) {
    let landed = ending.attempts.iter().find(|attempt| attempt.landed);
    ending.outcome.name().clone_into(&mut row.state);
    row.reason = Some(ending.reason.to_owned());
    row.charged_nano = Some(charged.0);
    row.resolved_at_ms = Some(now_ms);
    row.duration_ms = Some((now_ms - row.held_at_ms).max(0));
    row.attempts = i64::try_from(ending.attempts.len()).unwrap_or(i64::MAX);
    row.model_served = landed.map(|attempt| clean(&attempt.model_served));
    row.first_content_ms =
        landed.and_then(receipt::first_content_at_ms).map(|at_ms| (at_ms - row.held_at_ms).max(0));
    let Some(settlement) = ending.settlement else { return };
    let usage = &settlement.usage;
    row.usage_source = Some(settlement.usage_source.name().to_owned());
    row.input_tokens = count(usage.input_tokens);
    row.cache_read_tokens = count(usage.cache_read_total());
    row.cache_write_tokens = count(usage.cache_write_total());
    row.output_tokens = count(usage.output_tokens);
    row.reasoning_tokens = count(usage.reasoning_tokens);
    row.searches = count(usage.searches);
    let Some(media) = usage.media else { return };
    row.images = count(media.images);
    row.video_ms = count(media.video_ms);
    row.audio_ms = count(media.audio_ms());
    row.characters = count(media.characters);
    row.rerank_units = count(media.rerank_units);
}

fn attempt_row(reservation_id: &str, seq: i64, attempt: &Attempt) -> AttemptRow {
    AttemptRow {
        reservation_id: reservation_id.to_owned(),
        seq,
        channel_id: attempt.channel_id.clone(),
        model_served: clean(&attempt.model_served),
        upstream_request_id: attempt.upstream_request_id.as_deref().map(clean),
        http_status: attempt.http_status.map(i64::from),
        outcome: clean(&attempt.outcome),
        started_at_ms: attempt.started_at_ms,
        duration_ms: attempt.duration_ms.max(0),
        first_content_ms: attempt.first_content_ms,
        native_finish: attempt.native_finish.as_deref().map(clean),
        usage_json: attempt.usage.and_then(|usage| serde_json::to_string(&usage).ok()),
        cost_pico: attempt.cost_pico.map(|cost| cost.max(0)),
    }
}

/// What an upstream wrote may hold a NUL, which PostgreSQL text cannot, and be of any length.
fn clean(text: &str) -> String {
    if text.len() <= 200 && !text.contains('\0') {
        return text.to_owned();
    }
    text.chars().filter(|character| *character != '\0').take(200).collect()
}

fn count(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}
