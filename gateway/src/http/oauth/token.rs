//! `/oauth/token`, `/oauth/revoke` and `/oauth/introspect`.

use axum::body::Body;
use axum::extract::State;
use bytespike_accounts::oauth::GrantScopes;
use bytespike_accounts::oauth::exchange::{Exchange, Tokens};
use bytespike_accounts::oauth::key_request::{KEY_REQUEST_TYPE, KeyBounds};
use bytespike_accounts::oauth::scope;
use bytespike_catalog::NanoUsd;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::form::Form;
use super::refusal::{Refusal, no_store};
use super::{Answer, OauthServer, client, origin};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// `POST /oauth/token`
pub async fn exchange(State(server): State<OauthServer>, request: Request<Body>) -> Answer {
    let (origin, headers) = (origin(request.extensions(), request.headers()), request.headers().clone());
    let form = Form::read(request).await?;
    let asked = asked(&form)?;
    let client = client::authenticate(&server, &headers, &form).await?;
    let tokens = server.accounts.oauth.exchange(&origin, &client, asked).await?;
    Ok(no_store(StatusCode::OK, &answer(&tokens)))
}

/// `POST /oauth/revoke`: the same answer whatever the token was.
pub async fn revoke(State(server): State<OauthServer>, request: Request<Body>) -> Answer {
    let (origin, headers) = (origin(request.extensions(), request.headers()), request.headers().clone());
    let form = Form::read(request).await?;
    let client = client::authenticate(&server, &headers, &form).await?;
    server.accounts.oauth.revoke(&origin, &client, form.need("token")?).await?;
    Ok(Response::new(Body::empty()))
}

/// `POST /oauth/introspect`, for programs that an org registered as a resource server.
pub async fn introspect(State(server): State<OauthServer>, request: Request<Body>) -> Answer {
    let headers = request.headers().clone();
    let form = Form::read(request).await?;
    let client = client::authenticate(&server, &headers, &form).await?;
    if !client.is_resource_server {
        return Err(Refusal::client(true));
    }
    let seen = server.accounts.oauth.introspect(&client, form.need("token")?).await?;
    let body = seen.map_or_else(
        || json!({ "active": false }),
        |seen| {
            json!({
                "active": true,
                "scope": write(&seen.scopes),
                "client_id": seen.client_id,
                "sub": seen.person_id,
                "aud": seen.resource,
                "org": seen.org_id,
                "iat": seen.issued_at_ms / 1_000,
                "exp": seen.expires_at_ms / 1_000,
                "token_type": "Bearer",
                "iss": server.issuer,
            })
        },
    );
    Ok(no_store(StatusCode::OK, &body))
}

fn asked(form: &Form) -> Result<Exchange<'_>, Refusal> {
    match form.need("grant_type")? {
        "authorization_code" => Ok(Exchange::Code {
            code: form.need("code")?,
            verifier: form.need("code_verifier")?,
            redirect_uri: form.get("redirect_uri"),
            resource: form.get("resource"),
        }),
        "refresh_token" => Ok(Exchange::Refresh {
            token: form.need("refresh_token")?,
            scope: form.get("scope"),
            resource: form.get("resource"),
        }),
        DEVICE_GRANT => Ok(Exchange::Device { code: form.need("device_code")? }),
        _ => Err(Refusal::new(
            400,
            "unsupported_grant_type",
            "grant_type must be one of those in the metadata",
        )),
    }
}

fn answer(tokens: &Tokens) -> Value {
    let mut body = json!({
        "access_token": tokens.access.expose(),
        "token_type": "Bearer",
        "expires_in": tokens.expires_in_s,
        "scope": write(&tokens.scopes),
    });
    if let Some(refresh) = &tokens.refresh {
        body["refresh_token"] = refresh.expose().into();
    }
    if let Some(bounds) = &tokens.bounds {
        body["authorization_details"] = json!([details(bounds)]);
    }
    body
}

/// The bounds as the program asked for them: what the person made of its request.
fn details(bounds: &KeyBounds) -> Value {
    let mut details = json!({ "type": KEY_REQUEST_TYPE, "label": bounds.label });
    if let Some(limit_nano) = bounds.month_limit_nano {
        let amount = NanoUsd(limit_nano).usd();
        details["spend_limit"] = json!({ "amount": amount, "currency": "USD", "window": "month" });
    }
    if let Some(lifetime_ms) = bounds.expires_in_ms {
        details["expires_in"] = (lifetime_ms / 1_000).into();
    }
    details["models"] = bounds.models.clone().map_or_else(|| json!(["*"]), Value::from);
    details
}

fn write(scopes: &GrantScopes) -> String {
    scope::write(scopes)
}
