//! The console on 127.0.0.1:41500 with an account, keys and calls in it, to look at. Sign in as ada@example.com or
//! lin@example.com (Chinese) with the password that the support module gives everyone.
#![expect(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool to look at pages with, on the tests' scenes"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use bytespike_accounts::people::Membership;
use bytespike_catalog::NanoUsd;
use bytespike_catalog::Usage;
use bytespike_ledger::{NodeId, Reason, SetLimit, Window};
use bytespike_ui::http::{ReferrerPolicy, SecurityHeaders};
use std::net::SocketAddr;
use support::Bench;
use support::scene::Call;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt().init();
    let bench = Bench::new().await;
    bench.clock.set(support::START_MS - 14 * DAY_MS);
    for (prefix, email) in [("", "ada@example.com"), ("/zh", "lin@example.com"), ("", "new@example.com")] {
        bench.browser().join(prefix, email).await;
    }
    let mut accounts = Vec::new();
    for email in ["ada@example.com", "lin@example.com"] {
        accounts.push(Account::prepare(&bench, email).await);
    }
    // Time only goes forward, so both accounts live through each day together.
    for day in 0..14_i64 {
        bench.clock.set(support::START_MS + (day - 13) * DAY_MS - 4 * HOUR_MS);
        for account in &accounts {
            account.live_through(&bench, day).await;
        }
    }
    bench.clock.set(support::START_MS);
    for account in &accounts {
        account.leave_running(&bench).await;
    }
    bench.clock.advance(45_000);
    let router = bytespike_console::router(bench.state.clone())
        .merge(bytespike_ui::theme::router())
        .merge(bytespike_ui::assets::router());
    let headers = SecurityHeaders { https: false, referrer: ReferrerPolicy::SameOrigin };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:41500").await.expect("the port is free");
    let router = bytespike_ui::http::layers(router, headers);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.expect("served");
}

/// Someone with three keys, limited ones, the last of them revoked.
struct Account {
    member: Membership,
    keys: Vec<(String, &'static str)>,
}

impl Account {
    async fn prepare(bench: &Bench, email: &str) -> Self {
        let mut browser = bench.browser();
        let is_chinese = email.starts_with("lin");
        browser.sign_in(if is_chinese { "/zh" } else { "" }, email).await;
        let names = if is_chinese {
            ["笔记本", "夜间任务", "旧原型"]
        } else {
            ["laptop", "nightly job", "old prototype"]
        };
        let mut keys = Vec::new();
        for name in names {
            keys.push((
                browser.create_key(name, &[("limit_month", "20"), ("limit_1d", "2.50")]).await.0,
                name,
            ));
        }
        let (old, _) = keys.pop().expect("three keys");
        let revoke = format!("/console/keys/{old}/revoke");
        browser.submit(&revoke, &revoke, &[("confirm", names[2])]).await;
        let member = bench.member(email).await;
        let node = NodeId::org(member.org_id());
        let limit = Some(NanoUsd(50_000_000_000));
        let org = SetLimit { org_id: member.org_id().to_owned(), node, window: Window::Month, limit };
        bench.state.ledger.set_limit(org).await.expect("a limit");
        Self { member, keys }
    }

    async fn live_through(&self, bench: &Bench, day: i64) {
        for n in 0..=(day * 7 % 4) {
            let (key_id, name) = &self.keys[usize::try_from(n % 2).expect("small")];
            let mut call = Call::with(key_id, name);
            let scale = u64::try_from(1 + day * 3 % 5 + n).expect("small");
            call.usage = Usage {
                input_tokens: 612 * scale,
                cache_read_tokens: 1_905,
                output_tokens: 43 * scale,
                ..Usage::default()
            };
            call.failed = usize::from(n == 2);
            bench.settled(&self.member, call).await;
            bench.clock.advance(HOUR_MS / 6);
        }
        if day % 4 == 1 {
            let (key_id, name) = &self.keys[0];
            bench.released(&self.member, Call::with(key_id, name), Reason::UpstreamError).await;
        }
    }

    async fn leave_running(&self, bench: &Bench) {
        for (key_id, name) in &self.keys {
            std::mem::forget(bench.hold(&self.member, Call::with(key_id, name)).await);
            bench.clock.advance(9_000);
        }
    }
}
