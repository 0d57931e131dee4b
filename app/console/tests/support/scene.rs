//! Calls that happened: held, settled and released by the real ledger at prices of the real book.
use super::Bench;
use bytespike_accounts::people::Membership;
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{
    BookOptions, Catalog, Markup, NanoUsd, Overrides, PriceBook, PriceExport, Served, Usage, charge,
};
use bytespike_ledger::{
    Attempt, Held, HoldRequest, Payer, Reason, Release, RequestFacts, Settlement, UsageSource,
};

pub const MODEL: &str = "claude-sonnet-5-5";

/// How a call of a scene goes.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub key_id: &'a str,
    pub key_name: &'a str,
    pub model: &'a str,
    pub usage: Usage,
    /// Channels that failed before the last one.
    pub failed: usize,
}

impl<'a> Call<'a> {
    pub fn with(key_id: &'a str, key_name: &'a str) -> Self {
        let usage =
            Usage { input_tokens: 612, cache_read_tokens: 1_905, output_tokens: 43, ..Usage::default() };
        Self { key_id, key_name, model: MODEL, usage, failed: 0 }
    }
}

impl Bench {
    pub async fn member(&self, email: &str) -> Membership {
        let person =
            bytespike_store::person::find_by_email(&self.store, email).await.expect("read").expect("known");
        self.state.accounts.people.membership(&person.id, None).await.expect("read").expect("a member")
    }

    pub async fn hold(&self, member: &Membership, call: Call<'_>) -> Held {
        let state = &self.state;
        let request = HoldRequest {
            reservation_id: state.world.id("rcp"),
            payer: Payer {
                org_id: member.org_id().to_owned(),
                deployment_id: member.deployment_id().to_owned(),
                member_id: member.member_id().to_owned(),
                key_path: vec![call.key_id.to_owned()],
            },
            amount: NanoUsd(16_412_000),
            price_version: 1,
            model_requested: call.model.to_owned(),
            facts: facts(state.world.id("req"), member, call.key_name),
        };
        state.ledger.hold(request).await.expect("held")
    }

    /// A call whose answer arrived. Answers its receipt's id.
    pub async fn settled(&self, member: &Membership, call: Call<'_>) -> String {
        let held = self.hold(member, call).await;
        self.clock.advance(1_904);
        let book = book();
        let served = Served { requested: call.model, served: call.model, held_at_ms: held.held_at_ms };
        let settlement = Settlement {
            reservation_id: held.reservation_id.clone(),
            org_id: member.org_id().to_owned(),
            charge: charge(&book, &call.usage, served).expect("a price"),
            usage: call.usage,
            usage_source: UsageSource::Provider,
            reason: "stop".to_owned(),
            attempts: attempts(call, held.held_at_ms, true),
        };
        self.state.ledger.settle(settlement).await.expect("settled");
        held.reservation_id.clone()
    }

    /// A call that cost nothing. Answers its receipt's id.
    pub async fn released(&self, member: &Membership, call: Call<'_>, reason: Reason) -> String {
        let held = self.hold(member, call).await;
        self.clock.advance(842);
        let release = Release {
            reservation_id: held.reservation_id.clone(),
            org_id: member.org_id().to_owned(),
            reason,
            attempts: attempts(call, held.held_at_ms, false),
        };
        self.state.ledger.release(release).await.expect("released");
        held.reservation_id.clone()
    }
}

/// What is priced on a bench; one model of it can be called.
pub fn prices() -> PriceExport {
    PriceExport::new(&book(), &[MODEL.to_owned()].into(), super::START_MS)
}

pub fn book() -> PriceBook {
    let options = BookOptions {
        markup: Markup::LIST_PRICE,
        fx: FxRate::new("2026-11-22", "7.1200", "a test").expect("a rate"),
        extra: Vec::new(),
        overrides: Overrides::default(),
        at_ms: super::START_MS,
    };
    PriceBook::build(&Catalog::embedded().expect("the catalogue reads"), &options).expect("a book")
}

fn facts(request_id: String, member: &Membership, key_name: &str) -> RequestFacts {
    RequestFacts {
        request_id,
        protocol: "anthropic".to_owned(),
        stream: true,
        price_hash: "sha256:5f1c".to_owned(),
        org_name: member.org_name().to_owned(),
        deployment_name: "default".to_owned(),
        member_name: member.person_name().to_owned(),
        key_name: key_name.to_owned(),
        key_hint: "sk-byts-7Qm3…LZbv".to_owned(),
        fx_id: "fx_2026-11-22".to_owned(),
        usd_cny: "7.1200".to_owned(),
        usd_cny_micro: 7_120_000,
        ..RequestFacts::default()
    }
}

fn attempts(call: Call<'_>, started_at_ms: i64, landed: bool) -> Vec<Attempt> {
    let failed = |n: usize| Attempt {
        channel_id: format!("anthropic-{}", n + 1),
        model_served: call.model.to_owned(),
        http_status: Some(529),
        outcome: "upstream_overloaded".to_owned(),
        started_at_ms,
        duration_ms: 212,
        ..Attempt::default()
    };
    let last = Attempt {
        channel_id: "anthropic-main".to_owned(),
        model_served: call.model.to_owned(),
        http_status: Some(if landed { 200 } else { 502 }),
        outcome: if landed { "ok" } else { "upstream_error" }.to_owned(),
        started_at_ms,
        duration_ms: if landed { 1_904 } else { 842 },
        first_content_ms: landed.then_some(411),
        landed,
        finish: landed.then(|| "stop".to_owned()),
        native_finish: landed.then(|| "end_turn".to_owned()),
        ..Attempt::default()
    };
    (0..call.failed).map(failed).chain([last]).collect()
}
