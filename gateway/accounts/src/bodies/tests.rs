use super::*;
use crate::keys::NewKey;
use crate::testing::{Bench, EMAIL, on_each, origin};
use bytespike_store::on_database;

const PROMPT: &str = "what nobody else may read";

fn said(member: &Membership, period_id: &str, receipt_id: &str) -> Said {
    let side = |text: &str| Side { text: text.into(), bytes: text.len(), is_cut: false };
    Said {
        receipt_id: receipt_id.to_owned(),
        org_id: member.org_id().to_owned(),
        member_id: member.member_id().to_owned(),
        period_id: period_id.to_owned(),
        status: Some(200),
        request: side(PROMPT),
        response: side("an answer"),
    }
}

/// The owner's key, and the period that a caller with it carries.
struct Caller {
    owner: Membership,
    secret: crate::secrets::SecretText,
}

impl Caller {
    async fn new(bench: &Bench) -> Self {
        let owner = bench.owner(EMAIL).await;
        let key =
            bench.accounts.keys.create(&origin(), &owner, NewKey::named("laptop")).await.expect("a key");
        Self { owner, secret: key.secret }
    }

    async fn period(&self, accounts: &crate::Accounts) -> Option<String> {
        accounts.keys.identify(self.secret.expose()).await.expect("identified").body_period.clone()
    }

    async fn keep(&self, bench: &Bench, receipt_id: &str) -> bool {
        let period = self.period(&bench.accounts).await.expect("turned on");
        let bodies = &bench.accounts.bodies;
        bodies.put(&bodies.seal(&said(&self.owner, &period, receipt_id))).await.expect("written")
    }

    async fn reads(&self, bench: &Bench, receipt_id: &str) -> bool {
        bench.accounts.bodies.of(&self.owner, receipt_id).await.expect("read").is_some()
    }
}

async fn count(bench: &Bench, sql: &'static str) -> i64 {
    on_database!(&bench.store, db => sqlx::query_scalar(sql).fetch_one(db).await).expect("counted")
}

async fn rows(bench: &Bench) -> (i64, i64) {
    (
        count(bench, "select count(*) from call_body").await,
        count(bench, "select count(*) from call_body_text").await,
    )
}

#[tokio::test]
async fn it_is_off_until_turned_on_and_nothing_is_left_when_it_is_turned_off() {
    on_each(async |bench| {
        let caller = Caller::new(&bench).await;
        let bodies = &bench.accounts.bodies;
        assert_eq!(
            (bodies.keeping(&caller.owner).await.expect("read"), caller.period(&bench.accounts).await),
            (None, None)
        );
        for wrong in [0, 31] {
            let refused = bodies.keep_for(&origin(), &caller.owner, wrong).await;
            assert!(matches!(refused, Err(KeepError::Days { most: 30 })), "{wrong}");
        }
        bodies.keep_for(&origin(), &caller.owner, 7).await.expect("on");
        let since_ms = bench.clock_ms();
        assert_eq!(bodies.keeping(&caller.owner).await.expect("read"), Some(Keeping { days: 7, since_ms }));
        assert!(caller.keep(&bench, "rcp_1").await && caller.reads(&bench, "rcp_1").await);
        assert!(!caller.keep(&bench, "rcp_1").await, "a call is kept once");

        // Whatever was on its way when it was turned off is not kept, not even when it is turned on again.
        let former = caller.period(&bench.accounts).await.expect("a period");
        let late = bodies.seal(&said(&caller.owner, &former, "rcp_2"));
        bodies.stop(&origin(), &caller.owner).await.expect("off");
        assert_eq!(
            (rows(&bench).await, count(&bench, "select count(*) from body_period").await),
            ((0, 0), 0)
        );
        assert!(!bodies.put(&late).await.expect("asked"));
        bodies.keep_for(&origin(), &caller.owner, 7).await.expect("on again");
        assert!(!bodies.put(&late).await.expect("asked"));
        assert!(!caller.reads(&bench, "rcp_1").await && !caller.reads(&bench, "rcp_2").await);
        assert_eq!(
            count(&bench, "select count(*) from audit_event where event = 'org.bodies_changed'").await,
            3
        );
    })
    .await;
}

#[tokio::test]
async fn another_process_follows_it_with_the_rights() {
    on_each(async |bench| {
        let caller = Caller::new(&bench).await;
        let other = bench.other_instance();
        assert_eq!(caller.period(&other).await, None);
        bench.accounts.bodies.keep_for(&origin(), &caller.owner, 1).await.expect("on");
        other.keys.refresh_rights().await.expect("read");
        assert_eq!(caller.period(&other).await, caller.period(&bench.accounts).await);
        bench.accounts.bodies.stop(&origin(), &caller.owner).await.expect("off");
        other.keys.refresh_rights().await.expect("read");
        assert_eq!(caller.period(&other).await, None);
    })
    .await;
}

#[tokio::test]
async fn it_goes_by_the_clock_and_fewer_days_count_for_what_is_there() {
    on_each(async |bench| {
        let caller = Caller::new(&bench).await;
        let bodies = &bench.accounts.bodies;
        bodies.keep_for(&origin(), &caller.owner, 3).await.expect("on");
        for number in 0..45 {
            assert!(caller.keep(&bench, &format!("rcp_{number:02}")).await);
        }
        bench.clock.advance(2 * DAY_MS);
        assert!(caller.keep(&bench, "rcp_late").await);
        bodies.keep_for(&origin(), &caller.owner, 30).await.expect("longer");
        bench.clock.advance(DAY_MS - 1);
        assert!(caller.reads(&bench, "rcp_00").await && bodies.forget().await.expect("swept") == 0);
        bench.clock.advance(1);
        assert!(!caller.reads(&bench, "rcp_00").await, "it is not read a moment longer, swept or not");
        assert_eq!((bodies.forget().await.expect("swept"), rows(&bench).await), (45, (1, 1)));

        assert!(caller.keep(&bench, "rcp_new").await);
        bodies.keep_for(&origin(), &caller.owner, 1).await.expect("shorter");
        assert!(!caller.reads(&bench, "rcp_late").await && caller.reads(&bench, "rcp_new").await);
        assert_eq!(bodies.forget().await.expect("swept"), 1);
        let kept = bodies.of(&caller.owner, "rcp_new").await.expect("read").expect("kept");
        assert_eq!(kept.expires_at_ms, bench.clock_ms() + DAY_MS);
    })
    .await;
}

#[tokio::test]
async fn operators_may_shorten_it_for_everybody() {
    on_each(async |bench| {
        let caller = Caller::new(&bench).await;
        let (bodies, retention) = (&bench.accounts.bodies, &bench.accounts.retention);
        bodies.keep_for(&origin(), &caller.owner, 30).await.expect("on");
        assert!(caller.keep(&bench, "rcp_1").await);
        retention.shorten((&origin(), "opr_1"), (Kept::Bodies, Some(2))).await.expect("shortened");
        assert_eq!(bodies.keeping(&caller.owner).await.expect("read").map(|keeping| keeping.days), Some(2));
        let refused = bodies.keep_for(&origin(), &caller.owner, 3).await;
        assert!(matches!(refused, Err(KeepError::Days { most: 2 })));
        let kept = bodies.of(&caller.owner, "rcp_1").await.expect("read").expect("kept");
        assert_eq!(kept.expires_at_ms, bench.clock_ms() + 2 * DAY_MS);
        bench.clock.advance(2 * DAY_MS);
        assert!(!caller.reads(&bench, "rcp_1").await);
        assert_eq!(bodies.forget().await.expect("swept"), 1);
    })
    .await;
}

#[tokio::test]
async fn s115_what_is_kept_opens_for_its_own_call_in_its_own_org_alone() {
    on_each(async |bench| {
        let caller = Caller::new(&bench).await;
        let bodies = &bench.accounts.bodies;
        bodies.keep_for(&origin(), &caller.owner, 1).await.expect("on");
        assert!(caller.keep(&bench, "rcp_1").await && caller.keep(&bench, "rcp_2").await);
        let kept = bodies.of(&caller.owner, "rcp_1").await.expect("read").expect("kept");
        assert_eq!((kept.request.text.as_slice(), kept.request.bytes), (PROMPT.as_bytes(), 25));
        assert_eq!((kept.response.text.as_slice(), kept.status), ("an answer".as_bytes(), Some(200)));
        let sealed = "select count(*) from call_body_text where request_sealed like '%nobody%' or response_sealed like '%answer%'";
        assert_eq!(count(&bench, sealed).await, 0);
        for moved in [
            "update call_body_text set request_sealed = (select request_sealed from call_body_text where receipt_id = 'rcp_2')
             where receipt_id = 'rcp_1'",
            "update call_body_text set response_sealed = request_sealed where receipt_id = 'rcp_2'",
        ] {
            on_database!(&bench.store, db => sqlx::query(moved).execute(db).await.map(drop)).expect("moved");
        }
        for receipt_id in ["rcp_1", "rcp_2"] {
            assert!(matches!(bodies.of(&caller.owner, receipt_id).await, Err(ReadError::Damaged(_))));
        }
        let stranger = bench.owner("eve@example.com").await;
        assert!(bodies.of(&stranger, "rcp_1").await.expect("read").is_none());
        assert!(!bodies.delete(&origin(), &stranger, "rcp_1").await.expect("asked"));
        assert!(bodies.delete(&origin(), &caller.owner, "rcp_1").await.expect("deleted"));
        assert!(!bodies.delete(&origin(), &caller.owner, "rcp_1").await.expect("asked"));
        assert_eq!(rows(&bench).await, (1, 1));
    })
    .await;
}

#[tokio::test]
async fn an_account_that_ends_takes_it_along() {
    on_each(async |bench| {
        let caller = Caller::new(&bench).await;
        let bodies = &bench.accounts.bodies;
        bodies.keep_for(&origin(), &caller.owner, 30).await.expect("on");
        assert!(caller.keep(&bench, "rcp_1").await);
        bench.accounts.people.ask_for_end(&origin(), &caller.owner).await.expect("asked");
        bench.clock.advance(crate::people::GRACE_MS);
        bench.accounts.sweep().await.expect("ended");
        assert!(!caller.reads(&bench, "rcp_1").await);
        assert_eq!((bodies.forget().await.expect("swept"), rows(&bench).await), (1, (0, 0)));
    })
    .await;
}
