//! Which program asks, and whether it proves it: a secret in the header, or for one without a secret its id in the form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytespike_accounts::oauth::Client;
use bytespike_accounts::oauth::exchange::{ClientProof, ExchangeError};
use http::{HeaderMap, header};

use super::OauthServer;
use super::form::Form;
use super::refusal::Refusal;

/// The program that asks.
///
/// # Errors
/// It did not prove itself, or tried in two ways at once.
pub async fn authenticate(server: &OauthServer, headers: &HeaderMap, form: &Form) -> Result<Client, Refusal> {
    let basic = basic(headers)?;
    if basic.is_some() && form.get("client_secret").is_some() {
        return Err(Refusal::invalid_request("prove the program in one way: the header or the form"));
    }
    let (id, secret) = match &basic {
        Some((id, _)) if form.get("client_id").is_some_and(|other| other != id) => {
            return Err(Refusal::invalid_request("the header and the form name different programs"));
        }
        Some((id, secret)) => (id.as_str(), Some(secret.as_str())),
        None => (form.need("client_id")?, form.get("client_secret")),
    };
    // A secret in the form is no way that the metadata offers.
    if basic.is_none() && secret.is_some() {
        return Err(Refusal::client(false));
    }
    match server.accounts.oauth.authenticate(ClientProof { id, secret }).await {
        Ok(client) => Ok(client),
        Err(ExchangeError::Client) => Err(Refusal::client(basic.is_some())),
        Err(other) => Err(other.into()),
    }
}

/// Id and secret of a Basic header, both form-encoded within it (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let decoded = value.to_str().ok().and_then(|text| {
        let (scheme, encoded) = text.split_once(' ')?;
        let bytes = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok())??;
        let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        Some((decode(id), decode(secret)))
    });
    decoded.map(Some).ok_or_else(|| Refusal::client(true))
}

fn decode(text: &str) -> String {
    form_urlencoded::parse(text.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned())
}
