//! Invitations into an org: issued to an address, with a role that is fixed then, and accepted by whoever has proven that
//! address. The page behind a link says the same whether or not the address has an account.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::email::{EmailAddress, EmailError};
use crate::mail::{Mail, MailKind};
use crate::orgs::Language;
use crate::role::{Permission, Role};
use crate::throttle::Rule;
use crate::tokens::TokenKind;
use bytespike_store::invitation::{self, Acceptance, InvitationRow, NewInvitation};
use bytespike_store::person;
use serde_json::{Value, json};

/// Open invitations per org.
const MOST_OPEN: usize = 200;

/// An invitation that is open; it may have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: String,
    pub org_id: String,
    pub org_name: String,
    pub email: String,
    pub role: Role,
    pub inviter_name: String,
    pub sent_at_ms: i64,
    pub expires_at_ms: i64,
    /// Whether its issuer may still give that role. If not, nobody can accept it.
    pub is_backed: bool,
}

/// An invitation that was issued, with the mail that carries its link; no mail when the address got several lately.
pub struct Issued {
    pub id: String,
    pub mail: Option<Mail>,
}

#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("your role in this org does not allow inviting somebody as this")]
    Forbidden,
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error("this address belongs to a member, or was invited already")]
    Known,
    #[error("the org has {MOST_OPEN} open invitations")]
    TooMany,
    #[error("this invitation was used, revoked or replaced, or it has expired")]
    Dead,
    #[error("this invitation was sent to another address")]
    OtherAddress,
    #[error("invitations cannot be handled right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// Invites an address. The mail is written in `language`, the inviter's: whose address it is nobody needs to know.
    pub async fn invite(
        &self,
        origin: &Origin,
        member: &Membership,
        (email, role): (&str, Role),
        language: Language,
    ) -> Result<Issued, InviteError> {
        let email = EmailAddress::parse(email)?;
        may_invite(member, role)?;
        if invitation::open_of_org(&self.store, member.org_id()).await?.len() >= MOST_OPEN {
            return Err(InviteError::TooMany);
        }
        let id = self.world.id("inv");
        let after = json!({ "email": email.as_str(), "role": role.as_str() });
        let event = member.did("invitation.sent").target(&id).changed(Value::Null, after);
        let entry = self.audit.entry(origin, event);
        let (token, token_hash) = self.tokens.mint(TokenKind::Invitation);
        let key = email.key();
        let new = NewInvitation {
            email: email.as_str(),
            email_key: &key,
            role: role.as_str(),
            ..self.issuing((&id, &token_hash), member)
        };
        if !invitation::insert(&self.store, new, &entry).await? {
            return Err(InviteError::Known);
        }
        let mail = self.invitation_mail(member, (email, language), token).await?;
        Ok(Issued { id, mail })
    }

    /// A new link to an open invitation, good for another week; the one before is dead.
    pub async fn resend_invitation(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
        language: Language,
    ) -> Result<Issued, InviteError> {
        let found = self.own_invitation(member, id).await?;
        may_invite(member, Role::from_stored(&found.role))?;
        let entry = self.audit.entry(origin, member.did("invitation.resent").target(id));
        let (token, token_hash) = self.tokens.mint(TokenKind::Invitation);
        if !invitation::renew(&self.store, self.issuing((id, &token_hash), member), &entry).await? {
            return Err(InviteError::Dead);
        }
        let email = EmailAddress::parse(&found.email)?;
        let mail = self.invitation_mail(member, (email, language), token).await?;
        Ok(Issued { id: id.to_owned(), mail })
    }

    pub async fn revoke_invitation(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
    ) -> Result<(), InviteError> {
        let found = self.own_invitation(member, id).await?;
        let before = json!({ "email": found.email, "role": found.role });
        let event = member.did("invitation.revoked").target(id).changed(before, Value::Null);
        let entry = self.audit.entry(origin, event);
        match invitation::revoke(&self.store, member.org_id(), id, &entry).await? {
            true => Ok(()),
            false => Err(InviteError::Dead),
        }
    }

    /// The org's open invitations, the newest first, for those who may invite.
    pub async fn invitations(&self, member: &Membership) -> sqlx::Result<Vec<Invitation>> {
        if !member.role().may(Permission::ManageMembers) {
            return Ok(Vec::new());
        }
        let rows = invitation::open_of_org(&self.store, member.org_id()).await?;
        Ok(rows.into_iter().map(Invitation::from).collect())
    }

    /// What a link invites to, if it still can. Looking at it uses nothing up.
    pub async fn invitation(&self, token: &str) -> sqlx::Result<Option<Invitation>> {
        Ok(self.live_invitation(token).await?.map(Invitation::from))
    }

    /// Makes the person a member. Answers the org.
    pub async fn accept_invitation(
        &self,
        origin: &Origin,
        member: &Membership,
        token: &str,
    ) -> Result<String, InviteError> {
        let found = self.live_invitation(token).await?.ok_or(InviteError::Dead)?;
        let person = person::find(&self.store, member.person_id()).await?.ok_or(InviteError::Dead)?;
        let proven =
            EmailAddress::parse(&person.email).ok().filter(|_| person.email_verified_at_ms.is_some());
        if proven.is_none_or(|email| email.key() != found.email_key) {
            return Err(InviteError::OtherAddress);
        }
        let actor = Actor::Person(member.person_id());
        let after = json!({ "name": person.name, "role": found.role, "email": found.email });
        let event = Event::new("member.joined", actor).org(&found.org_id).changed(Value::Null, after);
        let acceptance = Acceptance {
            token_hash: &self.tokens.hash(TokenKind::Invitation, token),
            invitation: &found,
            person_id: member.person_id(),
            member_id: &self.world.id("mem"),
            now_ms: self.world.now_ms(),
        };
        let joined = invitation::accept(&self.store, acceptance, &self.audit.entry(origin, event)).await?;
        joined.map(|_| found.org_id).ok_or(InviteError::Dead)
    }

    /// The invitation behind a token, while its issuer may still give the role.
    async fn live_invitation(&self, token: &str) -> sqlx::Result<Option<InvitationRow>> {
        let hash = self.tokens.hash(TokenKind::Invitation, token);
        let found = invitation::find(&self.store, &hash, self.world.now_ms()).await?;
        Ok(found.filter(is_backed))
    }

    async fn own_invitation(&self, member: &Membership, id: &str) -> Result<InvitationRow, InviteError> {
        if !member.role().may(Permission::ManageMembers) {
            return Err(InviteError::Forbidden);
        }
        let open = invitation::open_of_org(&self.store, member.org_id()).await?;
        open.into_iter().find(|row| row.id == id).ok_or(InviteError::Dead)
    }

    fn issuing<'a>(&self, (id, token_hash): (&'a str, &'a str), member: &'a Membership) -> NewInvitation<'a> {
        let now_ms = self.world.now_ms();
        NewInvitation {
            id,
            org_id: member.org_id(),
            email: "",
            email_key: "",
            role: "",
            token_hash,
            invited_by_member_id: member.member_id(),
            now_ms,
            expires_at_ms: now_ms + TokenKind::Invitation.lifetime_ms(),
        }
    }

    async fn invitation_mail(
        &self,
        member: &Membership,
        (to, language): (EmailAddress, Language),
        token: crate::secrets::SecretText,
    ) -> sqlx::Result<Option<Mail>> {
        let allowed = self.throttle.allows(&self.throttle.mail_to(&to.key()), Rule::MAIL).await?;
        let (org_name, inviter_name) = (member.org_name().to_owned(), member.person_name().to_owned());
        let kind = MailKind::Invitation { token, org_name, inviter_name };
        Ok(allowed.then_some(Mail { to, language, kind }))
    }
}

fn may_invite(member: &Membership, role: Role) -> Result<(), InviteError> {
    let may = member.role().may(Permission::ManageMembers) && member.role().governs(role);
    if may { Ok(()) } else { Err(InviteError::Forbidden) }
}

fn is_backed(row: &InvitationRow) -> bool {
    let inviter = row.inviter_role.as_deref().map(Role::from_stored);
    inviter.is_some_and(|inviter| {
        inviter.may(Permission::ManageMembers) && inviter.governs(Role::from_stored(&row.role))
    })
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            is_backed: is_backed(&row),
            role: Role::from_stored(&row.role),
            id: row.id,
            org_id: row.org_id,
            org_name: row.org_name,
            email: row.email,
            inviter_name: row.inviter_name,
            sent_at_ms: row.sent_at_ms,
            expires_at_ms: row.expires_at_ms,
        }
    }
}
