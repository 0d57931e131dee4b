//! The checks find what they look for, and the database itself refuses to rewrite history.
use crate::support::{Desk, ORG, desk};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{NodeId, SetLimit, Window};
use bytespike_store::testing::on_each_database;
use bytespike_store::{on_database, sqlx};

/// A wallet with a settled, a released and a running call under a limit.
async fn lived_in(store: bytespike_store::Store) -> (Desk, bytespike_ledger::Held) {
    let desk = desk(store).await;
    desk.credit(1_000, "first").await;
    let limit = Some(NanoUsd(900));
    let set = SetLimit { org_id: ORG.to_owned(), node: NodeId::org(ORG), window: Window::Lifetime, limit };
    desk.ledger.set_limit(set).await.expect("is set");
    let (settled, released) = (desk.hold(100).await.expect("holds"), desk.hold(100).await.expect("holds"));
    desk.settle(&settled, 60).await;
    desk.release(&released).await;
    let running = desk.hold(200).await.expect("holds");
    (desk, running)
}

async fn tamper(desk: &Desk, sql: &'static str) -> sqlx::Result<()> {
    on_database!(&desk.store, db => sqlx::query(sql).execute(db).await.map(drop))
}

#[tokio::test]
async fn what_breaks_a_rule_is_found() {
    const TAMPERING: [(&str, &str); 8] = [
        ("I3 ", "update wallet set held_nano = held_nano + 1"),
        ("I2 ", "update wallet set posted_nano = posted_nano + 1"),
        ("I5 ", "update spend_limit set used_nano = used_nano + 1"),
        ("I22 ", "update lot set remaining_nano = remaining_nano - 1"),
        ("chain", "update wallet set journal_hash = 'another'"),
        (
            "I1 ",
            "insert into journal_entry (tx_id, seq, account, amount_nano)
             select id, 99, 'revenue', 5 from journal_tx where kind = 'grant'",
        ),
        (
            "I9 ",
            "insert into journal_tx (id, org_id, seq, kind, reservation_id, at_ms, prev_hash, hash)
             select 'forged', org_id, 99, 'settle', id, 0, '', '' from reservation where state = 'released'",
        ),
        (
            "I11 ",
            "insert into journal_entry (tx_id, seq, account, org_id, lot_id, amount_nano)
             select tx.id, 98, 'bonus', tx.org_id, lot.id, -1 from journal_tx tx, lot
             where tx.kind = 'settle' and tx.id <> 'forged'",
        ),
    ];
    for (rule, sql) in TAMPERING {
        on_each_database(async |store| {
            let (desk, _running) = lived_in(store).await;
            assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), [], "before");
            tamper(&desk, sql).await.expect("the database lets it happen");
            let found = desk.ledger.check_invariants().await.expect("the checks run");
            assert!(found.iter().any(|violation| violation.invariant.starts_with(rule)), "{rule}: {found:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn the_database_refuses_to_rewrite_history_or_to_overdraw() {
    const REFUSED: [&str; 9] = [
        "update journal_tx set note = 'never happened'",
        "delete from journal_tx",
        "update journal_entry set amount_nano = 1",
        "delete from journal_entry",
        "update reservation set reason = 'another' where state = 'settled'",
        "update receipt set body_json = '{}'",
        "delete from receipt where settled",
        "update wallet set held_nano = posted_nano + 1",
        "update reservation set held_nano = -1 where state = 'held'",
    ];
    on_each_database(async |store| {
        let (desk, _running) = lived_in(store).await;
        for sql in REFUSED {
            assert!(tamper(&desk, sql).await.is_err(), "{sql}");
        }
        tamper(&desk, "delete from receipt where not settled").await.expect("receipts of free calls may go");
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}
