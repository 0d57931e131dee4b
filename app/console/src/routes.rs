//! Every address behind sign-in: what it takes to be there, and who answers. The router and the table are made of one
//! list, so that no handler stands without a permission; [`SignedIn`](crate::who::SignedIn) asks for it.
use crate::pages::places::{deployment, deployments, services};
use crate::pages::{
    announcements, audit, auth, calls_live, calls_page, keys, limits, members, models, notices, oauth,
    overview, receipt_bodies, receipt_page, security, settings, statements, usage, wallet, webhooks,
};
use crate::passkey_form;
use crate::problem;
use crate::state::ConsoleState;
use axum::Router;
use axum::routing::{any, get, post};
use bytespike_accounts::role::Permission;

/// One address behind sign-in, without its language.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// As axum writes it: `/console/keys/{id}`.
    pub path: &'static str,
    pub needs: Permission,
}

macro_rules! addresses {
    ($($path:literal $needs:ident $answer:expr;)*) => {
        /// The table.
        pub const ADDRESSES: &[Address] = &[$(Address { path: $path, needs: Permission::$needs },)*];

        pub(crate) fn behind_sign_in() -> Router<ConsoleState> {
            Router::new()$(.route($path, $answer))*.route("/console/{*rest}", any(problem::not_found))
        }
    };
}

addresses! {
    "/console" SeeOwnUsage get(overview::page);
    "/console/sign-out" ManageSelf post(auth::sign_out::submit);
    "/console/keys" SeeOwnUsage get(keys::list::page);
    "/console/keys/new" ManageOwnKeys get(keys::create::form).post(keys::create::submit);
    "/console/keys/check" SeeOwnUsage get(keys::check::form).post(keys::check::submit);
    "/console/keys/{id}" SeeOwnUsage get(keys::detail::page);
    "/console/keys/{id}/created" ManageOwnKeys get(keys::once::page);
    "/console/keys/{id}/edit" ManageOwnKeys get(keys::edit::form).post(keys::edit::submit);
    "/console/keys/{id}/state" ManageOwnKeys post(keys::edit::switch);
    "/console/keys/{id}/derive" ManageOwnKeys get(keys::create::derive_form).post(keys::create::derive);
    "/console/keys/{id}/rotate" ManageOwnKeys post(keys::rotate::submit);
    "/console/keys/{id}/credentials/{credential}/end" ManageOwnKeys post(keys::rotate::end);
    "/console/keys/{id}/limits" SetLimits post(keys::detail::set_limits);
    "/console/keys/{id}/revoke" ManageOwnKeys get(keys::end::form).post(keys::end::submit);
    "/console/keys/{id}/delete" ManageOwnKeys get(keys::end::form).post(keys::end::submit);
    "/console/limits" SeeOwnUsage get(limits::page);
    "/console/limits/ask" SeeOwnUsage get(limits::ask::form).post(limits::ask::submit);
    "/console/limits/requests/{id}" SetLimits get(limits::requests::form).post(limits::requests::submit);
    "/console/limits/requests/{id}/withdraw" SeeOwnUsage post(limits::requests::withdraw);
    "/console/limits/node/{node}" SetLimits get(limits::node::form).post(limits::node::submit);
    "/console/limits/node/{node}/rule" SetLimits post(limits::node::set_rule);
    "/console/limits/several" SetLimits post(limits::set_several);
    "/console/models" SeeOwnUsage get(models::page);
    "/console/models/test" ManageOwnKeys post(models::test);
    "/console/usage" SeeOwnUsage get(usage::page);
    "/console/usage/usage.csv" SeeOwnUsage get(usage::csv);
    "/console/calls" SeeOwnUsage get(calls_page::page);
    "/console/calls/live" SeeOwnUsage get(calls_live::stream);
    "/console/calls/calls.csv" SeeOwnUsage get(calls_page::calls_csv);
    "/console/calls/focus.csv" SeeOwnUsage get(calls_page::focus_csv);
    "/console/receipts/{id}" SeeOwnUsage get(receipt_page::page);
    "/console/receipts/{id}/json" SeeOwnUsage get(receipt_page::json);
    "/console/receipts/{id}/request.txt" ReadOwnBodies get(receipt_bodies::request);
    "/console/receipts/{id}/response.txt" ReadOwnBodies get(receipt_bodies::response);
    "/console/receipts/{id}/forget" ReadOwnBodies post(receipt_bodies::forget);
    "/oauth/consent" ManageSelf get(oauth::consent::form).post(oauth::consent::submit);
    "/device" ManageSelf get(oauth::device::form).post(oauth::device::submit);
    "/device/decide" ManageSelf post(oauth::device::decide);
    "/console/apps" ManageSelf get(oauth::apps::page);
    "/console/apps/{grant}/disconnect" ManageSelf post(oauth::apps::disconnect);
    "/console/apps/programs/new" ManagePrograms get(oauth::programs::form).post(oauth::programs::submit);
    "/console/apps/programs/{id}/end" ManagePrograms post(oauth::programs::end);
    "/console/wallet" SeeOrgUsage get(wallet::page);
    "/console/wallet/alerts" Billing post(wallet::alerts::submit);
    "/console/wallet/voucher" Billing post(wallet::voucher::submit);
    "/console/wallet/recharge" Billing get(wallet::recharge::page).post(wallet::recharge::submit);
    "/console/wallet/recharge/card" Billing post(wallet::recharge::card);
    "/console/wallet/recharge/off" Billing post(wallet::recharge::off);
    "/console/wallet/billing" Billing get(wallet::billing::form).post(wallet::billing::submit);
    "/console/wallet/invoices/{id}" Billing get(wallet::invoices::page);
    "/console/wallet/top-up" Billing post(wallet::top_up::submit);
    "/console/wallet/orders/{id}" Billing get(wallet::orders::page);
    "/console/statements" Billing get(statements::list);
    "/console/statements/{month}" Billing get(statements::month::page);
    "/console/statements/{month}/csv" Billing get(statements::month::csv);
    "/console/statements/{month}/json" Billing get(statements::month::json);
    "/console/invitation/accept" ManageSelf post(members::accept::submit);
    "/console/orgs" ManageSelf get(members::orgs::page).post(members::orgs::create);
    "/console/orgs/{id}/switch" ManageSelf post(members::orgs::switch);
    "/console/members" ManageSelf get(members::page);
    "/console/members/invite" ManageMembers get(members::invite::form).post(members::invite::submit);
    "/console/members/invitations/{id}/resend" ManageMembers post(members::invite::resend);
    "/console/members/invitations/{id}/revoke" ManageMembers post(members::invite::revoke);
    "/console/members/leave" ManageSelf get(members::leave::form).post(members::leave::submit);
    "/console/members/{id}" ManageSelf get(members::member);
    "/console/members/{id}/name" ManageDeployments post(members::rename);
    "/console/members/{id}/role" ManageMembers post(members::set_role);
    "/console/members/{id}/remove" ManageMembers get(members::remove_form).post(members::remove);
    "/console/members/{id}/transfer" OwnOrg get(members::transfer_form).post(members::transfer);
    "/console/service-accounts" SeeMembers get(services::page);
    "/console/service-accounts/new" ManageDeployments get(services::form).post(services::submit);
    "/console/deployments" SeeOrgUsage get(deployments::page);
    "/console/deployments/new" ManageDeployments get(deployments::form).post(deployments::submit);
    "/console/deployments/{id}" SeeOrgUsage get(deployment::page);
    "/console/deployments/{id}/name" ManageDeployments post(deployment::rename);
    "/console/deployments/{id}/archive" ManageDeployments get(deployment::archive_form).post(deployment::archive);
    "/console/notices" SeeOwnUsage get(notices::page);
    "/console/notices/read" SeeOwnUsage post(notices::read);
    "/console/notices/{id}/dismiss" SeeOwnUsage post(notices::dismiss);
    "/console/announcements/{id}/dismiss" SeeOwnUsage post(announcements::dismiss);
    "/console/webhooks" ManageOrg get(webhooks::list::page);
    "/console/webhooks/new" ManageOrg get(webhooks::edit::new_form).post(webhooks::edit::create);
    "/console/webhooks/{id}" ManageOrg get(webhooks::detail::page);
    "/console/webhooks/{id}/edit" ManageOrg get(webhooks::edit::form).post(webhooks::edit::submit);
    "/console/webhooks/{id}/state" ManageOrg post(webhooks::edit::switch);
    "/console/webhooks/{id}/secret" ManageOrg get(webhooks::once::page);
    "/console/webhooks/{id}/rotate" ManageOrg post(webhooks::detail::rotate);
    "/console/webhooks/{id}/test" ManageOrg post(webhooks::detail::test);
    "/console/webhooks/{id}/remove" ManageOrg get(webhooks::remove::form).post(webhooks::remove::submit);
    "/console/webhooks/{id}/messages/{message}" ManageOrg get(webhooks::message::page);
    "/console/webhooks/{id}/messages/{message}/again" ManageOrg post(webhooks::message::again);
    "/console/audit" SeeAudit get(audit::page);
    "/console/audit/audit.csv" SeeAudit get(audit::csv);
    "/console/settings" ManageSelf get(settings::page);
    "/console/settings/profile" ManageSelf post(settings::profile::submit);
    "/console/settings/organisation" ManageOrg post(settings::organisation::submit);
    "/console/settings/preset" ManageOrg post(settings::preset::submit);
    "/console/settings/password" ManageSelf post(settings::password::submit);
    "/console/settings/sessions/others" ManageSelf post(settings::sessions::end_others);
    "/console/settings/sessions/{id}" ManageSelf post(settings::sessions::end);
    "/console/settings/bodies" ManageSelf get(settings::bodies::page);
    "/console/settings/bodies/on" ManageOrg post(settings::bodies::keep);
    "/console/settings/bodies/off" ManageOrg post(settings::bodies::stop);
    "/console/settings/data" ManageSelf get(settings::data::page);
    "/console/settings/data/copy" ManageSelf post(settings::copy::ask);
    "/console/settings/data/copies/{id}" ManageSelf post(settings::copy::open);
    "/console/settings/data/copies/{id}/archive" ManageSelf get(settings::copy::archive);
    "/console/settings/data/end" ManageSelf post(settings::data::ask);
    "/console/settings/data/keep" ManageSelf post(settings::data::keep);
    "/console/settings/security" ManageSelf get(security::page);
    "/console/settings/security/app" ManageSelf get(security::app::form).post(security::app::submit);
    "/console/settings/security/app/begin" ManageSelf post(security::app::begin);
    "/console/settings/security/app/off" ManageSelf post(security::app::turn_off);
    "/console/settings/security/codes" ManageSelf get(security::codes::page).post(security::codes::renew);
    "/console/settings/security/email" ManageSelf post(security::email::submit);
    "/console/passkeys/confirm" ManageSelf post(passkey_form::to_confirm);
    "/console/settings/security/passkeys" ManageSelf post(security::passkeys::add);
    "/console/settings/security/passkeys/begin" ManageSelf post(security::passkeys::begin);
    "/console/settings/security/passkeys/new" ManageSelf get(security::passkeys::form);
    "/console/settings/security/passkeys/offer" ManageSelf post(security::passkeys::offer);
    "/console/settings/security/passkeys/{id}/name" ManageSelf post(security::passkeys::rename);
    "/console/settings/security/passkeys/{id}/remove" ManageSelf post(security::passkeys::remove);
    "/console/settings/security/identities/{provider}/link" ManageSelf post(security::identities::link);
    "/console/settings/security/identities/{provider}/unlink" ManageSelf post(security::identities::unlink);
}

/// What the address takes that the router matched; `None` when it stands before sign-in.
pub(crate) fn needs(matched: &str) -> Option<Permission> {
    let path = matched.strip_prefix("/zh").unwrap_or(matched);
    ADDRESSES.iter().find(|address| address.path == path).map(|address| address.needs)
}
