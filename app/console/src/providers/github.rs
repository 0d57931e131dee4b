//! GitHub: OAuth 2.0 without ID tokens, so the profile is read with the token, which is then forgotten.
use super::{Answer, Fetch, Profile, ProviderError, invalid, verifier};
use bytespike_accounts::identities::Sent;
use bytespike_accounts::secrets::SecretText;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope,
    TokenResponse as _, TokenUrl,
};
use serde::Deserialize;

pub(super) struct GitHub {
    pub base_url: String,
    pub api_url: String,
    pub client_id: String,
    pub secret: SecretText,
    pub fetch: Fetch,
}

#[derive(Deserialize)]
struct User {
    /// Stays when the login name changes hands.
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    pub fn address(&self, redirect_uri: &str, sent: &Sent) -> Result<String, ProviderError> {
        let bad = || invalid("its address in the configuration is none");
        let url = AuthUrl::new(format!("{}/login/oauth/authorize", self.base_url)).map_err(bad())?;
        let back = RedirectUrl::new(redirect_uri.to_owned()).map_err(bad())?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone())).set_auth_uri(url);
        let (address, _) = client
            .set_redirect_uri(back)
            .authorize_url(|| CsrfToken::new(sent.state.expose().to_owned()))
            .add_scope(Scope::new("read:user".to_owned()))
            .add_scope(Scope::new("user:email".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier(&sent.verifier)))
            .url();
        Ok(address.into())
    }

    pub async fn verify(&self, redirect_uri: &str, answer: &Answer<'_>) -> Result<Profile, ProviderError> {
        let token = self.exchange(redirect_uri, answer).await?;
        let user: User = self.fetch.json(&format!("{}/user", self.api_url), Some(token.expose())).await?;
        let emails: Vec<Email> =
            self.fetch.json(&format!("{}/user/emails", self.api_url), Some(token.expose())).await?;
        let proven = emails.into_iter().find(|email| email.primary && email.verified);
        Ok(Profile {
            subject: user.id.to_string(),
            email: proven.map(|email| email.email),
            name: Some(user.name.filter(|name| !name.is_empty()).unwrap_or(user.login)),
        })
    }

    async fn exchange(&self, redirect_uri: &str, answer: &Answer<'_>) -> Result<SecretText, ProviderError> {
        let bad = || invalid("its address in the configuration is none");
        let url = TokenUrl::new(format!("{}/login/oauth/access_token", self.base_url)).map_err(bad())?;
        let back = RedirectUrl::new(redirect_uri.to_owned()).map_err(bad())?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.secret.expose().to_owned()))
            .set_token_uri(url)
            .set_redirect_uri(back);
        let tokens = client
            .exchange_code(AuthorizationCode::new(answer.code.to_owned()))
            .set_pkce_verifier(verifier(answer.verifier))
            .request_async(&self.fetch)
            .await
            .map_err(invalid("it did not take its own code"))?;
        Ok(SecretText::new(tokens.access_token().secret().as_str()))
    }
}
