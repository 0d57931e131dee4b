//! What holds and owns keys beside people: deployments, which are named projects, and service accounts, which stay when
//! people leave.
use super::{MemberError, Membership, People};
use crate::Origin;
use crate::names::{self, NameProblem};
use crate::role::{Permission, Role};
use bytespike_store::deployment::{self, DeploymentRow};
use bytespike_store::member;
use serde_json::{Value, json};

/// Deployments that are not archived, per org.
const MOST_DEPLOYMENTS: i64 = 100;
/// Service accounts per org.
const MOST_SERVICES: i64 = 100;

/// A named project of an org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub id: String,
    pub name: String,
    /// The one each org starts with, which stays.
    pub is_default: bool,
    pub created_at_ms: i64,
    pub archived_at_ms: Option<i64>,
    /// Keys that have not ended.
    pub open_keys: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("your role in this org does not allow this")]
    Forbidden,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("there is none of this id here, or it cannot be changed any more")]
    NotFound,
    #[error("the org has as many of them as it can")]
    TooMany,
    #[error("this cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// The org's deployments, the archived ones last.
    pub async fn deployments(&self, member: &Membership) -> sqlx::Result<Vec<Deployment>> {
        let rows = deployment::of_org(&self.store, member.org_id()).await?;
        Ok(rows.into_iter().map(Deployment::from).collect())
    }

    pub async fn deployment(&self, member: &Membership, id: &str) -> sqlx::Result<Option<Deployment>> {
        Ok(self.deployments(member).await?.into_iter().find(|one| one.id == id))
    }

    /// Answers its id.
    pub async fn create_deployment(
        &self,
        origin: &Origin,
        member: &Membership,
        name: &str,
    ) -> Result<String, PlaceError> {
        let name = allowed(member, name)?;
        let id = self.world.id("dep");
        let event = member.did("deployment.created").target(&id);
        let entry = self.audit.entry(origin, event.changed(Value::Null, json!({ "name": name })));
        let bounds = (self.world.now_ms(), MOST_DEPLOYMENTS);
        match deployment::insert(&self.store, (member.org_id(), &id, &name), bounds, &entry).await? {
            true => Ok(id),
            false => Err(PlaceError::TooMany),
        }
    }

    pub async fn rename_deployment(
        &self,
        origin: &Origin,
        member: &Membership,
        (id, name): (&str, &str),
    ) -> Result<(), PlaceError> {
        let name = allowed(member, name)?;
        let event = member.did("deployment.renamed").target(id);
        let entry = self.audit.entry(origin, event.changed(Value::Null, json!({ "name": name })));
        found(deployment::rename(&self.store, (member.org_id(), id), &name, &entry).await?)
    }

    /// Puts it away; its keys are revoked. Its history stays.
    pub async fn archive_deployment(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
    ) -> Result<(), PlaceError> {
        allow(member)?;
        let event = member.did("deployment.archived").target(id);
        let (before, after) = (json!({ "state": "active" }), json!({ "state": "archived" }));
        let archived = self.audit.entry(origin, event.changed(before, after));
        let revoked = member.did("key.revoked").changed(Value::Null, json!({ "state": "revoked" }));
        let revoked = self.audit.entry(origin, revoked);
        let (which, now_ms) = ((member.org_id(), id), self.world.now_ms());
        let ended = deployment::archive(&self.store, which, now_ms, (&archived, &revoked)).await?;
        self.rights.refresh().await?;
        found(ended.is_some())
    }

    /// Makes a holder of keys that is no person. Answers its member id.
    pub async fn create_service_account(
        &self,
        origin: &Origin,
        member: &Membership,
        (name, role): (&str, Role),
    ) -> Result<String, PlaceError> {
        let name = allowed(member, name)?;
        if role == Role::Owner || !member.role().governs(role) {
            return Err(PlaceError::Forbidden);
        }
        let id = self.world.id("mem");
        let after = json!({ "name": name, "role": role.as_str() });
        let event = member.did("service_account.created").target(&id).changed(Value::Null, after);
        let (which, what) = ((member.org_id(), id.as_str()), (name.as_str(), role.as_str()));
        let bounds = (self.world.now_ms(), MOST_SERVICES);
        let entry = self.audit.entry(origin, event);
        match member::insert_service(&self.store, which, what, bounds, &entry).await? {
            true => Ok(id),
            false => Err(PlaceError::TooMany),
        }
    }

    pub async fn rename_service_account(
        &self,
        origin: &Origin,
        member: &Membership,
        (id, name): (&str, &str),
    ) -> Result<(), PlaceError> {
        let name = allowed(member, name)?;
        let event = member.did("service_account.renamed").target(id);
        let entry = self.audit.entry(origin, event.changed(Value::Null, json!({ "name": name })));
        found(member::rename_service(&self.store, (member.org_id(), id), &name, &entry).await?)
    }
}

fn allow(member: &Membership) -> Result<(), PlaceError> {
    if member.role().may(Permission::ManageDeployments) { Ok(()) } else { Err(PlaceError::Forbidden) }
}

fn allowed(member: &Membership, name: &str) -> Result<String, PlaceError> {
    allow(member)?;
    Ok(names::clean(name)?)
}

fn found(found: bool) -> Result<(), PlaceError> {
    if found { Ok(()) } else { Err(PlaceError::NotFound) }
}

impl From<MemberError> for PlaceError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Unavailable(error) => Self::Unavailable(error),
            MemberError::Name(problem) => Self::Name(problem),
            MemberError::NotFound => Self::NotFound,
            MemberError::TooMany => Self::TooMany,
            MemberError::Forbidden | MemberError::LastOwner => Self::Forbidden,
        }
    }
}

impl From<DeploymentRow> for Deployment {
    fn from(row: DeploymentRow) -> Self {
        Self {
            is_default: row.slug == "default",
            id: row.id,
            name: row.name,
            created_at_ms: row.created_at_ms,
            archived_at_ms: row.archived_at_ms,
            open_keys: row.open_keys,
        }
    }
}
