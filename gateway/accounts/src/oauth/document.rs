//! Programs that nobody registered: the id of such a program is the address of a document in which it says who it is
//! (Client ID Metadata Documents, draft-ietf-oauth-client-id-metadata-document). What a document says is the program's own
//! word, so a person is shown the host that says it.
use super::redirect::{self, RedirectProblem};
use super::scope::{self, GrantScope, GrantScopes};
use super::{Client, Oauth, Trust};
use crate::Origin;
use crate::names;
use crate::throttle::Rule;
use bytespike_store::oauth::client_document::{self as rows, ClientDocumentRow};
use serde::Deserialize;
use serde_json::json;

/// The most that is read of a document.
pub const MOST_BYTES: usize = 5 * 1024;
const MOST_ADDRESS_BYTES: usize = 512;
const MOST_REDIRECTS: usize = 10;
/// A document counts at least and at most so long before it is read again, whatever its host says.
const FRESH_MS: std::ops::RangeInclusive<i64> = 5 * super::MINUTE_MS..=super::DAY_MS;
/// What was allowed to a program ends by then, so nobody asks for its document any more.
const KEPT_MS: i64 = super::GRANT_MS + super::DAY_MS;

/// Why an id leads to no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentProblem {
    #[error("its id must be an https address with a path, and without a user name, fragment or dot segments")]
    Address,
    #[error("its id must be a public address on port 443")]
    NotPublic,
    #[error("its document could not be fetched")]
    Unreachable,
    #[error("its document is longer than 5 KiB")]
    TooLong,
    #[error("its document is not JSON, or a field has the wrong type")]
    NotJson,
    #[error("its document names another client_id than the address it was fetched from")]
    OtherId,
    #[error("its document holds a secret, or asks to prove itself with one; it can only be a public client")]
    Secret,
    #[error("its document does not use the authorization code grant")]
    Grant,
    #[error("its document names no redirect addresses, or more than {MOST_REDIRECTS}")]
    Redirects,
    #[error("one of its redirect addresses cannot be used: {0}")]
    Redirect(#[from] RedirectProblem),
    #[error("its name is empty or longer than 64 characters")]
    Name,
}

/// The address of a document, as the program presents it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentAddress(String);

/// What is read of a document; everything else in it is ignored.
#[derive(Deserialize)]
struct Said {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    scope: Option<String>,
    client_secret: Option<serde_json::Value>,
    client_secret_expires_at: Option<serde_json::Value>,
}

impl DocumentAddress {
    /// Whether an id is meant as an address; no registered program has such an id.
    pub fn is_meant(id: &str) -> bool {
        id.contains("://")
    }

    /// `may_be_local`: this server is one developer's, so a document on the same machine is one they can have written.
    ///
    /// # Errors
    /// It is no address that a program may have as its id.
    pub fn parse(id: &str, may_be_local: bool) -> Result<Self, DocumentProblem> {
        let visible = id.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && !b"\\#%".contains(&byte));
        let local = may_be_local && redirect::is_loopback(id);
        let rest = id.strip_prefix("https://").or_else(|| id.strip_prefix("http://").filter(|_| local));
        let (authority, path) = rest.and_then(|rest| rest.split_once('/')).unwrap_or_default();
        let named = !authority.is_empty() && !authority.contains(['@', '?']);
        let dotted = path.split(['/', '?']).any(|part| part == "." || part == "..");
        let good = visible && id.len() <= MOST_ADDRESS_BYTES && named && !path.is_empty() && !dotted;
        if good { Ok(Self(id.to_owned())) } else { Err(DocumentProblem::Address) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a document on this very machine.
    pub fn is_local(&self) -> bool {
        redirect::is_loopback(&self.0)
    }

    /// With its port, where one is named.
    pub fn host(&self) -> &str {
        redirect::place(&self.0)
    }

    /// What the document makes of the program.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, body: &[u8]) -> Result<Client, DocumentProblem> {
        if body.len() > MOST_BYTES {
            return Err(DocumentProblem::TooLong);
        }
        let said: Said = serde_json::from_slice(body).map_err(|_| DocumentProblem::NotJson)?;
        if said.client_id != self.0 {
            return Err(DocumentProblem::OtherId);
        }
        said.check()?;
        let name = said.client_name.as_deref().unwrap_or_else(|| self.host());
        Ok(Client {
            id: self.0.clone(),
            name: names::clean(name).map_err(|_| DocumentProblem::Name)?,
            trust: Trust::Document,
            org_id: None,
            scopes: said.scopes(),
            redirect_uris: said.redirect_uris,
            is_resource_server: false,
            secret_verifier: None,
        })
    }
}

impl Said {
    fn check(&self) -> Result<(), DocumentProblem> {
        let has_secret = self.client_secret.is_some() || self.client_secret_expires_at.is_some();
        if has_secret || self.token_endpoint_auth_method.as_deref().is_some_and(|method| method != "none") {
            return Err(DocumentProblem::Secret);
        }
        let lacks = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref().is_some_and(|list| !list.iter().any(|one| one == wanted))
        };
        if lacks(&self.grant_types, "authorization_code") || lacks(&self.response_types, "code") {
            return Err(DocumentProblem::Grant);
        }
        if !(1..=MOST_REDIRECTS).contains(&self.redirect_uris.len()) {
            return Err(DocumentProblem::Redirects);
        }
        Ok(self.redirect_uris.iter().try_for_each(|address| redirect::check(address))?)
    }

    /// Those it names and we know; everything when it names none.
    fn scopes(&self) -> GrantScopes {
        let named = self.scope.as_deref().unwrap_or_default().split(' ');
        let known: GrantScopes = named.filter_map(|word| scope::parse(word)?.into_iter().next()).collect();
        if known.is_empty() { GrantScope::ALL.into() } else { known }
    }
}

impl From<ClientDocumentRow> for Client {
    fn from(row: ClientDocumentRow) -> Self {
        Self {
            id: row.client_id,
            name: row.name,
            trust: Trust::Document,
            org_id: None,
            redirect_uris: serde_json::from_str(&row.redirect_uris_json).unwrap_or_default(),
            scopes: serde_json::from_str(&row.scopes_json).unwrap_or_default(),
            is_resource_server: false,
            secret_verifier: None,
        }
    }
}

impl Oauth {
    /// Whether a document has to be fetched before its program can be judged.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_document_due(&self, address: &DocumentAddress) -> sqlx::Result<bool> {
        let kept = rows::find(&self.store, address.as_str()).await?;
        Ok(kept.is_none_or(|row| row.fresh_until_ms <= self.world.now_ms()))
    }

    /// Whether this network may make us fetch one more document.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn may_fetch_document(&self, origin: &Origin) -> sqlx::Result<bool> {
        let throttle = &self.people.throttle;
        throttle.allows(&throttle.documents_for(origin.ip), Rule::DOCUMENTS).await
    }

    /// Keeps what a document said for as long as its host lets it be kept, within our bounds.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn keep_document(&self, client: &Client, max_age_ms: Option<i64>) -> sqlx::Result<()> {
        let now_ms = self.world.now_ms();
        let fresh_ms = max_age_ms.unwrap_or(0).clamp(*FRESH_MS.start(), *FRESH_MS.end());
        let row = ClientDocumentRow {
            client_id: client.id.clone(),
            name: client.name.clone(),
            redirect_uris_json: json!(client.redirect_uris).to_string(),
            scopes_json: json!(client.scopes).to_string(),
            fresh_until_ms: now_ms + fresh_ms,
            kept_until_ms: now_ms + KEPT_MS,
        };
        rows::keep(&self.store, &row).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "https://app.example.com/oauth/client.json";

    fn read(document: &serde_json::Value) -> Result<Client, DocumentProblem> {
        DocumentAddress::parse(ID, false)?.read(document.to_string().as_bytes())
    }

    #[test]
    fn a_document_makes_a_public_program_with_the_scopes_it_names() {
        let client = read(&json!({
            "client_id": ID, "client_name": " Scribe\u{202E} ", "redirect_uris": ["http://127.0.0.1/cb", "https://app.example.com/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "scope": "profile other:thing", "logo_uri": "https://elsewhere.example/x.png",
        }));
        let client = client.expect("a good document");
        assert_eq!((client.name.as_str(), client.trust), ("Scribe", Trust::Document));
        assert_eq!(client.scopes, GrantScopes::from([GrantScope::Profile]));
        assert!(!client.is_confidential());
        let bare = read(&json!({ "client_id": ID, "redirect_uris": ["https://app.example.com/cb"] }));
        let bare = bare.expect("a short document");
        assert_eq!((bare.name.as_str(), bare.scopes.len()), ("app.example.com", GrantScope::ALL.len()));
    }

    #[test]
    fn n40_a_document_that_says_anything_else_makes_none() {
        let good = json!({ "client_id": ID, "client_name": "Scribe", "redirect_uris": ["https://app.example.com/cb"] });
        for (field, value, problem) in [
            ("client_id", json!("https://app.example.com/oauth/client.json?"), DocumentProblem::OtherId),
            ("client_id", json!(7), DocumentProblem::NotJson),
            ("client_secret", json!("s"), DocumentProblem::Secret),
            ("client_secret_expires_at", json!(0), DocumentProblem::Secret),
            ("token_endpoint_auth_method", json!("client_secret_post"), DocumentProblem::Secret),
            ("token_endpoint_auth_method", json!("private_key_jwt"), DocumentProblem::Secret),
            ("grant_types", json!(["client_credentials"]), DocumentProblem::Grant),
            ("response_types", json!(["token"]), DocumentProblem::Grant),
            ("redirect_uris", json!([]), DocumentProblem::Redirects),
            ("redirect_uris", json!(vec!["https://app.example.com/cb"; 11]), DocumentProblem::Redirects),
            ("redirect_uris", json!(["javascript:alert(1)"]), RedirectProblem::Scheme.into()),
            ("redirect_uris", json!(["com.example.app:/cb"]), RedirectProblem::Scheme.into()),
            ("redirect_uris", json!(["http://app.example.com/cb"]), RedirectProblem::PlainHttp.into()),
            ("client_name", json!("\u{202E}"), DocumentProblem::Name),
            ("client_name", json!("x".repeat(65)), DocumentProblem::Name),
            ("logo_uri", json!("x".repeat(MOST_BYTES)), DocumentProblem::TooLong),
        ] {
            let mut document = good.clone();
            document[field] = value;
            assert_eq!(read(&document), Err(problem), "{document}");
        }
        assert!(read(&good).is_ok());
    }

    #[test]
    fn n40_only_an_https_address_with_a_path_is_an_id() {
        for id in [ID, "https://app.example.com:8443/client", "https://app.example.com/client?v=2"] {
            assert!(DocumentAddress::parse(id, false).is_ok(), "{id}");
        }
        for id in [
            "http://app.example.com/client",
            "https://app.example.com",
            "https://app.example.com/",
            "https://user@app.example.com/client",
            "https://app.example.com/client#x",
            "https://app.example.com/a/../client",
            "https://app.example.com/./client",
            "https://app.example.com/%2e%2e/client",
            "https://app.example.com\\@evil.example/client",
            "https:///client",
            "ftp://app.example.com/client",
            "http://127.0.0.1:9000/client",
        ] {
            assert_eq!(DocumentAddress::parse(id, false), Err(DocumentProblem::Address), "{id}");
        }
        assert!(DocumentAddress::parse("http://127.0.0.1:9000/client", true).is_ok());
        assert!(DocumentAddress::parse("http://127.0.0.1.evil.example/client", true).is_err());
        assert!(DocumentAddress::is_meant(ID) && !DocumentAddress::is_meant("dosia-desktop"));
    }
}
