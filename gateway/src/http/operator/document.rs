//! The operators' part of the description of `/api/v1`.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::shapes::OperatorError;
use super::{absorbed, batches, books, reservations, vouchers, wallets};

/// To be merged into the rest.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(absorbed::Document::openapi());
    document.merge(books::Document::openapi());
    document.merge(reservations::Document::openapi());
    document.merge(batches::Document::openapi());
    document.merge(vouchers::Document::openapi());
    document.merge(wallets::Document::openapi());
    document
}

#[derive(OpenApi)]
#[openapi(components(schemas(OperatorError)), modifiers(&OperatorToken))]
struct Document;

struct OperatorToken;

impl Modify for OperatorToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = &mut document.components else { return };
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("operator", bearer);
    }
}
