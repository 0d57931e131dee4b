//! Who is in an org and as what: roles, leaving, removing, handing the org over, further orgs.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::names::{self, NameProblem};
use crate::orgs::{Language, Preset, TrialGrant};
use crate::role::{Permission, Role};
use bytespike_store::member::{self, Changed, MemberChange, MemberRow};
use bytespike_store::org::{self, NewOrg};
use bytespike_store::person::Person;
use serde_json::{Value, json};

/// Orgs that one person owns at most.
const MOST_ORGS: i64 = 20;

/// An active member: a person, or a service account, which has neither a person nor an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    pub person_id: Option<String>,
    pub name: String,
    pub email: Option<String>,
    pub role: Role,
    pub joined_at_ms: i64,
    /// Keys held that have not ended.
    pub open_keys: i64,
}

impl Member {
    pub fn is_person(&self) -> bool {
        self.person_id.is_some()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error("your role in this org does not allow this")]
    Forbidden,
    #[error("there is no such member, or somebody changed them at the same moment")]
    NotFound,
    #[error("an org keeps an owner: make somebody else one first")]
    LastOwner,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("you own {MOST_ORGS} orgs already")]
    TooMany,
    #[error("members cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// The active members whom this one may see, the first joined first: everybody, or themselves alone.
    pub async fn members(&self, member: &Membership) -> sqlx::Result<Vec<Member>> {
        let rows = member::of_org(&self.store, member.org_id()).await?;
        let sees_all = member.role().may(Permission::SeeMembers);
        let seen = rows.into_iter().filter(|row| sees_all || row.id == member.member_id());
        Ok(seen.map(Member::from).collect())
    }

    /// One of those that [`Self::members`] shows.
    pub async fn member(&self, member: &Membership, id: &str) -> sqlx::Result<Option<Member>> {
        Ok(self.members(member).await?.into_iter().find(|one| one.id == id))
    }

    /// Ids and names of everyone who ever belonged to the org, for its log.
    pub async fn persons_of_org(&self, org_id: &str) -> sqlx::Result<Vec<(String, String)>> {
        member::persons_of_org(&self.store, org_id).await
    }

    /// Gives a member another role. Both the old and the new one must be among those that this one governs.
    pub async fn set_role(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
        role: Role,
    ) -> Result<(), MemberError> {
        let target = self.governed(member, id).await?;
        if !member.role().governs(role) || (role == Role::Owner && !target.is_person()) {
            return Err(MemberError::Forbidden);
        }
        if target.role == role {
            return Ok(());
        }
        let event = member.did("member.role_changed").target(id);
        let entry = self.audit.entry(origin, event.changed(Value::Null, json!({ "role": role.as_str() })));
        let changed =
            member::set_role(&self.store, self.change(member, &target), role.as_str(), &entry).await?;
        self.finish(changed).await
    }

    /// Takes a member out of the org: their keys are revoked. Nobody takes themselves out so; they leave.
    pub async fn remove_member(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
    ) -> Result<(), MemberError> {
        let target = self.governed(member, id).await?;
        if target.id == member.member_id() {
            return Err(MemberError::Forbidden);
        }
        let name = if target.is_person() { "member.removed" } else { "service_account.removed" };
        self.take_out(origin, member, (&target, name)).await
    }

    /// Leaves the org: the keys held there are revoked.
    pub async fn leave(&self, origin: &Origin, member: &Membership) -> Result<(), MemberError> {
        let own = self.member(member, member.member_id()).await?.ok_or(MemberError::NotFound)?;
        self.take_out(origin, member, (&own, "member.left")).await
    }

    /// Hands the org over: the other becomes its owner, and this one an admin.
    pub async fn transfer_org(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
    ) -> Result<(), MemberError> {
        if !member.role().may(Permission::OwnOrg) {
            return Err(MemberError::Forbidden);
        }
        let target = self.member(member, id).await?.ok_or(MemberError::NotFound)?;
        if target.id == member.member_id() || !target.is_person() {
            return Err(MemberError::Forbidden);
        }
        let before = json!({ "owner": member.person_name() });
        let event = member.did("org.transferred").target(id).changed(before, json!({ "owner": target.name }));
        let entry = self.audit.entry(origin, event);
        let from = MemberChange {
            org_id: member.org_id(),
            member_id: member.member_id(),
            seen_role: member.role().as_str(),
            now_ms: self.world.now_ms(),
        };
        let to = (target.id.as_str(), target.role.as_str());
        let changed = member::transfer(&self.store, from, to, &entry).await?;
        self.finish(changed).await
    }

    /// Makes another org, of which the person is the owner. Answers its id and the wallet to be opened for it.
    pub async fn create_org(
        &self,
        origin: &Origin,
        member: &Membership,
        name: &str,
    ) -> Result<TrialGrant, MemberError> {
        let name = names::clean(name)?;
        self.new_org(origin, (member.person_id(), &name), Preset::of(member.language())).await
    }

    /// The person's first org. Whoever was taken out of their last one gets an empty one of their own: without any they
    /// could neither sign in nor accept an invitation.
    pub(super) async fn home(&self, origin: &Origin, person: &Person) -> sqlx::Result<Option<Membership>> {
        let found = self.membership(&person.id, None).await?;
        if found.is_some() || person.state != "active" {
            return Ok(found);
        }
        let preset = Preset::of(Language::from_tag(&person.language));
        match self.new_org(origin, (&person.id, &person.name), preset).await {
            Ok(_) => self.membership(&person.id, None).await,
            Err(MemberError::Unavailable(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    pub(super) async fn new_org(
        &self,
        origin: &Origin,
        (person_id, name): (&str, &str),
        preset: Preset,
    ) -> Result<TrialGrant, MemberError> {
        let (org_id, deployment_id, member_id) =
            (self.world.id("org"), self.world.id("dep"), self.world.id("mem"));
        let new = NewOrg {
            id: &org_id,
            name,
            preset: preset.as_str(),
            deployment_id: &deployment_id,
            member_id: &member_id,
            person_id,
            now_ms: self.world.now_ms(),
        };
        let event = Event::new("org.created", Actor::Person(person_id)).org(&org_id).target(&org_id);
        let entry = self.audit.entry(origin, event.changed(Value::Null, json!({ "name": name })));
        match org::insert(&self.store, new, MOST_ORGS, &entry).await? {
            true => Ok(TrialGrant::not_owed(org_id)),
            false => Err(MemberError::TooMany),
        }
    }

    async fn governed(&self, member: &Membership, id: &str) -> Result<Member, MemberError> {
        if !member.role().may(Permission::ManageMembers) {
            return Err(MemberError::Forbidden);
        }
        let target = self.member(member, id).await?.ok_or(MemberError::NotFound)?;
        if member.role().governs(target.role) { Ok(target) } else { Err(MemberError::Forbidden) }
    }

    async fn take_out(
        &self,
        origin: &Origin,
        member: &Membership,
        (target, name): (&Member, &'static str),
    ) -> Result<(), MemberError> {
        let after = json!({ "role": null, "keys_revoked": target.open_keys });
        let event = member.did(name).target(&target.id).changed(Value::Null, after);
        let removed = self.audit.entry(origin, event);
        let revoked = member.did("key.revoked").changed(Value::Null, json!({ "state": "revoked" }));
        let revoked = self.audit.entry(origin, revoked);
        let changed = member::remove(&self.store, self.change(member, target), (&removed, &revoked)).await?;
        self.finish(changed).await
    }

    fn change<'a>(&self, member: &'a Membership, target: &'a Member) -> MemberChange<'a> {
        MemberChange {
            org_id: member.org_id(),
            member_id: &target.id,
            seen_role: target.role.as_str(),
            now_ms: self.world.now_ms(),
        }
    }

    async fn finish(&self, changed: Changed) -> Result<(), MemberError> {
        match changed {
            Changed::Done => Ok(self.rights.refresh().await.map(drop)?),
            Changed::Gone => Err(MemberError::NotFound),
            Changed::LastOwner => Err(MemberError::LastOwner),
        }
    }
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            role: Role::from_stored(&row.role),
            id: row.id,
            person_id: row.person_id,
            name: row.name,
            email: row.email,
            joined_at_ms: row.created_at_ms,
            open_keys: row.open_keys,
        }
    }
}
