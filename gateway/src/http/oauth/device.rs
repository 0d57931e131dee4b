//! `POST /oauth/device_authorization`: a pair of codes for a program without a browser (RFC 8628).

use axum::body::Body;
use axum::extract::State;
use bytespike_accounts::oauth::device::{DEVICE_MS, INTERVAL_S};
use bytespike_accounts::oauth::resources;
use bytespike_accounts::switches::Feature;
use http::{Request, StatusCode};
use serde_json::json;

use super::form::Form;
use super::refusal::{Refusal, no_store};
use super::{Answer, OauthServer, client, origin};

/// `POST /oauth/device_authorization`
pub async fn start(State(server): State<OauthServer>, request: Request<Body>) -> Answer {
    let (origin, headers) = (origin(request.extensions(), request.headers()), request.headers().clone());
    let form = Form::read(request).await?;
    let client = client::authenticate(&server, &headers, &form).await?;
    if !server.accounts.switches.is_on(Feature::Programs) {
        return Err(Refusal::switched_off("connecting programs"));
    }
    let asked = (form.get("scope"), form.get("resource"), form.get("authorization_details"));
    let resources = resources(&server.gateway_url);
    let codes = server.accounts.oauth.start_device(&origin, &client, asked, &resources).await?;
    let (address, user_code) = (format!("{}/device", server.issuer), codes.user_code.expose());
    Ok(no_store(
        StatusCode::OK,
        &json!({
            "device_code": codes.device_code.expose(),
            "user_code": user_code,
            "verification_uri": address,
            "verification_uri_complete": format!("{address}?code={user_code}"),
            "expires_in": DEVICE_MS / 1_000,
            "interval": INTERVAL_S,
        }),
    ))
}
