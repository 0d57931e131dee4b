//! Limits over the management API.

use serde_json::Value;

use crate::http::{Answer, Call};
use crate::stage::Stage;

/// Makes a key that may set the limits of the whole organisation.
pub async fn admin(stage: &mut Stage) -> String {
    stage.person.create_key("admin", &[("org_admin", "on")]).await
}

/// The id of the first node of a kind (`key:`, `mem:`, …); with a name, of the one of that name.
pub async fn node(stage: &Stage, key: &str, kind: &str, name: &str) -> String {
    let list = Call::get(stage.product.at("/api/v1/limits?limit=200")).header("x-api-key", key).send().await;
    let list = list.expect_status(200).json();
    let is_wanted = |node: &&Value| {
        let id = node["node"].as_str().expect("an id");
        id.starts_with(kind) && (name.is_empty() || node["name"] == name)
    };
    let found = list["data"].as_array().expect("a list").iter().find(is_wanted);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {list}"))["node"].as_str().expect("an id").to_owned()
}

/// Sets a limit; `path` is `{node}/{limit}`.
pub async fn set(stage: &Stage, key: &str, path: &str, body: &Value) {
    let _ = try_set(stage, key, path, body).await.expect_status(200);
}

/// As [`set`], for one that may be refused.
pub async fn try_set(stage: &Stage, key: &str, path: &str, body: &Value) -> Answer {
    Call::new("PUT", stage.product.at(&format!("/api/v1/limits/{path}")))
        .header("x-api-key", key)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
}
