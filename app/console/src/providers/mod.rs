//! Signing in with other providers: we are their OAuth client. GitHub, and whoever speaks OpenID Connect.
mod fetch;
mod github;
mod id_token;
mod oidc;

use bytespike_accounts::identities::{Sent, Verified};
use bytespike_accounts::secrets::SecretText;
use fetch::Fetch;
use github::GitHub;
use oauth2::PkceCodeVerifier;
use oidc::Oidc;
use std::sync::Arc;

/// How a provider is spoken to.
#[derive(Clone, Debug)]
pub enum ProviderKind {
    /// `base_url` is where people sign in, `api_url` where their profile is read.
    GitHub { base_url: String, api_url: String },
    /// OpenID Connect; everything else is read from the issuer's own metadata.
    Oidc { issuer: String },
}

/// One provider of the configuration.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// In addresses and in the database: `github`, `google`, or a name of the operator's.
    pub id: String,
    /// What people read on the button.
    pub name: String,
    pub kind: ProviderKind,
    pub client_id: String,
    pub client_secret: SecretText,
}

/// The providers people can sign in with. Clones share what was learnt from them.
#[derive(Clone, Default)]
pub struct Providers(Arc<Vec<Provider>>);

/// A provider, and where it sends people back to.
pub(crate) struct Provider {
    pub id: String,
    pub name: String,
    redirect_uri: String,
    speaks: Speaks,
}

enum Speaks {
    GitHub(GitHub),
    Oidc(Oidc),
}

/// What the provider's answer carried.
pub(crate) struct Answer<'a> {
    pub code: &'a str,
    /// The issuer, where the provider names itself (RFC 9207).
    pub issuer: Option<&'a str>,
    pub nonce: &'a SecretText,
    pub verifier: &'a SecretText,
    pub now_ms: i64,
}

/// Why a provider's word is not taken. For the log; people read one of a few texts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("it could not be reached: {0}")]
    Unreachable(String),
    #[error("its answer cannot be believed: {0}")]
    Invalid(&'static str),
}

impl Providers {
    /// `console_url` is the console's public address, which the redirect addresses registered with the providers begin
    /// with; `client` follows no redirects and gives up after seconds.
    pub fn new(configs: Vec<ProviderConfig>, console_url: &str, client: &reqwest::Client) -> Self {
        let provider = |config: ProviderConfig| {
            let (client_id, secret) = (config.client_id, config.client_secret);
            let fetch = Fetch::new(client.clone());
            let speaks = match config.kind {
                ProviderKind::GitHub { base_url, api_url } => {
                    Speaks::GitHub(GitHub { base_url, api_url, client_id, secret, fetch })
                }
                ProviderKind::Oidc { issuer } => Speaks::Oidc(Oidc::new(issuer, (client_id, secret), fetch)),
            };
            let redirect_uri = format!("{console_url}/console/auth/{}/callback", config.id);
            Provider { id: config.id, name: config.name, redirect_uri, speaks }
        };
        Self(Arc::new(configs.into_iter().map(provider).collect()))
    }

    pub(crate) fn all(&self) -> &[Provider] {
        &self.0
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.id == id)
    }
}

impl Provider {
    /// Where the browser is sent, with state, nonce and the digest of the verifier.
    pub async fn address(&self, sent: &Sent, now_ms: i64) -> Result<String, ProviderError> {
        match &self.speaks {
            Speaks::GitHub(github) => github.address(&self.redirect_uri, sent),
            Speaks::Oidc(oidc) => oidc.address(&self.redirect_uri, sent, now_ms).await,
        }
    }

    /// Exchanges the code and checks everything the provider says about who came back.
    pub async fn verify(&self, answer: &Answer<'_>) -> Result<Verified, ProviderError> {
        let who = match &self.speaks {
            Speaks::GitHub(github) => github.verify(&self.redirect_uri, answer).await?,
            Speaks::Oidc(oidc) => oidc.verify(&self.redirect_uri, answer).await?,
        };
        Ok(Verified { provider: self.id.clone(), subject: who.subject, email: who.email, name: who.name })
    }
}

/// What a provider says about somebody, checked.
struct Profile {
    subject: String,
    email: Option<String>,
    name: Option<String>,
}

fn verifier(text: &SecretText) -> PkceCodeVerifier {
    PkceCodeVerifier::new(text.expose().to_owned())
}

fn invalid<E>(what: &'static str) -> impl FnOnce(E) -> ProviderError {
    move |_| ProviderError::Invalid(what)
}
