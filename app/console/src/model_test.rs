//! One real call to see whether a model answers, at the installation's cost: what it may cost at most is granted
//! first, with a short life, so the wallet's books say what happened and the organisation pays nothing.
use crate::gateway::ApiAnswer;
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::Origin;
use bytespike_accounts::keys::{AllowList, CreatedKey, KeyError, NewKey, Terms};
use bytespike_accounts::people::Membership;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Credit, CreditKind};
use serde_json::{Value, json};

/// Marks the grant, so that the wallet page can name it in the reader's language.
pub(crate) const TEST_NOTE: &str = "model-test";
/// Enough for a model that thinks before it says one word.
const MOST_OUTPUT_TOKENS: u32 = 200;
/// What one test may hold: five US cents, a hundred times what most models take.
const MOST_HELD: NanoUsd = NanoUsd(50_000_000);
/// What the call leaves of its grant lapses after this.
const GRANT_MS: i64 = 10 * 60_000;
/// The key of a test ends with it; this is for a test that a crash cut short.
const KEY_MS: i64 = 2 * 60_000;

/// How a test went.
pub(crate) enum Tested {
    /// There is a receipt, of an answer or of a failure.
    Called { receipt_id: String, answered: bool },
    /// The call was refused before it held anything; the API's own sentence.
    Refused { why: String },
    /// It would hold more than a test may.
    TooCostly,
    /// Today's tests are used up.
    NoneLeft,
}

/// Tests a model. Runs to its end even if the browser goes away, so that no key is left behind.
///
/// # Errors
/// The role may not make keys, or the database does not answer.
pub(crate) async fn run(
    state: &ConsoleState,
    who: &SignedIn,
    (model, key_name): (&str, &str),
) -> Result<Tested, Problem> {
    if !state.accounts.people.takes_model_test(&who.member).await? {
        return Ok(Tested::NoneLeft);
    }
    let (member, origin) = (who.member.clone(), who.origin.clone());
    let test = Test { state: state.clone(), member, origin, model: model.to_owned() };
    let key_name = key_name.to_owned();
    tokio::spawn(async move { test.run(&key_name).await }).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a test of a model did not end");
        Err(Problem::Unavailable)
    })
}

struct Test {
    state: ConsoleState,
    member: Membership,
    origin: Origin,
    model: String,
}

impl Test {
    async fn run(&self, key_name: &str) -> Result<Tested, Problem> {
        let keys = &self.state.accounts.keys;
        let new = NewKey::with(Terms {
            models: AllowList::Only([self.model.clone()].into()),
            expires_at_ms: Some(self.state.world.now_ms() + KEY_MS),
            ..Terms::named(key_name)
        });
        let key = keys.create(&self.origin, &self.member, new).await.map_err(refused)?;
        let tested = self.call(&key).await;
        keys.delete(&self.origin, &self.member, &key.id).await.map_err(refused)?;
        tested
    }

    async fn call(&self, key: &CreatedKey) -> Result<Tested, Problem> {
        let (gateway, request) = (&self.state.gateway, self.request());
        let estimate = gateway.post("/v1/estimate", key.secret.expose(), &request).await;
        let held = estimate.body.get("held_credits").and_then(Value::as_str).and_then(NanoUsd::from_credits);
        let Some(held) = held else { return Ok(Tested::Refused { why: estimate.message() }) };
        if held > MOST_HELD {
            return Ok(Tested::TooCostly);
        }
        if held > NanoUsd::ZERO {
            self.grant(key, held).await?;
        }
        Ok(outcome(&gateway.post("/v1/messages", key.secret.expose(), &request).await))
    }

    async fn grant(&self, key: &CreatedKey, amount: NanoUsd) -> Result<(), Problem> {
        let credit = Credit {
            org_id: self.member.org_id().to_owned(),
            amount,
            kind: CreditKind::Grant,
            idempotency_key: format!("model-test:{}", key.id),
            note: TEST_NOTE.to_owned(),
            expires_at_ms: Some(self.state.world.now_ms() + GRANT_MS),
        };
        self.state.ledger.credit(credit).await?;
        Ok(())
    }

    fn request(&self) -> Value {
        json!({
            "model": self.model,
            "max_tokens": MOST_OUTPUT_TOKENS,
            "messages": [{"role": "user", "content": "Reply with the one word: OK"}],
        })
    }
}

fn outcome(answer: &ApiAnswer) -> Tested {
    match answer.header("x-receipt-id") {
        Some(receipt_id) => Tested::Called { receipt_id, answered: answer.status.is_success() },
        None => Tested::Refused { why: answer.message() },
    }
}

fn refused(error: KeyError) -> Problem {
    match error {
        KeyError::Unavailable(error) => error.into(),
        _ => Problem::Forbidden,
    }
}
