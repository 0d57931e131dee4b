//! Each invariant of the ledger by its number. One that the database is asked about is shown to hold on a lived-in
//! ledger and to find what is planted there; the others are properties. Those about prices, headers and pages carry
//! their numbers where prices, headers and pages are tested; the last test here counts that none is missing.
use crate::request::{Request, Said};
use crate::support::{
    Desk, ORG, START_MS, desk, desk_of, payer, release_of, request_of, settlement_of, with_wallet,
};
use crate::trouble::{Trouble, Troubles};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Attempt, Credit, Fault, Held, Ledger, Moment, NodeId, Payer, SetLimit, Window};
use bytespike_store::testing::on_each_database;
use bytespike_store::{Store, on_database, sqlx};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A wallet with a settled, a released and a running call under a limit.
async fn lived_in(store: Store) -> (Desk, Held) {
    let desk = desk(store).await;
    desk.credit(1_000, "first").await;
    desk.limit(NodeId::org(ORG), Window::Lifetime, 900).await;
    let (settled, released) = (desk.hold(100).await.expect("holds"), desk.hold(100).await.expect("holds"));
    desk.settle(&settled, 60).await;
    desk.release(&released).await;
    let running = desk.hold(200).await.expect("holds");
    (desk, running)
}

async fn tamper(desk: &Desk, sql: &'static str) -> sqlx::Result<()> {
    on_database!(&desk.store, db => sqlx::query(sql).execute(db).await.map(drop))
}

/// Which check has to find something: the one of the whole history, or the one of what is new as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finds {
    Whole,
    New,
}

/// Plants a violation on each database and demands that the rule finds it, and that nothing was found before.
async fn is_found(finds: Finds, rule: &str, sql: &'static str) {
    on_each_database(async |store| {
        let (desk, _running) = lived_in(store).await;
        assert_eq!(desk.ledger.check_what_is_new().await.expect("the checks run"), [], "before {sql}");
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), [], "before {sql}");
        tamper(&desk, sql).await.expect("the database lets it happen");
        let new = desk.ledger.check_what_is_new().await.expect("the checks run");
        if finds == Finds::New {
            assert!(new.iter().any(|found| found.invariant.contains(rule)), "{rule}, {sql}: {new:?}");
            let refused = desk.ledger.recover().await;
            assert!(refused.is_err(), "a ledger that is broken must not serve: {rule}");
        }
        let found = desk.ledger.check_invariants().await.expect("the checks run");
        assert!(found.iter().any(|found| found.invariant.starts_with(rule)), "{rule}, {sql}: {found:?}");
    })
    .await;
}

async fn is_refused_by_the_database(statements: &[&'static str]) {
    on_each_database(async |store| {
        let (desk, _running) = lived_in(store).await;
        for sql in statements {
            assert!(tamper(&desk, sql).await.is_err(), "{sql}");
        }
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}

#[tokio::test]
async fn i01_the_entries_of_a_transaction_sum_to_zero() {
    let sql = "insert into journal_entry (tx_id, seq, account, amount_nano)
               select id, 99, 'revenue', 5 from journal_tx where kind = 'grant'";
    is_found(Finds::Whole, "I1 ", sql).await;
}

#[tokio::test]
async fn i02_a_wallet_has_what_its_journal_says() {
    is_found(Finds::New, "I2 ", "update wallet set posted_nano = posted_nano + 1").await;
}

#[tokio::test]
async fn i03_a_wallet_holds_what_its_open_calls_hold() {
    is_found(Finds::New, "I3", "update wallet set held_nano = held_nano + 1").await;
    is_found(Finds::New, "I3", "update reservation set held_nano = held_nano + 1 where state = 'held'").await;
}

#[tokio::test]
async fn i04_no_wallet_is_overdrawn() {
    is_refused_by_the_database(&[
        "update wallet set held_nano = posted_nano + 1",
        "update wallet set posted_nano = held_nano - 1",
        "update wallet set held_nano = -1",
    ])
    .await;
}

#[tokio::test]
async fn i05_a_limits_counters_are_the_sums_of_its_calls() {
    is_found(Finds::New, "I5 ", "update spend_limit set used_nano = used_nano + 1").await;
    is_found(Finds::New, "I5 ", "update spend_limit set held_nano = held_nano - 1").await;
}

#[tokio::test]
async fn i07_settled_means_one_settlement_in_the_journal() {
    let sql =
        "update reservation set state = 'settled', reason = 'forged', charged_nano = 0, resolved_at_ms = 1
               where state = 'held'";
    is_found(Finds::Whole, "I7", sql).await;
    is_refused_by_the_database(&[
        "insert into journal_tx (id, org_id, seq, kind, reservation_id, at_ms, prev_hash, hash)
         select 'again', org_id, 99, 'settle', id, 0, '', '' from reservation where state = 'settled'",
    ])
    .await;
}

#[tokio::test]
async fn i08_no_charge_exceeds_its_hold() {
    is_refused_by_the_database(&[
        "update reservation set state = 'settled', reason = 'forged', resolved_at_ms = 1, charged_nano = held_nano + 1
         where state = 'held'",
        "update reservation set state = 'settled', reason = 'forged', resolved_at_ms = 1, charged_nano = -1
         where state = 'held'",
        "update reservation set held_nano = -1 where state = 'held'",
    ])
    .await;
    with_wallet(1_000, async |desk| {
        for (held, charge, charged) in [(400, 401, 400), (400, 400, 400), (0, 1, 0)] {
            let held = desk.hold(held).await.expect("holds");
            assert_eq!(desk.settle(&held, charge).await.charged.0, charged);
        }
    })
    .await;
}

#[tokio::test]
async fn i09_a_call_that_did_not_land_moved_no_money() {
    let sql = "insert into journal_tx (id, org_id, seq, kind, reservation_id, at_ms, prev_hash, hash)
               select 'forged', org_id, 99, 'settle', id, 0, '', '' from reservation where state = 'released'";
    is_found(Finds::Whole, "I9 ", sql).await;
    with_wallet(1_000, async |desk| {
        let before = money(&desk.store).await;
        let (released, expired) = (desk.hold(10).await.expect("holds"), desk.hold(10).await.expect("holds"));
        desk.release(&released).await;
        drop(expired);
        desk.clock.advance(120_000);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 1);
        assert_eq!(money(&desk.store).await, before);
    })
    .await;
}

#[tokio::test]
async fn i10_what_is_released_or_expires_is_free_again() {
    with_wallet(1_000, async |desk| {
        desk.limit(NodeId::key("key_root"), Window::Day, 500).await;
        let paid = desk.hold(100).await.expect("holds");
        desk.settle(&paid, 70).await;
        let (available, limits) = (desk.available().await, desk.ledger.limits(ORG).await.expect("reads"));
        for expires in [false, true] {
            let held = desk.hold(300).await.expect("holds");
            assert_eq!(desk.available().await, available - 300);
            if expires {
                drop(held);
                desk.clock.advance(120_000);
                assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 1);
            } else {
                desk.release(&held).await;
            }
            assert_eq!(desk.available().await, available);
            assert_eq!(desk.ledger.limits(ORG).await.expect("reads"), limits);
        }
    })
    .await;
}

#[tokio::test]
async fn i11_credit_less_charges_is_what_is_left() {
    let sql = "insert into journal_entry (tx_id, seq, account, org_id, lot_id, amount_nano)
               select tx.id, 98, 'bonus', tx.org_id, lot.id, -1 from journal_tx tx, lot where tx.kind = 'settle'";
    is_found(Finds::Whole, "I11 ", sql).await;
}

#[tokio::test]
async fn i12_saying_it_again_changes_nothing() {
    with_wallet(1_000, async |desk| {
        desk.limit(NodeId::org(ORG), Window::Month, 900).await;
        let (settled, released) = (desk.world.id("rcp"), desk.world.id("rcp"));
        let commands = [
            Request::Credit(desk.grant(50, "twice")),
            Request::Hold(Box::new(request_of(settled.clone(), payer(), 100))),
            Request::Hold(Box::new(request_of(released.clone(), payer(), 100))),
            Request::Settle(settlement_of(&settled, 40)),
            Request::Release(release_of(&released)),
        ];
        for command in &commands {
            let (_, _held) = command.send(&desk.ledger).await;
            let after = everything(&desk.store).await;
            for _ in 0..3 {
                let (said, _held) = command.send(&desk.ledger).await;
                assert_ne!(said, Said::Unavailable);
                assert_eq!(everything(&desk.store).await, after, "{command:?}");
            }
        }
        let expiring = desk.hold(5).await.expect("holds");
        drop(expiring);
        desk.clock.advance(120_000);
        desk.ledger.tick().await.expect("ticks");
        let after = everything(&desk.store).await;
        desk.ledger.tick().await.expect("ticks");
        assert_eq!(everything(&desk.store).await, after, "an expiry");
    })
    .await;
}

#[tokio::test]
async fn i13_the_order_of_independent_commands_does_not_matter() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        let mut ends = Vec::new();
        for (number, order) in permutations(&[0, 1, 2, 3]).into_iter().enumerate() {
            ends.push(end_after(&desk, &format!("org_p{number}"), &order).await);
        }
        assert_eq!(ends.len(), 24);
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}

/// Three open calls end and a payment comes, in this order; answers what is left everywhere.
async fn end_after(desk: &Desk, org: &str, order: &[usize]) -> Vec<i64> {
    desk.ledger.open_wallet(org, "UTC").await.expect("a wallet");
    let of_org = |credit: Credit| Credit { org_id: org.to_owned(), ..credit };
    let (Said::Booked { .. }, _) =
        Request::Credit(of_org(desk.grant(1_000, "first"))).send(&desk.ledger).await
    else {
        panic!("is booked");
    };
    let node = NodeId::key(&format!("{org}_key"));
    let payer = Payer { org_id: org.to_owned(), key_path: vec![node.id().to_owned()], ..payer() };
    let set = SetLimit { org_id: org.to_owned(), node, window: Window::Day, limit: Some(NanoUsd(900)) };
    desk.ledger.set_limit(set).await.expect("is set");
    let calls: Vec<String> = (0..3).map(|_| desk.world.id("rcp")).collect();
    let mut live = Vec::new();
    for id in &calls {
        live.push(
            Request::Hold(Box::new(request_of(id.clone(), payer.clone(), 200))).send(&desk.ledger).await,
        );
    }
    let settle = |id: &str, nano| {
        let mut settlement = settlement_of(id, nano);
        settlement.org_id = org.to_owned();
        Request::Settle(settlement)
    };
    let mut release = release_of(&calls[2]);
    release.org_id = org.to_owned();
    let commands = [
        settle(&calls[0], 120),
        settle(&calls[1], 250),
        Request::Release(release),
        Request::Credit(of_org(desk.grant(77, "second"))),
    ];
    for number in order {
        let _ = commands[*number].send(&desk.ledger).await;
    }
    let wallet = desk.ledger.wallet(org).await.expect("reads").expect("a wallet");
    let limits = desk.ledger.limits(org).await.expect("reads");
    let counted = limits.iter().flat_map(|limit| [limit.used.0, limit.held.0]);
    [wallet.posted.0, wallet.held.0, wallet.bonus.0].into_iter().chain(counted).collect()
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for at in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(at, *first);
            all.push(longer);
        }
    }
    all
}

#[tokio::test]
async fn i18_what_has_ended_never_changes() {
    is_refused_by_the_database(&[
        "update journal_tx set note = 'never happened'",
        "delete from journal_tx",
        "update journal_entry set amount_nano = 1",
        "delete from journal_entry",
        "update reservation set reason = 'another' where state = 'settled'",
        "update reservation set reason = 'another' where state = 'released'",
        "update receipt set body_json = '{}'",
        "delete from receipt where settled",
        "delete from reservation where state = 'settled'",
        "delete from reservation where state = 'held'",
        "delete from lot",
        "delete from wallet",
    ])
    .await;
    on_each_database(async |store| {
        let (desk, _running) = lived_in(store).await;
        tamper(&desk, "delete from receipt where not settled").await.expect("receipts of free calls may go");
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}

#[tokio::test]
async fn i19_no_hold_outlives_its_lease() {
    on_each_database(async |store| {
        let (desk, running) = lived_in(store).await;
        drop(running);
        desk.clock.advance(60_000 + 300_001);
        let found = desk.ledger.check_what_is_new().await.expect("the checks run");
        assert!(found.iter().any(|found| found.invariant.starts_with("I19 ")), "{found:?}");
        desk.ledger.tick().await.expect("ticks");
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}

#[tokio::test]
async fn i20_every_way_to_add_charges_up_comes_to_the_same() {
    let sql =
        "update reservation set state = 'settled', reason = 'forged', charged_nano = 0, resolved_at_ms = 1
               where state = 'held'";
    is_found(Finds::Whole, "I20 ", sql).await;
    with_wallet(100_000, async |desk| {
        for number in 0..12i64 {
            let path = ["root", ["left", "right"][usize::from(number % 2 == 0)]].map(str::to_owned).to_vec();
            let payer = Payer { member_id: format!("mem_{}", number % 3), key_path: path, ..payer() };
            let mut request = request_of(desk.world.id("rcp"), payer, 1_000);
            request.model_requested = format!("model-{}", number % 5);
            let held = desk.ledger.hold(request).await.expect("holds");
            if number % 4 == 3 {
                desk.release(&held).await;
            } else {
                desk.settle(&held, 100 + 7 * number).await;
            }
        }
        let spent = 100_000 - desk.available().await;
        assert!(spent > 0);
        for by in ["member_id", "key_id", "model_requested", "deployment_id", "key_path"] {
            let sql = format!("select cast(sum(charged_nano) as bigint) from reservation group by {by}");
            let sums: Vec<i64> =
                on_database!(&desk.store, db => sqlx::query_scalar(sqlx::AssertSqlSafe(sql.as_str()))
                .fetch_all(db).await)
                .expect("reads");
            assert_eq!(sums.iter().sum::<i64>(), spent, "by {by}");
        }
        let receipts: Vec<String> = on_database!(&desk.store, db => sqlx::query_scalar(
            "select body_json from receipt").fetch_all(db).await)
        .expect("reads");
        let charged = |body: &String| {
            let receipt: serde_json::Value = serde_json::from_str(body).expect("JSON");
            receipt["charged"]["credits"]
                .as_str()
                .expect("text")
                .replace('.', "")
                .parse::<i64>()
                .expect("digits")
        };
        assert_eq!(receipts.iter().map(charged).sum::<i64>(), spent, "by receipts");
    })
    .await;
}

#[tokio::test]
async fn i21_a_statement_adds_up() {
    let sql = "insert into journal_entry (tx_id, seq, account, org_id, lot_id, amount_nano)
               select tx.id, 97, 'bonus', tx.org_id, lot.id, 1 from journal_tx tx, lot where tx.kind = 'settle'";
    is_found(Finds::Whole, "I21 ", sql).await;
    with_wallet(1_000, async |desk| {
        let lapsing = Credit { expires_at_ms: Some(START_MS + 1_000), ..desk.grant(500, "short") };
        desk.ledger.credit(lapsing).await.expect("is booked");
        let held = desk.hold(200).await.expect("holds of what lapses first");
        desk.clock.advance(2_000);
        desk.ledger.tick().await.expect("ticks");
        desk.settle(&held, 150).await;
        desk.ledger.tick().await.expect("ticks");
        let kinds: Vec<(String, i64)> = on_database!(&desk.store, db => sqlx::query_as(
            "select t.kind, cast(sum(e.amount_nano) as bigint) from journal_tx t
             join journal_entry e on e.tx_id = t.id and e.org_id is not null group by t.kind order by t.kind")
            .fetch_all(db).await)
        .expect("reads");
        let expected = [("breakage", -350), ("grant", 1_500), ("settle", -150)];
        assert_eq!(kinds, expected.map(|(kind, nano)| (kind.to_owned(), nano)));
        assert_eq!(kinds.iter().map(|(_, nano)| nano).sum::<i64>(), desk.available().await);
    })
    .await;
}

#[tokio::test]
async fn i22_lots_come_to_what_is_posted_and_held() {
    is_found(Finds::New, "I22 ", "update lot set remaining_nano = remaining_nano - 1").await;
    is_found(Finds::New, "I22 ", "update lot set pinned_nano = pinned_nano - 1").await;
    is_found(Finds::Whole, "I22 ", "update reservation_lot set pinned_nano = pinned_nano + 1").await;
    is_refused_by_the_database(&[
        "update lot set pinned_nano = remaining_nano + 1",
        "update lot set remaining_nano = granted_nano + 1",
        "update lot set pinned_nano = -1",
    ])
    .await;
}

/// What each command is told when its batch fails at each moment in each way, and that nothing is done by half.
#[tokio::test]
async fn i24_a_crash_at_every_point_of_a_commit_leaves_all_or_nothing() {
    on_each_database(async |store| {
        let mut seed = 0;
        for moment in Moment::ALL {
            for fault in [Fault::Refuse, Fault::Die] {
                for command in 0..4 {
                    seed += 1;
                    broken_off(desk_of(store.clone(), seed).await, moment, fault, command).await;
                }
            }
        }
    })
    .await;
}

async fn broken_off(desk: Desk, moment: Moment, fault: Fault, command: usize) {
    let store = &desk.store;
    let key = desk.world.id("key");
    desk.credit(1_000, &key).await;
    let (old, new) = (desk.hold(200).await.expect("holds"), desk.world.id("rcp"));
    let request = [
        Request::Credit(desk.grant(50, &format!("{key} again"))),
        Request::Hold(Box::new(request_of(new, payer(), 100))),
        Request::Settle(settlement_of(&old.reservation_id, 40)),
        Request::Release(release_of(&old.reservation_id)),
    ][command]
        .clone();
    let troubles = Arc::new(Troubles::default());
    let failing =
        Ledger::open_with(store.clone(), desk.world.clone(), troubles.clone()).await.expect("a ledger");
    let before = everything(store).await;
    troubles.arm(Some(Trouble { moment, fault, times: 2 }));
    let (said, held) = request.send(&failing).await;
    let case = format!("{moment:?} {fault:?} {request:?}");
    assert_eq!((said, held.is_some()), (Said::Unavailable, false), "{case}");
    let committed = moment == Moment::Committed;
    assert_eq!(everything(store).await != before, committed, "{case}");
    // Another process asks, and is answered like the first time.
    let after = everything(store).await;
    let (again, _held) = request.send(&desk.ledger).await;
    let fits = match again {
        Said::Booked { .. } => !committed,
        Said::BookedBefore { .. } => committed,
        Said::Held { .. } | Said::Ended { .. } => true,
        _ => false,
    };
    assert!(fits, "{case}: {again:?}");
    assert_eq!(everything(store).await == after, committed, "{case}: nothing is done twice");
    desk.clock.advance(120_000);
    assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), [], "{case}");
}

#[tokio::test]
async fn i25_at_most_one_try_is_charged_and_no_two_are_one() {
    let sql = "insert into upstream_attempt (reservation_id, seq, channel_id, model_served, upstream_request_id, outcome,
                                             started_at_ms, duration_ms)
               select id, n, 'c', 'm', 'the same', 'ok', 0, 0 from reservation, (select 8 as n union select 9) numbers
               where state = 'released'";
    is_found(Finds::Whole, "I25 ", sql).await;
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        let mut settlement = settlement_of(&held.reservation_id, 150);
        let failed = Attempt { outcome: "upstream_overloaded".to_owned(), ..Attempt::default() };
        let landed = Attempt { landed: true, outcome: "ok".to_owned(), ..Attempt::default() };
        // One that claims to have landed as well.
        settlement.attempts = vec![failed, landed.clone(), landed];
        desk.ledger.settle(settlement).await.expect("settles");
        let receipt = desk.ledger.receipt(&held.reservation_id).await.expect("reads").expect("a receipt");
        let receipt: serde_json::Value = serde_json::from_str(&receipt.body).expect("JSON");
        let charged =
            receipt["attempts"].as_array().expect("a list").iter().map(|attempt| &attempt["charged_credits"]);
        assert_eq!(charged.collect::<Vec<_>>(), ["0.000", "0.150", "0.000"]);
    })
    .await;
}

/// What the writer's databases do not look up for each row: a child for every reference, none of which has its parent.
/// `{rcp}` and `{jtx}` are ids of now.
const ORPHANS: [(&str, &str); 12] = [
    ("lot.org_id", "insert into lot (id, org_id, kind, granted_nano, remaining_nano, priority, created_at_ms)
        values ('lot_gone', 'org_gone', 'bonus', 1, 0, 0, 0)"),
    ("spend_limit.org_id", "insert into spend_limit (node_id, window_kind, org_id, limit_nano, opened_at_ms, ends_at_ms)
        values ('org:org_gone', 'lifetime', 'org_gone', 1, 0, 1)"),
    ("reservation.org_id", "insert into reservation (id, org_id, deployment_id, member_id, key_id, key_path, state, reason,
        held_nano, charged_nano, price_version, model_requested, protocol, stream, key_name, request_json, owner,
        expires_at_ms, held_at_ms, resolved_at_ms)
        values ('{rcp}', 'org_gone', 'd', 'm', 'k', '/k/', 'released', 'x', 1, 0, 1, 'm', 'p', false, 'k', '{}', 'o', 0, 0, 0)"),
    ("reservation_lot.reservation_id", "insert into reservation_lot (reservation_id, lot_id, pinned_nano)
        select '{rcp}a', id, 1 from lot where org_id = 'org_1' limit 1"),
    ("reservation_lot.lot_id", "insert into reservation_lot (reservation_id, lot_id, pinned_nano)
        values ('{rcp}', 'lot_nowhere', 1)"),
    ("journal_tx.org_id", "insert into journal_tx (id, org_id, seq, kind, at_ms, prev_hash, hash)
        values ('{jtx}', 'org_gone', 1, 'grant', 0, '', '')"),
    ("journal_tx.reservation_id", "insert into journal_tx (id, org_id, seq, kind, reservation_id, at_ms, prev_hash, hash)
        values ('{jtx}a', 'org_1', 999, 'settle', 'rcp_gone', 0, '', '')"),
    ("journal_entry.tx_id", "insert into journal_entry (tx_id, seq, account, amount_nano) values ('{jtx}b', 1, 'revenue', 1)"),
    ("journal_entry.lot_id", "insert into journal_entry (tx_id, seq, account, org_id, lot_id, amount_nano)
        values ('{jtx}', 1, 'bonus', 'org_1', 'lot_nowhere', 1)"),
    ("upstream_attempt.reservation_id", "insert into upstream_attempt (reservation_id, seq, channel_id, model_served, outcome,
        started_at_ms, duration_ms) values ('{rcp}b', 1, 'c', 'm', 'ok', 0, 0)"),
    ("receipt.id", "insert into receipt (id, org_id, settled, at_ms, body_json) values ('{rcp}c', 'org_1', false, 0, '{}')"),
    ("late_usage.reservation_id", "insert into late_usage (reservation_id, seq, at_ms, usage_json) values ('{rcp}d', 1, 0, '{}')"),
];

/// Runs statements while the database looks nothing up: it is told so, or the references are taken from it.
async fn plant(store: &Store, ids: (&str, &str)) {
    let written = |sql: &str| sql.replace("{rcp}", ids.0).replace("{jtx}", ids.1);
    for (reference, sql) in ORPHANS {
        let sql = sqlx::AssertSqlSafe(written(sql));
        let planted = match store {
            Store::Sqlite { write, .. } => {
                sqlx::query("pragma foreign_keys = off").execute(write).await.expect("off");
                sqlx::query(sql).execute(write).await.map(drop)
            }
            Store::Postgres(pool) => {
                for (table, column) in
                    [("lot", "org_id"), ("spend_limit", "org_id"), ("late_usage", "reservation_id")]
                {
                    let drop = format!("alter table {table} drop constraint if exists {table}_{column}_fkey");
                    sqlx::query(sqlx::AssertSqlSafe(drop)).execute(pool).await.expect("dropped");
                }
                sqlx::query(sql).execute(pool).await.map(drop)
            }
        };
        planted.unwrap_or_else(|error| panic!("{reference}: {error}"));
    }
}

#[tokio::test]
async fn a_row_that_names_nothing_is_found_by_its_reference() {
    on_each_database(async |store| {
        let (desk, _running) = lived_in(store).await;
        assert_eq!(desk.ledger.check_what_is_new().await.expect("the checks run"), []);
        plant(&desk.store, (&desk.world.id("rcp"), &desk.world.id("jtx"))).await;
        for found in [desk.ledger.check_what_is_new().await, desk.ledger.check_invariants().await] {
            let found = found.expect("the checks run");
            for (reference, _) in ORPHANS {
                let is_it = |found: &bytespike_ledger::Violation| {
                    found.invariant.starts_with("references")
                        && found.example.starts_with(&format!("{reference}:"))
                };
                assert!(found.iter().any(is_it), "{reference}: {found:?}");
            }
        }
        assert!(desk.ledger.recover().await.is_err(), "a ledger that is broken must not serve");
    })
    .await;
}

#[tokio::test]
async fn the_hash_chain_of_a_journal_is_checked() {
    is_found(Finds::New, "chain", "update wallet set journal_hash = 'another'").await;
    is_found(Finds::New, "chain", "update wallet set journal_seq = journal_seq + 1").await;
}

/// The check of what is new reads no transaction that was verified: one that was is not even looked at again.
#[tokio::test]
async fn a_check_goes_on_from_the_last_one() {
    on_each_database(async |store| {
        let (desk, running) = lived_in(store).await;
        desk.ledger.check_invariants().await.expect("the checks run");
        let marks = |desk: &Desk| {
            let store = desk.store.clone();
            async move {
                let mark: (i64, i64) = on_database!(&store, db => sqlx::query_as(
                    "select v.seq, w.journal_seq from verified_wallet v join wallet w on w.org_id = v.org_id")
                    .fetch_one(db).await)
                .expect("reads");
                mark
            }
        };
        assert_eq!(marks(&desk).await, (2, 2));
        desk.settle(&running, 10).await;
        assert_eq!(marks(&desk).await, (2, 3));
        assert_eq!(desk.ledger.check_what_is_new().await.expect("the checks run"), []);
        assert_eq!(marks(&desk).await, (3, 3));
        // Old news: only the whole check reads them.
        tamper(
            &desk,
            "insert into journal_entry (tx_id, seq, account, amount_nano)
                       select id, 99, 'revenue', 5 from journal_tx where seq = 1",
        )
        .await
        .expect("is planted");
        assert_eq!(desk.ledger.check_what_is_new().await.expect("the checks run"), []);
        assert_ne!(desk.ledger.check_invariants().await.expect("the checks run"), []);
        let marked: i64 = on_database!(&desk.store, db => sqlx::query_scalar(
            "select count(*) from invariant_run where whole_history").fetch_one(db).await)
        .expect("reads");
        assert_eq!(marked, 2);
    })
    .await;
}

#[test]
fn every_invariant_has_a_test_by_its_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = String::new();
    for folder in ["gateway", "tests/it", "server/src"] {
        read_all(&root.join(folder), &mut text);
    }
    let missing: Vec<u32> = (1..=28).filter(|number| !text.contains(&format!("fn i{number:02}_"))).collect();
    assert_eq!(missing, [0u32; 0], "no test is named after these");
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("text"));
        }
    }
}

/// Every figure and every word that the writer keeps, as text.
async fn everything(store: &Store) -> Vec<String> {
    const TABLES: [&str; 10] = [
        "select org_id || posted_nano || ' ' || held_nano || ' ' || owed_nano || ' ' || journal_seq || journal_hash from wallet",
        "select id || remaining_nano || ' ' || pinned_nano from lot",
        "select node_id || window_kind || used_nano || ' ' || held_nano || ' ' || opened_at_ms from spend_limit",
        "select id || state || held_nano || ' ' || coalesce(charged_nano, -1) || coalesce(reason, '') from reservation",
        "select org_id || idem_key || amount_nano || ' ' || bonus_nano from claim",
        "select reservation_id || lot_id || pinned_nano from reservation_lot",
        "select id || kind || hash from journal_tx",
        "select tx_id || seq || account || amount_nano from journal_entry",
        "select reservation_id || cause || amount_pico from absorbed_cost",
        "select id || body_json from receipt",
    ];
    let mut all = Vec::new();
    for sql in TABLES {
        let rows: Vec<String> =
            on_database!(store, db => sqlx::query_scalar(sql).fetch_all(db).await).expect("reads");
        all.extend(rows);
    }
    all.sort();
    all
}

/// The journal alone.
async fn money(store: &Store) -> Vec<String> {
    on_database!(store, db => sqlx::query_scalar("select hash from journal_tx order by id").fetch_all(db).await)
        .expect("reads")
}
