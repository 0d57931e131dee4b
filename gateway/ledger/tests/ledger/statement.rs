//! Statements: each begins with what the one before ended with, adds up, and never changes.
use crate::history::{History, ORGS, settlement};
use bytespike_ledger::{CreditKind, Order, Pockets, Statement, Status, UsageFilter, UsagePart};
use bytespike_store::testing::on_each_database;
use bytespike_store::{on_database, sqlx};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

const DAY_MS: i64 = 24 * 3_600_000;

async fn closed(history: &History, org_id: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    for line in history.ledger.statements(org_id).await.expect("reads").iter().rev() {
        let closed = history.ledger.statement(org_id, &line.month).await.expect("reads").expect("is closed");
        let json: serde_json::Value = serde_json::from_str(&closed.json()).expect("JSON");
        assert_eq!(json["hash"], format!("sha256:{}", line.hash));
        statements.push(closed.read().expect("a statement"));
    }
    statements
}

fn adds_up(statement: &Statement) {
    let pocket =
        |of: fn(&Pockets) -> i64| (of(&statement.opening), of(&statement.expired), of(&statement.closing));
    let (paid, paid_expired, paid_closing) = pocket(|p| p.paid_credits.nano());
    let (bonus, bonus_expired, bonus_closing) = pocket(|p| p.bonus_credits.nano());
    let usage = &statement.usage;
    assert_eq!(
        paid + statement.top_ups.credits.nano()
            - usage.from_paid_credits.nano()
            - paid_expired
            - statement.withdrawals.credits.nano()
            - statement.debits.taken.paid_credits.nano(),
        paid_closing,
        "{statement:?}"
    );
    assert_eq!(
        bonus + statement.grants.credits.nano()
            - usage.from_bonus_credits.nano()
            - bonus_expired
            - statement.debits.taken.bonus_credits.nano(),
        bonus_closing,
        "{statement:?}"
    );
    assert_eq!(paid_closing + bonus_closing, statement.closing.total_credits.nano());
    for parts in [&usage.by_model, &usage.by_member, &usage.by_key, &usage.by_deployment] {
        let sum = |of: fn(&UsagePart) -> i64| parts.iter().map(of).sum::<i64>();
        assert_eq!(sum(|part| part.charged_credits.nano()), usage.charged_credits.nano());
        assert_eq!(sum(|part| part.calls), usage.calls);
        assert_eq!(sum(|part| part.not_billed_calls), statement.not_billed.calls);
    }
    assert_eq!(statement.not_billed.charged_credits.nano(), 0);
}

/// The org's balance at a moment, from the bare entries.
async fn balance_at(history: &History, org_id: &str, before_ms: i64) -> i64 {
    on_database!(read &history.store, db => sqlx::query_scalar(
        "select cast(coalesce(sum(e.amount_nano), 0) as bigint)
         from journal_tx t join journal_entry e on e.tx_id = t.id and e.org_id is not null
         where t.org_id = $1 and t.at_ms < $2")
        .bind(org_id).bind(before_ms).fetch_one(db).await)
    .expect("reads")
}

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("RFC 3339").as_millisecond()
}

#[tokio::test]
async fn i21_each_month_begins_with_what_the_one_before_ended_with_and_adds_up() {
    for (seed, zones) in [(11, ["Europe/Berlin", "Asia/Kolkata"]), (12, ["America/Los_Angeles", "UTC"])] {
        on_each_database(async |store| {
            let mut history = History::begin(store, seed, zones).await;
            for round in 0..5 {
                history.live(crate::history::steps(30), 45).await;
                if round % 2 == 1 {
                    history.ledger.close_months().await.expect("closes");
                }
                if round == 2 {
                    history.ledger.open_wallet(ORGS[0], "Asia/Tokyo").await.expect("another zone");
                }
            }
            history.ledger.close_months().await.expect("closes");
            for org_id in ORGS {
                check_chain(&history, org_id).await;
            }
        })
        .await;
    }
}

async fn check_chain(history: &History, org_id: &str) {
    let statements = closed(history, org_id).await;
    assert!(statements.len() >= 2, "{} months", statements.len());
    let preview = history.ledger.statement_preview(org_id).await.expect("reads").expect("a month runs");
    assert_eq!(preview.status, Status::Preview);
    let mut before: Option<&Statement> = None;
    for statement in statements.iter().chain([&preview]) {
        adds_up(statement);
        if let Some(before) = before {
            assert_eq!((before.closing, &before.to), (statement.opening, &statement.from), "no gap");
            assert_eq!(before.status, Status::Closed);
        } else {
            assert_eq!(statement.opening, Pockets::default());
        }
        check_calls(history, org_id, statement).await;
        let balance = balance_at(history, org_id, ms(&statement.to)).await;
        assert_eq!(statement.closing.total_credits.nano(), balance, "{}", statement.month);
        before = Some(statement);
    }
    let posted = history.ledger.wallet(org_id).await.expect("reads").expect("a wallet").posted.0;
    assert_eq!(preview.closing.total_credits.nano(), posted, "so far, it is the balance");
}

/// The calls of the month, in pages, are the money of its statement.
async fn check_calls(history: &History, org_id: &str, statement: &Statement) {
    let filter =
        UsageFilter { from_ms: ms(&statement.from), to_ms: ms(&statement.to), ..UsageFilter::default() };
    let calls = history.ledger.resolved_calls(org_id, &filter, (Order::OldestFirst, None, 10_000)).await;
    let calls = calls.expect("reads");
    let charged: i64 = calls.iter().filter_map(|call| call.call.charged_nano).sum();
    assert_eq!(charged, statement.usage.charged_credits.nano(), "{}", statement.month);
    let free = calls.iter().filter(|call| call.call.state != "settled").count();
    assert_eq!(i64::try_from(free).expect("small"), statement.not_billed.calls);
}

#[tokio::test]
async fn what_becomes_known_after_a_month_was_closed_counts_in_the_next() {
    on_each_database(async |store| {
        let mut history = History::begin(store, 13, ["UTC", "UTC"]).await;
        let org_id = ORGS[0];
        let held = loop {
            history.hold(org_id).await;
            match history.take_held() {
                Some((held, _)) if held.held.0 > 100 => break held,
                _ => {}
            }
        };
        history.clock.advance(31 * DAY_MS);
        history.ledger.close_months().await.expect("closes");
        assert_eq!(closed(&history, org_id).await[0].usage.calls, 0);
        assert_eq!(closed(&history, org_id).await[0].open_holds.calls, 1, "it was running at the cut-off");
        // A process whose clock stood still: what it books lies in a month that is closed.
        history.clock.advance(-31 * DAY_MS);
        history.ledger.settle(settlement(&held, org_id, (100, 1))).await.expect("settles");
        history.credit(org_id, 5_000, CreditKind::TopUp, None).await;
        history.clock.advance(62 * DAY_MS);
        history.ledger.close_months().await.expect("closes");
        let months = closed(&history, org_id).await;
        assert_eq!((months[0].usage.calls, months[1].usage.calls), (0, 1));
        assert_eq!((months[0].top_ups.lines.len(), months[1].top_ups.lines.len()), (1, 1));
        assert_eq!(months[1].usage.charged_credits.nano(), 100);
        for statement in &months {
            adds_up(statement);
            check_calls(&history, org_id, statement).await;
        }
        assert_eq!(months[0].closing, months[1].opening);
    })
    .await;
}

#[tokio::test]
async fn s110_a_closed_statement_cannot_be_changed_and_its_hash_is_over_its_text() {
    on_each_database(async |store| {
        let mut history = History::begin(store, 14, ["UTC", "UTC"]).await;
        history.live(20, 10).await;
        history.clock.advance(40 * DAY_MS);
        assert!(history.ledger.close_months().await.expect("closes") >= 2);
        assert_eq!(history.ledger.close_months().await.expect("closes"), 0, "once");
        for sql in ["update statement set body_json = '{}'", "delete from statement"] {
            let refused: sqlx::Result<()> =
                on_database!(&history.store, db => sqlx::query(sql).execute(db).await.map(drop));
            let message = refused.expect_err("the database refuses").to_string();
            assert!(message.contains("a closed statement"), "{message}");
        }
        let line = &history.ledger.statements(ORGS[0]).await.expect("reads")[0];
        let text =
            history.ledger.statement(ORGS[0], &line.month).await.expect("reads").expect("closed").json();
        let (open, _) = text.rsplit_once(",\"hash\":").expect("has its hash");
        assert_eq!(hex::encode(Sha256::digest(format!("{open}}}"))), line.hash);
    })
    .await;
}

#[tokio::test]
async fn several_processes_close_a_month_once() {
    on_each_database(async |store| {
        let mut history = History::begin(store, 15, ["UTC", "UTC"]).await;
        history.live(30, 3).await;
        history.clock.advance(40 * DAY_MS);
        let jobs: Vec<_> = (0..4)
            .map(|_| {
                let ledger = history.ledger.clone();
                tokio::spawn(async move { ledger.close_months().await })
            })
            .collect();
        let mut count = 0;
        for job in jobs {
            count += job.await.expect("runs").expect("closes");
        }
        history.ledger.close_months().await.expect("closes what was left");
        for org_id in ORGS {
            let months = closed(&history, org_id).await;
            let labels: Vec<&str> = months.iter().map(|statement| statement.month.as_str()).collect();
            assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "{labels:?}");
            check_chain_of(&months);
        }
        assert!(count >= 2);
    })
    .await;
}

fn check_chain_of(months: &[Statement]) {
    for pair in months.windows(2) {
        assert_eq!(pair[0].closing, pair[1].opening);
    }
}
