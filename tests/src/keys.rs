//! Keys over the management API.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::stage::Stage;

/// Asks the management API below `/api/v1/keys` with a key. `path` is empty, or `/…`.
pub async fn ask(stage: &Stage, key: &str, (method, path): (&str, &str), body: Option<&Value>) -> Answer {
    let call = Call::new(method, stage.product.at(&format!("/api/v1/keys{path}"))).header("x-api-key", key);
    match body {
        Some(body) => call.header("content-type", "application/json").body(body.to_string()).send().await,
        None => call.send().await,
    }
}

/// Makes a key, or derives one, and answers its id and its secret.
pub async fn derive(stage: &Stage, key: &str, body: &Value) -> (String, String) {
    let made = ask(stage, key, ("POST", ""), Some(body)).await.expect_status(201).json();
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name} in {made}")).to_owned();
    (text("id"), text("key"))
}

/// Makes a key that manages all of its organisation's keys, and itself calls no models.
pub async fn manager(stage: &mut Stage) -> String {
    stage
        .person
        .create_key("manager", &[("inference", ""), ("keys_manage", "on"), ("limits_manage", "on")])
        .await
}

/// A body for a key with spend limits: pairs of a limit's name and credits.
#[must_use]
pub fn with_limits(name: &str, limits: &[(&str, &str)]) -> Value {
    let limits: Vec<Value> =
        limits.iter().map(|(limit, credits)| json!({"limit": limit, "limit_credits": credits})).collect();
    json!({"name": name, "limits": limits})
}
