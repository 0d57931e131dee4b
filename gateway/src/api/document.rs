//! The OpenAPI description of `/api/v1`, from the handlers and their types.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    alerts, answer, key_body, key_show, keys, leaks, limits, rules, show, webhook_body, webhook_show,
    webhooks,
};

/// What `GET /api/v1/openapi.json` answers: what keys may ask, and what operators may.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(crate::http::operator::document());
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ByteSpike management API",
        version = "1",
        description = "Manage an organisation by key: its keys, the limits of its organisation, deployments, members and keys, the alerts it gets, and the webhooks it gets them at.",
        license(name = "Apache-2.0")
    ),
    paths(
        limits::list, limits::show, limits::set, limits::remove, rules::show, rules::set,
        keys::list, keys::create, keys::show, keys::change, keys::delete, keys::rotate, keys::revoke, keys::end_credential,
        leaks::report,
        alerts::list, alerts::set, alerts::remove,
        webhooks::list, webhooks::create, webhooks::show, webhooks::change, webhooks::remove, webhooks::rotate,
        webhooks::test, webhooks::messages, webhooks::message, webhooks::resend,
    ),
    components(schemas(
        answer::ApiError, show::NodeList, show::Node, show::Limit, limits::SetLimitBody, rules::Rules, rules::SetRulesBody,
        key_show::KeyList, key_show::Key, key_show::KeyWithSecret, key_show::Binding, key_show::Credential,
        key_body::NewKeyBody, key_body::NewLimitBody, key_body::ChangeKeyBody, key_body::RotateBody,
        leaks::Leak, leaks::LeakReport,
        alerts::AlertList, alerts::Alert, alerts::SetAlertBody,
        webhook_show::WebhookList, webhook_show::Webhook, webhook_show::WebhookSigningSecret, webhook_show::WebhookWithSecret,
        webhook_show::WebhookSecret, webhook_show::WebhookMessageList, webhook_show::WebhookMessage, webhook_show::WebhookAttempt,
        webhook_body::NewWebhookBody, webhook_body::ChangeWebhookBody, webhook_body::RotateWebhookBody,
    )),
    modifiers(&Credentials),
    security(("key" = []), ("bearer" = []))
)]
struct Document;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = &mut document.components else { return };
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("key", key);
        components.add_security_scheme("bearer", bearer);
    }
}
