//! The OpenAPI description of `/api/v1`, from the handlers and their types.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{answer, limits, show};

/// What `GET /api/v1/openapi.json` answers. Other parts of `/api/v1` merge theirs into it.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ByteSpike management API",
        version = "1",
        description = "Manage an organisation by key: limits of its organisation, deployments, members and keys.",
        license(name = "Apache-2.0")
    ),
    paths(limits::list, limits::show, limits::set, limits::remove),
    components(schemas(answer::ApiError, show::NodeList, show::Node, show::Limit, limits::SetLimitBody)),
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
