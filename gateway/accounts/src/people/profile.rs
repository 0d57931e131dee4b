//! What people change about themselves and, where their role allows it, about their org.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::names::{self, NameProblem};
use crate::orgs::{Language, Preset};
use crate::role::Permission;
use bytespike_store::org;
use bytespike_store::person::{self, ProfileRow};
use serde_json::json;

const MOST_TIME_ZONE_BYTES: usize = 64;

/// What the profile form holds.
#[derive(Clone, Copy)]
pub struct Profile<'a> {
    pub name: &'a str,
    pub language: Language,
    /// An IANA name, for example `Asia/Shanghai`.
    pub time_zone: &'a str,
    pub numbers: NumberFormat,
}

/// How somebody wants numbers written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberFormat {
    /// As their language writes them.
    #[default]
    ByLanguage,
    /// `1,234.56`
    CommaPoint,
    /// `1.234,56`
    PointComma,
    /// `1 234,56`
    SpaceComma,
}

impl NumberFormat {
    pub const ALL: [Self; 4] = [Self::ByLanguage, Self::CommaPoint, Self::PointComma, Self::SpaceComma];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByLanguage => "language",
            Self::CommaPoint => "comma_point",
            Self::PointComma => "point_comma",
            Self::SpaceComma => "space_comma",
        }
    }

    /// What nobody knows is as the language has it.
    pub fn from_stored(text: &str) -> Self {
        Self::ALL.into_iter().find(|format| format.as_str() == text).unwrap_or_default()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("this is not the name of a time zone; they look like Asia/Shanghai")]
    TimeZone,
    #[error("settings cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    #[error("your role in this org does not allow this")]
    Forbidden,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("the org cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    pub async fn set_profile(
        &self,
        origin: &Origin,
        member: &Membership,
        profile: Profile<'_>,
    ) -> Result<(), ProfileError> {
        let name = names::clean(profile.name)?;
        if !is_time_zone_name(profile.time_zone) {
            return Err(ProfileError::TimeZone);
        }
        let language = profile.language.as_str();
        let numbers = profile.numbers.as_str();
        let after = json!({
            "name": name, "language": language, "time_zone": profile.time_zone, "number_format": numbers,
        });
        let event = Event::new("person.profile_changed", Actor::Person(member.person_id()));
        let entry = self.audit.entry(origin, event.changed(json!(null), after));
        let row = ProfileRow { name: &name, language, time_zone: profile.time_zone, number_format: numbers };
        Ok(person::set_profile(&self.store, member.person_id(), row, &entry).await?)
    }

    pub async fn rename_org(&self, origin: &Origin, member: &Membership, name: &str) -> Result<(), OrgError> {
        let name = names::clean(name)?;
        allow(member, Permission::ManageOrg)?;
        let event = member.did("org.renamed").changed(json!(null), json!({ "name": name }));
        Ok(org::rename(&self.store, member.org_id(), &name, &self.audit.entry(origin, event)).await?)
    }

    /// Switches the org's model set; callers see it at once here, elsewhere within a second.
    pub async fn set_preset(
        &self,
        origin: &Origin,
        member: &Membership,
        preset: Preset,
    ) -> Result<(), OrgError> {
        allow(member, Permission::ManageOrg)?;
        let after = json!({ "preset": preset.as_str() });
        let event = member.did("org.preset_changed").changed(json!(null), after);
        org::set_preset(&self.store, member.org_id(), preset.as_str(), &self.audit.entry(origin, event))
            .await?;
        self.rights.refresh().await?;
        Ok(())
    }

    /// Stops a person everywhere: sessions end now, their keys within a second. For operators and the host.
    pub async fn disable(&self, origin: &Origin, actor: Actor<'_>, person_id: &str) -> sqlx::Result<()> {
        let entry = self.audit.entry(origin, Event::new("person.disabled", actor).target(person_id));
        person::disable(&self.store, person_id, &entry).await?;
        self.rights.refresh().await.map(drop)
    }
}

fn allow(member: &Membership, permission: Permission) -> Result<(), OrgError> {
    if member.role().may(permission) { Ok(()) } else { Err(OrgError::Forbidden) }
}

/// The form of an IANA name. Whether the zone exists is known to whoever converts times.
fn is_time_zone_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-/".contains(&byte);
    text.len() <= MOST_TIME_ZONE_BYTES
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(allowed)
}
