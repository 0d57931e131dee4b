//! Usage by group: added rows and the tail together are what the bare rows add up to, whichever way they are cut.
use crate::history::{Bare, History, ORGS};
use bytespike_ledger::{
    Dimension, Order, Outcome, QUARTER_MS, UsageFilter, UsageKey, UsageSums, joined_key_path, time_zone,
};
use bytespike_store::testing::on_each_database;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"];

fn all_time() -> UsageFilter {
    UsageFilter { from_ms: 0, to_ms: i64::MAX / 2, ..UsageFilter::default() }
}

fn total(groups: &BTreeMap<UsageKey, UsageSums>) -> UsageSums {
    groups.values().fold(UsageSums::default(), |mut total, sums| {
        total.add(sums);
        total
    })
}

/// (settled calls, charged, calls that were free, what those held, output tokens)
fn figures(sums: &UsageSums) -> (i64, i64, i64, i64, i64) {
    let quantities = &sums.quantities;
    (
        sums.settled_calls,
        sums.charged_nano,
        sums.not_billed_calls(),
        sums.not_billed_held_nano,
        quantities.output_tokens,
    )
}

fn figures_of<'a>(calls: impl Iterator<Item = &'a Bare>) -> (i64, i64, i64, i64, i64) {
    calls.fold((0, 0, 0, 0, 0), |(settled, charged, free, free_held, output), call| {
        if call.state == "settled" {
            (settled + 1, charged + call.charged_nano, free, free_held, output + call.output_tokens)
        } else {
            (settled, charged, free + 1, free_held + call.held_nano, output)
        }
    })
}

#[tokio::test]
async fn i20_rows_and_tail_are_what_the_calls_add_up_to_whichever_way_they_are_cut() {
    on_each_database(async |store| {
        let mut history = History::begin(store, 1, ["UTC", "Asia/Shanghai"]).await;
        for _ in 0..3 {
            history.live(crate::history::steps(40), 30).await;
            for org_id in ORGS {
                check_all_cuts(&history, org_id).await;
            }
        }
        history.ledger.roll_up().await.expect("adds");
        assert_eq!(history.ledger.roll_up().await.expect("adds"), 0, "nothing is left to add");
        for org_id in ORGS {
            check_all_cuts(&history, org_id).await;
        }
    })
    .await;
}

async fn check_all_cuts(history: &History, org_id: &str) {
    let bare = history.bare(org_id).await;
    let expected = figures_of(bare.iter());
    for by in Dimension::ALL {
        let groups = history.ledger.usage(org_id, &all_time(), (&[by], &TimeZone::UTC)).await.expect("reads");
        assert_eq!(figures(&total(&groups)), expected, "by {}", by.name());
        for (key, sums) in groups {
            let fits = |call: &&Bare| belongs(call, &key);
            if key.start_ms.is_none() {
                assert_eq!(figures(&sums), figures_of(bare.iter().filter(fits)), "{key:?}");
            }
        }
    }
    check_a_span(history, org_id, &bare).await;
    check_days(history, org_id, &bare).await;
    check_receipts_and_pages(history, org_id, &bare).await;
}

fn belongs(call: &Bare, key: &UsageKey) -> bool {
    let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    same(&key.model, &call.model_requested)
        && same(&key.key_id, &call.key_id)
        && same(&key.member_id, &call.member_id)
        && same(&key.deployment_id, &call.deployment_id)
        && same(&key.outcome, &call.state)
}

/// A random span of whole quarters, below the root key, of one outcome.
async fn check_a_span(history: &History, org_id: &str, bare: &[Bare]) {
    let first = bare.iter().map(|call| call.resolved_at_ms).min().unwrap_or(0) / QUARTER_MS * QUARTER_MS;
    let from_ms = first + history.small(500) * QUARTER_MS;
    let to_ms = from_ms + history.small(3_000) * QUARTER_MS;
    let below = joined_key_path(&["key_root".to_owned()]);
    let filter = UsageFilter {
        from_ms,
        to_ms,
        below_path: Some(below.clone()),
        outcomes: vec![Outcome::Released, Outcome::Settled],
        ..UsageFilter::default()
    };
    let groups = history.ledger.usage(org_id, &filter, (&[], &TimeZone::UTC)).await.expect("reads");
    let inside = bare.iter().filter(|call| {
        (from_ms..to_ms).contains(&call.resolved_at_ms)
            && call.key_path.starts_with(&below)
            && call.state != "expired"
    });
    assert_eq!(figures(&total(&groups)), figures_of(inside));
}

/// Days and hours of every kind of zone.
async fn check_days(history: &History, org_id: &str, bare: &[Bare]) {
    for name in ZONES {
        let zone = time_zone(name).expect("bundled");
        let local = |at_ms: i64| Timestamp::from_millisecond(at_ms).expect("a time").to_zoned(zone.clone());
        let days =
            history.ledger.usage(org_id, &all_time(), (&[Dimension::Day], &zone)).await.expect("reads");
        for (key, sums) in &days {
            let day = local(key.start_ms.expect("a day")).date();
            let inside = bare.iter().filter(|call| local(call.resolved_at_ms).date() == day);
            assert_eq!(figures(sums), figures_of(inside), "{day} in {name}");
        }
        let by = [Dimension::Hour, Dimension::Model];
        let hours = history.ledger.usage(org_id, &all_time(), (&by, &zone)).await.expect("reads");
        for key in hours.keys() {
            assert_eq!(local(key.start_ms.expect("an hour")).minute(), 0, "whole hours in {name}");
        }
        assert_eq!(total(&hours), total(&days));
    }
}

/// The charges on the receipts, and those of the calls in pages, are the same money.
async fn check_receipts_and_pages(history: &History, org_id: &str, bare: &[Bare]) {
    let (mut after, mut listed, mut on_receipts) = (None, Vec::new(), 0);
    loop {
        let page = (Order::OldestFirst, after, 25);
        let calls = history.ledger.resolved_calls(org_id, &all_time(), page).await.expect("reads");
        let Some(last) = calls.last() else { break };
        after = Some(last.resolved_seq);
        for call in &calls {
            let receipt = history.ledger.receipt(&call.call.id).await.expect("reads").expect("a receipt");
            let json: serde_json::Value = serde_json::from_str(&receipt.body).expect("JSON");
            let credits = json["charged"]["credits"].as_str().expect("text");
            on_receipts += bytespike_catalog::NanoUsd::from_credits(credits).expect("credits").0;
        }
        listed.extend(calls);
    }
    let charged: i64 = listed.iter().filter_map(|call| call.call.charged_nano).sum();
    let (_, expected, ..) = figures_of(bare.iter());
    assert_eq!((listed.len(), charged, on_receipts), (bare.len(), expected, expected));
    let newest = history.ledger.resolved_calls(org_id, &all_time(), (Order::NewestFirst, None, 1_000)).await;
    let mut newest = newest.expect("reads");
    newest.reverse();
    assert_eq!(newest, listed, "the same calls from the other end");
}

#[tokio::test]
async fn what_is_held_now_is_listed_the_oldest_first_and_in_pages() {
    on_each_database(async |store| {
        let mut history = History::begin(store, 5, ["UTC", "UTC"]).await;
        for _ in 0..7 {
            history.hold(ORGS[0]).await;
            history.hold(ORGS[1]).await;
            history.clock.advance(10);
        }
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let calls =
                history.ledger.held_calls(ORGS[0], &all_time(), (after.clone(), 3)).await.expect("reads");
            let Some(last) = calls.last() else { break };
            after = Some((last.held_at_ms, last.id.clone()));
            listed.extend(calls);
        }
        assert_eq!(listed.len(), 7);
        assert!(listed.windows(2).all(|pair| pair[0].held_at_ms < pair[1].held_at_ms));
        let below = UsageFilter { below_path: Some("/key_root/key_leaf/".to_owned()), ..all_time() };
        let few = history.ledger.held_calls(ORGS[0], &below, (None, 100)).await.expect("reads");
        assert!(few.iter().all(|call| call.key_id == "key_leaf") && few.len() < 7);
    })
    .await;
}

#[tokio::test]
async fn several_processes_add_every_call_once() {
    on_each_database(async |store| {
        let mut history = History::begin(store, 6, ["UTC", "UTC"]).await;
        history.live(60, 2).await;
        let jobs: Vec<_> = (0..4)
            .map(|_| {
                let ledger = history.ledger.clone();
                tokio::spawn(async move { ledger.roll_up().await })
            })
            .collect();
        for job in jobs {
            job.await.expect("runs").expect("adds");
        }
        for org_id in ORGS {
            check_all_cuts(&history, org_id).await;
        }
    })
    .await;
}
