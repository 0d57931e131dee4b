//! OpenID Connect: the issuer's metadata and keys, the exchange of the code, and the ID token, which is checked.
use super::id_token::{self, Claims};
use super::{Answer, Fetch, Profile, ProviderError, invalid, verifier};
use bytespike_accounts::identities::Sent;
use bytespike_accounts::secrets::SecretText;
use jsonwebtoken::jwk::JwkSet;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, ExtraTokenFields,
    PkceCodeChallenge, RedirectUrl, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    TokenUrl,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Metadata and keys are read anew after this long.
const KNOWN_MS: i64 = 3_600_000;

pub(super) struct Oidc {
    issuer: String,
    client_id: String,
    secret: SecretText,
    fetch: Fetch,
    known: Mutex<Option<Arc<Known>>>,
}

/// What an issuer says about itself (OpenID Connect Discovery).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

struct Known {
    metadata: Metadata,
    keys: JwkSet,
    read_at_ms: i64,
}

/// The member of a token response that OpenID Connect adds.
#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

type Tokens = StandardTokenResponse<IdToken, BasicTokenType>;
type OidcClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

impl Oidc {
    pub fn new(issuer: String, (client_id, secret): (String, SecretText), fetch: Fetch) -> Self {
        Self { issuer, client_id, secret, fetch, known: Mutex::new(None) }
    }

    pub async fn address(
        &self,
        redirect_uri: &str,
        sent: &Sent,
        now_ms: i64,
    ) -> Result<String, ProviderError> {
        let known = self.known(now_ms).await?;
        let bad = || invalid("an address in its metadata is none");
        let url = AuthUrl::new(known.metadata.authorization_endpoint.clone()).map_err(bad())?;
        let back = RedirectUrl::new(redirect_uri.to_owned()).map_err(bad())?;
        let client = OidcClient::new(ClientId::new(self.client_id.clone())).set_auth_uri(url);
        let (address, _) = client
            .set_redirect_uri(back)
            .authorize_url(|| CsrfToken::new(sent.state.expose().to_owned()))
            .add_scopes(["openid", "email", "profile"].map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("nonce", sent.nonce.expose())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier(&sent.verifier)))
            .url();
        Ok(address.into())
    }

    pub async fn verify(&self, redirect_uri: &str, answer: &Answer<'_>) -> Result<Profile, ProviderError> {
        let known = self.known(answer.now_ms).await?;
        let is_named =
            answer.issuer.is_some() || known.metadata.authorization_response_iss_parameter_supported;
        if is_named && answer.issuer != Some(self.issuer.as_str()) {
            return Err(ProviderError::Invalid("the answer came from another issuer"));
        }
        let tokens = self.exchange(&known, redirect_uri, answer).await?;
        let id_token = tokens.extra_fields().id_token.as_deref();
        let id_token = id_token.ok_or(ProviderError::Invalid("there is no ID token"))?;
        let claims = self.check(&known, id_token, answer).await?;
        let claims = match (&claims.email, &known.metadata.userinfo_endpoint) {
            (None, Some(url)) => self.user_info(url, tokens.access_token().secret(), claims).await?,
            _ => claims,
        };
        Ok(Profile { email: claims.proven_email(), subject: claims.sub, name: claims.name })
    }

    /// A key we do not know may be new: the keys are read once more before the token is refused.
    async fn check(
        &self,
        known: &Known,
        id_token: &str,
        answer: &Answer<'_>,
    ) -> Result<Claims, ProviderError> {
        let expected = id_token::Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce: answer.nonce.expose(),
            now_ms: answer.now_ms,
        };
        match id_token::check(id_token, &known.keys, &expected) {
            Err(id_token::Refused::UnknownKey) => {
                let keys: JwkSet = self.fetch.json(&known.metadata.jwks_uri, None).await?;
                id_token::check(id_token, &keys, &expected).map_err(id_token::Refused::into_error)
            }
            checked => checked.map_err(id_token::Refused::into_error),
        }
    }

    async fn exchange(
        &self,
        known: &Known,
        redirect_uri: &str,
        answer: &Answer<'_>,
    ) -> Result<Tokens, ProviderError> {
        let bad = || invalid("an address in its metadata is none");
        let url = TokenUrl::new(known.metadata.token_endpoint.clone()).map_err(bad())?;
        let back = RedirectUrl::new(redirect_uri.to_owned()).map_err(bad())?;
        let client = OidcClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.secret.expose().to_owned()))
            .set_token_uri(url)
            .set_redirect_uri(back);
        client
            .exchange_code(AuthorizationCode::new(answer.code.to_owned()))
            .set_pkce_verifier(verifier(answer.verifier))
            .request_async(&self.fetch)
            .await
            .map_err(invalid("it did not take its own code"))
    }

    /// Many issuers give the address here and not in the ID token. It has to be about the same subject.
    async fn user_info(&self, url: &str, token: &str, claims: Claims) -> Result<Claims, ProviderError> {
        let said: Claims = self.fetch.json(url, Some(token)).await?;
        if said.sub != claims.sub {
            return Err(ProviderError::Invalid("the profile is somebody else's"));
        }
        Ok(claims.with_profile(said))
    }

    async fn known(&self, now_ms: i64) -> Result<Arc<Known>, ProviderError> {
        let mut kept = self.known.lock().await;
        if let Some(known) = kept.as_ref().filter(|known| now_ms - known.read_at_ms < KNOWN_MS) {
            return Ok(known.clone());
        }
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let metadata: Metadata = self.fetch.json(&place, None).await?;
        if metadata.issuer != self.issuer {
            return Err(ProviderError::Invalid("its metadata names another issuer"));
        }
        let keys = self.fetch.json(&metadata.jwks_uri, None).await?;
        let known = Arc::new(Known { metadata, keys, read_at_ms: now_ms });
        *kept = Some(known.clone());
        Ok(known)
    }
}
