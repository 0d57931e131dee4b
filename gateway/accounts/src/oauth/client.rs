//! Programs that may ask: those that ship with ByteSpike, those that an org registered for itself, and those whose id is
//! the address of a document about them ([`super::document`]).
use super::Oauth;
use super::document::DocumentAddress;
use super::redirect::{self, RedirectProblem};
use super::scope::{GrantScope, GrantScopes};
use super::token_text::{self, Presented, TokenKind};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::names::{self, NameProblem};
use crate::people::Membership;
use crate::role::Permission;
use crate::secrets::SecretText;
use bytespike_store::oauth::client::{self as rows, ClientRow};
use bytespike_store::oauth::client_document;
use serde_json::json;

/// Redirect addresses of one program.
const MOST_REDIRECTS: usize = 10;
/// Programs that one org registers.
const MOST_CLIENTS: usize = 50;

/// DOSIA, a desktop program: it proves itself by PKCE and listens on whichever port is free.
const DOSIA: &str = "dosia-desktop";

/// How far a person should trust what a program says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Ships with ByteSpike.
    BuiltIn,
    /// An admin of the org with this id registered it.
    Registered,
    /// Nobody knows it; its id is the address of a document in which it says who it is.
    Document,
}

/// A program that may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    pub name: String,
    pub trust: Trust,
    /// Whose members may allow it; `None`: everybody.
    pub org_id: Option<String>,
    pub redirect_uris: Vec<String>,
    /// The most it may ask for, and what it gets when it names nothing.
    pub scopes: GrantScopes,
    pub is_resource_server: bool,
    pub(super) secret_verifier: Option<String>,
}

/// What an admin registers.
#[derive(Clone, Debug)]
pub struct NewClient {
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub scopes: GrantScopes,
    /// It can keep a secret: it runs on a server.
    pub is_confidential: bool,
    pub is_resource_server: bool,
}

/// A program that was just registered. Its secret is shown this once.
#[derive(Debug)]
pub struct RegisteredClient {
    pub id: String,
    pub secret: Option<SecretText>,
}

/// Why a program could not be registered or ended.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("your role in this org does not allow registering programs")]
    Forbidden,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error(transparent)]
    Redirect(#[from] RedirectProblem),
    #[error("a program has 1 to {MOST_REDIRECTS} redirect addresses")]
    Redirects,
    #[error("a program asks for at least one scope")]
    NoScope,
    #[error("only a program with a secret can check tokens")]
    PublicResourceServer,
    #[error("the org has {MOST_CLIENTS} programs; end some that are no longer used")]
    TooMany,
    #[error("there is no such program, or it has ended")]
    NotFound,
    #[error("programs cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Client {
    /// Whether it has to prove itself with a secret.
    pub fn is_confidential(&self) -> bool {
        self.secret_verifier.is_some()
    }

    /// The host whose word the program's name is, with a document.
    pub fn vouching_host(&self) -> Option<&str> {
        (self.trust == Trust::Document).then(|| redirect::place(&self.id))
    }

    /// What a person reads as the program's whereabouts: their own computer, or the host it is sent back to.
    pub fn place(&self, redirect_uri: &str) -> String {
        redirect::place(redirect_uri).to_owned()
    }

    fn dosia() -> Self {
        let loopback = ["http://127.0.0.1/callback", "http://[::1]/callback", "http://localhost/callback"];
        Self {
            id: DOSIA.to_owned(),
            name: "DOSIA".to_owned(),
            trust: Trust::BuiltIn,
            org_id: None,
            redirect_uris: loopback.map(str::to_owned).into(),
            scopes: GrantScope::ALL.into(),
            is_resource_server: false,
            secret_verifier: None,
        }
    }
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        Self {
            trust: Trust::Registered,
            org_id: Some(row.org_id),
            redirect_uris: serde_json::from_str(&row.redirect_uris_json).unwrap_or_default(),
            scopes: serde_json::from_str(&row.scopes_json).unwrap_or_default(),
            is_resource_server: row.is_resource_server,
            secret_verifier: row.secret_verifier,
            id: row.id,
            name: row.name,
        }
    }
}

impl Oauth {
    /// The program of this id, if it may ask. One with a document is known once that was fetched.
    pub async fn client(&self, id: &str) -> sqlx::Result<Option<Client>> {
        if id == DOSIA {
            return Ok(Some(Client::dosia()));
        }
        if DocumentAddress::is_meant(id) {
            return Ok(client_document::find(&self.store, id).await?.map(Client::from));
        }
        let row = rows::find(&self.store, id).await?;
        Ok(row.filter(|row| row.state == "active").map(Client::from))
    }

    /// Whether the secret is the program's. A public program has none, so nothing is.
    pub(super) fn is_secret_of(&self, client: &Client, secret: &str) -> bool {
        let presented = Presented::parse(TokenKind::ClientSecret, secret);
        presented
            .zip(client.secret_verifier.as_ref())
            .is_some_and(|(text, verifier)| text.is(&self.pepper, verifier))
    }

    /// Registers a program for the org's members.
    ///
    /// # Errors
    /// What is wrong with it, or the role does not allow it.
    pub async fn register(
        &self,
        origin: &Origin,
        member: &Membership,
        new: NewClient,
    ) -> Result<RegisteredClient, ClientError> {
        let name = self.check_new(member, &new).await?;
        let id = self.world.id("app").replace('_', "-");
        let secret =
            new.is_confidential.then(|| token_text::mint(&self.world, &self.pepper, TokenKind::ClientSecret));
        let row = ClientRow {
            id: id.clone(),
            org_id: member.org_id().to_owned(),
            name: name.clone(),
            secret_verifier: secret.as_ref().map(|minted| minted.verifier.clone()),
            redirect_uris_json: json!(new.redirect_uris).to_string(),
            scopes_json: json!(new.scopes).to_string(),
            is_resource_server: new.is_resource_server,
            state: "active".to_owned(),
            created_by_person_id: member.person_id().to_owned(),
            created_at_ms: self.world.now_ms(),
        };
        let after =
            json!({ "name": name, "redirect_uris": new.redirect_uris, "confidential": new.is_confidential });
        let event = event(member, "oauth_client.registered", &id).changed(json!(null), after);
        rows::insert(&self.store, &row, &self.audit.entry(origin, event)).await?;
        Ok(RegisteredClient { id, secret: secret.map(|minted| minted.secret) })
    }

    /// The org's own programs, newest first.
    ///
    /// # Errors
    /// The role does not allow it, or the database does not answer.
    pub async fn registered(&self, member: &Membership) -> Result<Vec<Client>, ClientError> {
        allow(member)?;
        let rows = rows::of_org(&self.store, member.org_id()).await?;
        Ok(rows.into_iter().filter(|row| row.state == "active").map(Client::from).collect())
    }

    /// Ends a program of the org: its tokens are dead at once; keys it made stay until they are revoked.
    ///
    /// # Errors
    /// There is none of that id here, or the role does not allow it.
    pub async fn end_client(
        &self,
        origin: &Origin,
        member: &Membership,
        id: &str,
    ) -> Result<(), ClientError> {
        allow(member)?;
        let event = event(member, "oauth_client.ended", id);
        let entry = self
            .audit
            .entry(origin, event.changed(json!({ "state": "active" }), json!({ "state": "disabled" })));
        match rows::disable(&self.store, (member.org_id(), id), self.world.now_ms(), &entry).await? {
            true => Ok(()),
            false => Err(ClientError::NotFound),
        }
    }

    async fn check_new(&self, member: &Membership, new: &NewClient) -> Result<String, ClientError> {
        allow(member)?;
        let name = names::clean(&new.name)?;
        if new.redirect_uris.is_empty() || new.redirect_uris.len() > MOST_REDIRECTS {
            return Err(ClientError::Redirects);
        }
        new.redirect_uris.iter().try_for_each(|address| redirect::check(address))?;
        if new.scopes.is_empty() {
            return Err(ClientError::NoScope);
        }
        if new.is_resource_server && !new.is_confidential {
            return Err(ClientError::PublicResourceServer);
        }
        match rows::of_org(&self.store, member.org_id()).await?.len() {
            MOST_CLIENTS.. => Err(ClientError::TooMany),
            _ => Ok(name),
        }
    }
}

fn allow(member: &Membership) -> Result<(), ClientError> {
    if member.role().may(Permission::ManagePrograms) { Ok(()) } else { Err(ClientError::Forbidden) }
}

fn event<'a>(member: &'a Membership, name: &'static str, id: &'a str) -> Event<'a> {
    Event::new(name, Actor::Person(member.person_id())).org(member.org_id()).target(id)
}
