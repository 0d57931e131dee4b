//! Plays a plan: every call in a task of its own, everything else when its time comes, and the verdict at the end.
use crate::client;
use crate::log::Log;
use crate::plan::{Happening, Plan, Planned};
use crate::seeds::AGAIN;
use crate::stage::{Stage, on_stage};
use crate::verdict::{self, Call};
use bytespike_accounts::Origin;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_store::api_key::{self, KeyRef};
use bytespike_tests::setting;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Plays the seed's run and checks it. The answer is everything that happened, in order.
pub fn play(seed: u64) -> String {
    let plan = Plan::of(seed);
    on_stage(seed, async |stage| {
        let _told = Told(&stage.log);
        for call in &plan.calls {
            stage.log.note("plan", format_args!("{call:?}"));
        }
        let start = Instant::now();
        let calls: Vec<_> =
            plan.calls.into_iter().map(|call| tokio::spawn(ask_at(stage.clone(), start, call))).collect();
        for (at_ms, what) in plan.events {
            sleep_until(start + Duration::from_millis(at_ms)).await;
            happen(&stage, what).await;
        }
        let mut heard = Vec::new();
        for call in calls {
            heard.push(call.await.expect("a client does not panic"));
        }
        stage.trouble.set(None);
        stage.clock.set_right();
        stage.settle_down().await;
        verdict::check(&stage, &heard).await;
        stage.log.text()
    })
}

/// Tells what happened when a run fails: it is the only one where its seed was asked for.
struct Told<'a>(&'a Log);

impl Drop for Told<'_> {
    #[expect(clippy::print_stdout, reason = "a failed run is told to whoever asked for it")]
    fn drop(&mut self) {
        if std::thread::panicking() && setting(AGAIN).is_some() {
            println!("{}", self.0.text());
        }
    }
}

async fn ask_at(stage: Arc<Stage>, start: Instant, planned: Planned) -> Call {
    sleep_until(start + Duration::from_millis(planned.at_ms)).await;
    stage.provider.expect(&planned.ask.label, planned.replies);
    let heard = client::ask(&stage, &planned.ask).await;
    Call { ask: planned.ask, heard, told: planned.told }
}

async fn happen(stage: &Stage, what: Happening) {
    stage.log.note("event", format_args!("{what:?}"));
    match what {
        Happening::Revoke(key) => revoke(stage, key).await,
        Happening::Stop => stage.gateway.cut_and_drain().await,
        Happening::Trouble(trouble) => stage.trouble.set(trouble),
        Happening::ClockSet(by_ms) => stage.clock.set_by(by_ms),
    }
}

/// As another instance does it: this one learns of it by reading the counter.
pub async fn revoke(stage: &Stage, key: usize) {
    let Some(key) = stage.prepared.keys.get(key) else { return };
    let key = KeyRef { org_id: &stage.prepared.org_id, key_id: &key.id };
    let event = Event::new("key.revoked", Actor::Host).org(key.org_id).target(key.key_id);
    let entry = stage.gateway.accounts.audit.entry(&Origin::host(), event);
    api_key::set_state(&stage.store, key, ("revoked", 0), &entry).await.expect("the key is revoked");
}
