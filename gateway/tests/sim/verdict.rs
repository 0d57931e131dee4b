//! What must be true when a run is over, found out from what its clients and its provider saw and from the database.
use crate::client::{Ask, Heard};
use crate::provider::SECRET;
use crate::recordings::{Ends, Used};
use crate::stage::{CACHE_READ_NANO, INPUT_NANO, OUTPUT_NANO, Stage, WALLET_NANO};
use crate::wire::{self, Ended, nano};
use bytespike_store::on_database;
use serde_json::Value;
use std::collections::BTreeMap;

/// One call of a run, afterwards.
pub struct Call {
    pub ask: Ask,
    pub heard: Heard,
    pub told: Told,
}

/// What may be demanded of a call's charge, from what was planned for it.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub count: Count,
    pub ends: Ends,
    /// The key may have been taken away while it ran.
    pub may_be_revoked: bool,
    /// The ledger was in trouble while it ran: it may be free, or charged although the client was not told.
    pub in_trouble: bool,
}

/// The provider's count of an answer that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// What a client that gets all of it pays for.
    Believed(Used),
    /// It may be missing, or too high: what is charged lies between nothing and the hold.
    Doubtful,
    /// No answer can have used that: it may be free.
    Impossible,
}

/// A call's row and receipt.
struct Resolved {
    state: String,
    reason: String,
    held_nano: i64,
    charged_nano: i64,
    receipt: Value,
}

/// Checks everything, and leaves every receipt in the log.
pub async fn check(stage: &Stage, calls: &[Call]) {
    assert_eq!(stage.ledger.check_invariants().await.expect("the checks run"), []);
    let mut resolved = resolved(stage).await;
    let charged: i64 = resolved.values().map(|call| call.charged_nano).sum();
    let wallet = stage.ledger.wallet(&stage.prepared.org_id).await.expect("reads").expect("a wallet");
    assert_eq!(
        (wallet.held.0, wallet.posted.0),
        (0, WALLET_NANO - charged),
        "nothing is held, nothing is lost"
    );
    for call in calls {
        let label = &call.ask.label;
        let row = call.heard.header("x-receipt-id").and_then(|id| resolved.remove(id));
        check_call(call, row.as_ref()).unwrap_or_else(|wrong| panic!("{label}: {wrong}"));
    }
    // Calls whose client left before it could learn the id.
    let told_nothing = calls.iter().any(|call| call.told.in_trouble);
    for (id, row) in resolved {
        assert!(
            told_nothing || row.charged_nano == 0,
            "{id} was charged to a client that got nothing: {}",
            row.receipt
        );
    }
    nothing_secret(stage, calls);
}

fn check_call(call: &Call, row: Option<&Resolved>) -> Result<(), String> {
    let heard = &call.heard;
    let Some(status) = heard.status else { return Ok(()) };
    let (ended, cost) = read(call)?;
    let Some(row) = row else {
        return match (status, ended) {
            (200, _) | (_, Ended::Well) => Err("an answer without a receipt".to_owned()),
            _ => Ok(()),
        };
    };
    let about =
        |wrong: &str| Err(format!("{wrong}; ended {ended:?}, {} {}: {}", row.state, row.reason, row.receipt));
    if let Some((credits, _)) = &cost
        && nano(credits) != row.charged_nano
    {
        return about(&format!("the last event says {credits}"));
    }
    let told = call.told;
    let left = status == 200 && !heard.is_whole;
    match who_pays(call, ended, left)? {
        _ if told.in_trouble => Ok(()),
        Pays::Nothing if row.charged_nano == 0 && row.state != "settled" => Ok(()),
        Pays::Nothing => about("it should be free"),
        Pays::Usage(used) if cost.is_none() && heard.is_whole && shows_cost(call) => {
            about(&format!("no cost was told for {used:?}"))
        }
        Pays::Usage(used) if row.charged_nano == price(used).min(row.held_nano) => Ok(()),
        Pays::Usage(used) => about(&format!("it should cost {}", price(used))),
        Pays::Something if row.state == "settled" && 0 < row.charged_nano => Ok(()),
        Pays::Something => about("what was delivered should be charged"),
        Pays::PerhapsSomething => Ok(()),
    }
}

/// Who pays, by the published rule.
#[derive(Debug)]
enum Pays {
    Nothing,
    Usage(Used),
    /// More than nothing, and no more than was held.
    Something,
    /// The client cannot know how far it came.
    PerhapsSomething,
}

fn who_pays(call: &Call, ended: Ended, left: bool) -> Result<Pays, String> {
    let told = call.told;
    let took_content = match call.ask.stream && call.heard.status == Some(200) {
        true => wire::has_content(&call.ask, &wire::events(&call.heard.taken_bytes())?),
        false => false,
    };
    // A whole answer is charged from the moment it is settled, which its status line says.
    let settled = left && !call.ask.stream;
    Ok(match if settled { Ended::Well } else { ended } {
        Ended::Well if told.ends == Ends::Refused => Pays::Nothing,
        Ended::Well if told.ends == Ends::InError => {
            return Err("an error came through as an answer".to_owned());
        }
        Ended::Well => match told.count {
            Count::Believed(used) => Pays::Usage(used),
            Count::Doubtful => Pays::Something,
            Count::Impossible => Pays::PerhapsSomething,
        },
        // Its own key was taken away: as if it had left.
        Ended::InError if told.may_be_revoked => Pays::PerhapsSomething,
        Ended::InError => Pays::Nothing,
        Ended::Open if left && took_content => Pays::Something,
        Ended::Open if left => Pays::Nothing,
        // Its status line was an error's.
        Ended::Open if !call.heard.is_whole => Pays::Nothing,
        Ended::Open => return Err("the answer has no end".to_owned()),
    })
}

/// How the answer ended, and what it says it cost.
fn read(call: &Call) -> Result<(Ended, Option<(String, String)>), String> {
    let (ask, heard) = (&call.ask, &call.heard);
    let bytes = heard.bytes();
    if heard.status == Some(200) && ask.stream {
        let events = wire::events(&bytes)?;
        let ended = wire::check_order(ask.dialect, &events)?;
        return Ok((ended, wire::cost(wire::usages(&events))));
    }
    if !heard.is_whole {
        return Ok((Ended::Open, None));
    }
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| format!("not JSON: {error}"))?;
    let is_error = body["error"]["message"].is_string();
    match (heard.status, is_error) {
        (Some(200), false) => Ok((Ended::Well, wire::cost([body["usage"].clone()].into_iter()))),
        (Some(200), true) => Err("an error with status 200".to_owned()),
        (_, true) => Ok((Ended::InError, None)),
        (_, false) => Err(format!("an error that says nothing: {body}")),
    }
}

/// A chat client that did not ask for usage is not shown any.
fn shows_cost(call: &Call) -> bool {
    call.ask.dialect == bytespike_dialects::Dialect::Anthropic || !call.ask.stream || call.ask.wants_all
}

pub fn price(used: Used) -> i64 {
    used.input * INPUT_NANO + used.cache_read * CACHE_READ_NANO + used.output * OUTPUT_NANO
}

/// Every hold that was ever taken: none is held any more, and each has its receipt, whose sums are right.
async fn resolved(stage: &Stage) -> BTreeMap<String, Resolved> {
    type Row = (String, String, Option<String>, i64, Option<i64>);
    let sql = "select id, state, reason, held_nano, charged_nano from reservation order by id";
    let rows: Vec<Row> =
        on_database!(read &stage.store, db => bytespike_store::sqlx::query_as(sql).fetch_all(db).await)
            .expect("the reservations");
    let mut resolved = BTreeMap::new();
    for (id, state, reason, held_nano, charged_nano) in rows {
        let receipt = stage.ledger.receipt(&id).await.expect("reads");
        let receipt = receipt.unwrap_or_else(|| panic!("{id} is {state} and has no receipt"));
        stage.log.note("ledger", &receipt.body);
        let receipt: Value = serde_json::from_str(&receipt.body).expect("a receipt is JSON");
        let charged_nano = charged_nano.unwrap_or_else(|| panic!("{id} is still {state}"));
        let credits = |part: &str| nano(receipt[part]["credits"].as_str().expect("credits are text"));
        assert_eq!(credits("held"), held_nano, "{receipt}");
        assert_eq!(credits("charged"), charged_nano, "{receipt}");
        assert_eq!(credits("held"), credits("charged") + credits("returned"), "{receipt}");
        assert!(state == "settled" || charged_nano == 0, "{receipt}");
        let reason = reason.unwrap_or_else(|| panic!("{id} is {state} for no reason"));
        resolved.insert(id, Resolved { state, reason, held_nano, charged_nano, receipt });
    }
    resolved
}

/// Neither the provider's key nor a client's stands in anything that was sent, or in the database's receipts.
fn nothing_secret(stage: &Stage, calls: &[Call]) {
    let log = stage.log.text();
    let secrets = stage.prepared.keys.iter().map(|key| key.secret.as_str()).chain([SECRET]);
    for secret in secrets {
        assert!(!log.contains(secret), "a secret is in what was sent");
        for call in calls {
            let headers = format!("{:?}", call.heard.headers);
            assert!(!headers.contains(secret), "{}: a secret is in the headers", call.ask.label);
        }
    }
}

/// What one call was charged, and why, by its receipt's id.
pub async fn charged(stage: &Stage, heard: &Heard) -> (String, i64) {
    let id = heard.header("x-receipt-id").expect("a call with a hold names its receipt");
    let receipt = stage.ledger.receipt(id).await.expect("reads").expect("a receipt");
    let receipt: Value = serde_json::from_str(&receipt.body).expect("a receipt is JSON");
    let credits = receipt["charged"]["credits"].as_str().expect("credits are text");
    (receipt["reason"].as_str().expect("a reason").to_owned(), nano(credits))
}
