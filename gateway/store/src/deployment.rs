//! Deployments: named projects of an org that own keys.
use crate::{Store, on_database};

/// A deployment as it is chosen from.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeploymentRow {
    pub id: String,
    pub name: String,
}

/// The org's deployments that are not archived, the oldest first.
pub async fn open(store: &Store, org_id: &str) -> sqlx::Result<Vec<DeploymentRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, name from deployment where org_id = $1 and archived_at_ms is null order by created_at_ms, id")
        .bind(org_id).fetch_all(db).await)
}

/// Whether the org has it and it is not archived.
pub async fn is_open(store: &Store, org_id: &str, deployment_id: &str) -> sqlx::Result<bool> {
    Ok(open(store, org_id).await?.iter().any(|deployment| deployment.id == deployment_id))
}
