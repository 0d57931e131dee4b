//! The promises about money, checked from outside by SQL that shares nothing with the product's own checks.

use bytespike_store::Store;

use crate::database::rows;

/// Name, and a query that returns one row per violation.
const INVARIANTS: [(&str, &str); 12] = [
    ("I1 every transaction sums to zero and has entries",
     "select t.id, coalesce(cast(sum(e.amount_nano) as bigint), -1) from journal_tx t
      left join journal_entry e on e.tx_id = t.id group by t.id
      having coalesce(cast(sum(e.amount_nano) as bigint), -1) <> 0"),
    ("I2 the posted balance is the journal's",
     "select w.org_id, w.posted_nano from wallet w where w.posted_nano <>
      (select cast(coalesce(sum(e.amount_nano), 0) as bigint) from journal_entry e where e.org_id = w.org_id)"),
    ("I3 what is held is what is promised",
     "select w.org_id, w.held_nano from wallet w where w.held_nano <>
      (select cast(coalesce(sum(r.held_nano), 0) as bigint) from reservation r
       where r.org_id = w.org_id and r.state = 'held')"),
    ("I4 nobody overdraws", "select org_id from wallet where held_nano < 0 or held_nano > posted_nano"),
    ("I5 a limit's held amount is what is promised under it",
     "select l.node_id, l.window_kind, l.held_nano from spend_limit l where l.held_nano <>
      (select cast(coalesce(sum(r.held_nano), 0) as bigint) from reservation r where r.state = 'held'
       and r.held_at_ms >= l.opened_at_ms and r.held_at_ms < l.ends_at_ms
       and (l.node_id in ('org:' || r.org_id, 'dep:' || r.deployment_id, 'mem:' || r.member_id)
            or r.key_path like '%/' || substr(l.node_id, 5) || '/%'))"),
    ("I5 a limit's used amount is what was charged under it",
     "select l.node_id, l.window_kind, l.used_nano from spend_limit l where l.used_nano <>
      (select cast(coalesce(sum(r.charged_nano), 0) as bigint) from reservation r where r.state = 'settled'
       and r.held_at_ms >= l.opened_at_ms and r.held_at_ms < l.ends_at_ms
       and (l.node_id in ('org:' || r.org_id, 'dep:' || r.deployment_id, 'mem:' || r.member_id)
            or r.key_path like '%/' || substr(l.node_id, 5) || '/%'))"),
    ("I6 no limit is exceeded", "select node_id, window_kind from spend_limit where used_nano + held_nano > limit_nano"),
    ("I7 settled means exactly one journal transaction, anything else none",
     "select r.id, r.state from reservation r where
      (select count(*) from journal_tx t where t.reservation_id = r.id and t.kind = 'settle')
      <> case when r.state = 'settled' and r.charged_nano > 0 then 1 else 0 end
      and not (r.state = 'settled' and r.charged_nano = 0)"),
    ("I8 a charge is between nothing and the hold",
     "select id from reservation where state = 'settled' and (charged_nano < 0 or charged_nano > held_nano)"),
    ("I9 what did not land moved no money",
     "select r.id from reservation r join journal_tx t on t.reservation_id = r.id where r.state <> 'settled'"),
    ("lots hold the balance and their pins are promises",
     "select w.org_id, w.posted_nano from wallet w where w.posted_nano <>
      (select cast(coalesce(sum(l.remaining_nano), 0) as bigint) from lot l where l.org_id = w.org_id)"),
    ("a resolved call has a receipt",
     "select r.id from reservation r left join receipt c on c.id = r.id where r.state <> 'held' and c.id is null"),
];

/// Fails with the broken promise and the rows that break it.
pub async fn hold(store: &Store) {
    all_hold(store, |_| true).await;
}

/// The same where limits were set below what had been used under them already, which is no fault of a call.
pub async fn hold_under_lowered_limits(store: &Store) {
    all_hold(store, |name| !name.starts_with("I6 ")).await;
}

async fn all_hold(store: &Store, asked: impl Fn(&str) -> bool) {
    for (name, sql) in INVARIANTS.into_iter().filter(|(name, _)| asked(name)) {
        let violations = rows(store, sql).await;
        assert!(violations.is_empty(), "{name}: {violations:?}");
    }
}
