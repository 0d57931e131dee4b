//! The operators' part of the description of `/api/v1`.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::shapes::{
    AbsorbedCost, BookedCredit, BrokenRule, CheckedBooks, FrozenWallet, HeldCall, OperatorError, OrgWallet,
    ReconciledDay, ReleasedHold,
};
use super::{input, reservations, wallets};

/// To be merged into the rest.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(super::vouchers::Document::openapi());
    document
}

#[derive(OpenApi)]
#[openapi(
    paths(
        super::absorbed_costs,
        super::invariant_runs,
        super::reconciliations,
        super::open_reservations,
        super::release_reservation,
        super::list_wallets,
        super::freeze_wallet,
        super::unfreeze_wallet,
        super::credit_wallet,
    ),
    components(schemas(
        AbsorbedCost,
        BookedCredit,
        BrokenRule,
        CheckedBooks,
        FrozenWallet,
        HeldCall,
        OperatorError,
        OrgWallet,
        ReconciledDay,
        ReleasedHold,
        input::Why,
        wallets::NewCredit,
        reservations::Wanted,
    )),
    modifiers(&OperatorToken)
)]
struct Document;

struct OperatorToken;

impl Modify for OperatorToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = &mut document.components else { return };
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("operator", bearer);
    }
}
