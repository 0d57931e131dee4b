//! A product, a scripted provider and someone with a key: what most tests start from.

use std::time::Instant;

use serde_json::Value;

use crate::PATIENCE;
use crate::database::rows;
use crate::http::{Answer, Call, Streaming};
use crate::person::Person;
use crate::product::{Product, Setup};
use crate::speaker::Speaker;
use crate::upstream::{Reply, Request, Upstream, scenes};

/// A product with someone signed up, and the provider it calls.
pub struct Stage {
    pub upstream: Upstream,
    pub product: Product,
    pub person: Person,
    pub key: String,
}

impl Stage {
    /// The usual setup, with a provider that plays scenes.
    pub async fn new() -> Self {
        Self::with(|setup| setup).await
    }

    /// The usual setup, changed.
    pub async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Upstream::start(scenes::play).await;
        let setup = change(Setup::scripted(&upstream.url()));
        Self::on(setup, upstream).await
    }

    /// A setup of the test's own, with its provider.
    pub async fn on(setup: Setup, upstream: Upstream) -> Self {
        let product = setup.start().await;
        let mut person = Person::new(&product, "someone@example.com");
        person.sign_up().await;
        let key = person.create_key("test", &[]).await;
        Self { upstream, product, person, key }
    }

    /// Has the provider answer every request alike from now on.
    pub fn answer(&self, reply: Reply) {
        self.upstream.answer_with(move |_| reply.clone());
    }

    /// Has the provider answer as the function says from now on.
    pub fn answer_with(&self, answer: impl FnMut(&Request) -> Reply + Send + 'static) {
        self.upstream.answer_with(answer);
    }

    /// A request of this dialect with the key.
    #[must_use]
    pub fn call(&self, speaker: Speaker, body: &Value) -> Call {
        speaker.call(&self.product.url, &self.key, body)
    }

    /// Asks and reads the whole answer.
    pub async fn ask(&self, speaker: Speaker, body: &Value) -> Answer {
        self.call(speaker, body).send().await
    }

    /// Asks and returns with the head of the answer.
    pub async fn stream(&self, speaker: Speaker, body: &Value) -> Streaming {
        self.call(speaker, body).stream().await
    }

    /// Reads from the account API with the key.
    pub async fn get(&self, path: &str) -> Answer {
        Call::get(self.product.at(path)).header("x-api-key", &*self.key).send().await
    }

    /// Posts to the account API with the key.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Call::post(self.product.at(path), body).header("x-api-key", &*self.key).send().await
    }

    /// The receipt of a call once it is over. A call that was hung up on is resolved a moment later.
    pub async fn receipt(&self, id: &str) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.get(&format!("/v1/receipts/{id}")).await;
            let receipt = answer.json();
            if matches!(receipt["outcome"].as_str(), Some("settled" | "released" | "expired")) {
                check_receipt(&receipt);
                return receipt;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "receipt {id} is not resolved: {} {receipt}",
                answer.status
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// The receipt as the ledger keeps it, once the call is over: a revoked key reads no receipts.
    pub async fn stored_receipt(&self, id: &str) -> Value {
        let store = self.product.database.connect().await;
        let started = Instant::now();
        let text = loop {
            let all = rows(&store, "select id, body_json from receipt").await;
            if let Some(row) = all.into_iter().find(|row| row[0] == id) {
                break row[1].clone();
            }
            assert!(started.elapsed() < PATIENCE, "receipt {id} is not written");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        store.close().await;
        let receipt = serde_json::from_str(&text).expect("a receipt is JSON");
        check_receipt(&receipt);
        receipt
    }

    /// The receipt of the call that got this answer.
    pub async fn receipt_of(&self, answer: &Answer) -> Value {
        self.receipt(answer.header("x-receipt-id")).await
    }

    /// The organisation's balance as the account API shows it.
    pub async fn balance(&self) -> Value {
        self.get("/v1/balance").await.expect_status(200).json()
    }
}

/// What is true of every receipt: held = charged + returned, and the lines add up to the charge.
pub fn check_receipt(receipt: &Value) {
    let [held, charged, returned] =
        ["held", "charged", "returned"].map(|name| nano(&receipt[name]["credits"]));
    assert_eq!(held, charged + returned, "{receipt}");
    let landed = receipt["outcome"] == "settled";
    assert!(landed || charged == 0, "{receipt}");
    assert!(receipt["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{receipt}");
}

/// Credits with three decimals as nano-USD.
#[must_use]
pub fn nano(credits: &Value) -> i64 {
    let text = credits.as_str().unwrap_or_else(|| panic!("credits are text, not {credits}"));
    let (whole, thousandths) = text.split_once('.').unwrap_or_else(|| panic!("three decimals, not {text}"));
    assert_eq!(thousandths.len(), 3, "three decimals, not {text}");
    whole.parse::<i64>().expect("whole credits") * 1000 + thousandths.parse::<i64>().expect("thousandths")
}

/// A header of credits as nano-USD.
#[must_use]
pub fn nano_header(answer: &Answer, name: &str) -> i64 {
    nano(&Value::from(answer.header(name)))
}
