//! Providers' reports beside our attempts, day by day.
use crate::support::{Desk, ORG, START_MS, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{
    Attempt, CostLine, CostReport, Reason, Reconciliation, ReconciliationFilter, Release,
};

const DAY_MS: i64 = 86_400_000;

/// A failed call with one attempt at each of these channels, for these pico-USD.
async fn attempts(desk: &Desk, costs: &[(&str, Option<i64>)]) {
    let held = desk.hold(5).await.expect("a hold");
    let attempt = |(channel, cost): &(&str, Option<i64>)| Attempt {
        channel_id: (*channel).to_owned(),
        outcome: "stream_broke".to_owned(),
        started_at_ms: desk.world.now_ms(),
        http_status: Some(200),
        cost_pico: *cost,
        ..Attempt::default()
    };
    let release = Release {
        reservation_id: held.reservation_id.clone(),
        org_id: ORG.to_owned(),
        reason: Reason::StreamBroke,
        attempts: costs.iter().map(attempt).collect(),
    };
    desk.ledger.release(release).await.expect("releases");
}

fn provider_of(channel: &str) -> Option<String> {
    channel.split_once('-').map(|(provider, _)| provider.to_owned())
}

fn report(lines: &[(&str, i64)]) -> CostReport {
    let line = |(day, nano): &(&str, i64)| CostLine {
        day: day.parse().expect("a day"),
        description: String::new(),
        amount: NanoUsd(*nano),
    };
    CostReport {
        provider: "acme".to_owned(),
        source: "f".to_owned(),
        lines: lines.iter().map(line).collect(),
    }
}

fn states(compared: &[Reconciliation]) -> Vec<(&str, &str)> {
    compared.iter().map(|day| (day.day.as_str(), day.state.as_str())).collect()
}

/// START_MS is 2026-11-24T06:00Z.
#[tokio::test]
async fn a_day_matches_within_the_tolerance_and_only_its_own_channels_count() {
    with_wallet(1_000_000, async |desk| {
        let dollar_pico = 1_000_000_000_000;
        attempts(
            desk,
            &[("acme-1", Some(300 * dollar_pico + 999)), ("acme-2", None), ("other-1", Some(dollar_pico))],
        )
        .await;
        attempts(desk, &[("acme-2", Some(100 * dollar_pico + 1)), ("unknown", Some(dollar_pico))]).await;
        let reported = async |nano: i64| {
            desk.ledger.import_costs(&report(&[("2026-11-24", nano)]), &provider_of).await.expect("imported")
        };
        let compared = reported(401_999_999_999).await;
        let day = &compared[0];
        assert_eq!((day.attempts, day.unpriced_attempts), (3, 1));
        assert_eq!((day.expected_nano, day.actual_nano), (400_000_000_001, Some(401_999_999_999)));
        assert_eq!((day.tolerance_nano, day.state.as_str()), (2_009_999_999, "matched"));
        assert_eq!(reported(403_000_000_000).await[0].state, "unmatched");
        // The newer report replaces the older one; there is one comparison of a day.
        let kept = desk.ledger.reconciliations(&ReconciliationFilter::default(), 10).await.expect("read");
        assert_eq!(states(&kept), [("2026-11-24", "unmatched")]);
    })
    .await;
}

#[tokio::test]
async fn the_daily_job_compares_again_and_names_days_without_a_report() {
    with_wallet(1_000_000, async |desk| {
        desk.ledger
            .import_costs(&report(&[("2026-11-24", 0), ("2026-11-25", 5_000_000_000)]), &provider_of)
            .await
            .expect("imported");
        attempts(desk, &[("acme-1", Some(1))]).await;
        desk.clock.advance(2 * DAY_MS);
        attempts(desk, &[("acme-1", Some(1))]).await;
        assert_eq!(
            states(&desk.ledger.reconcile(&provider_of).await.expect("compared")),
            [],
            "too early to say"
        );
        desk.clock.set(START_MS + 5 * DAY_MS);
        let compared = desk.ledger.reconcile(&provider_of).await.expect("compared");
        let expected = [("2026-11-24", "matched"), ("2026-11-25", "unmatched"), ("2026-11-26", "missing")];
        assert_eq!(states(&compared), expected);
        let filter =
            ReconciliationFilter { from: Some("2026-11-25".to_owned()), ..ReconciliationFilter::default() };
        let newest = desk.ledger.reconciliations(&filter, 10).await.expect("read");
        assert_eq!(states(&newest), [expected[2], expected[1]]);
    })
    .await;
}
