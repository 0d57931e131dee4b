//! The frames of the console's pages: the full one with its navigation, and the card of the pages before sign-in.
use crate::flash;
use crate::forms::Form;
use crate::pages::announcements;
use crate::who::{SignedIn, Visitor};
use axum::response::{IntoResponse, Redirect, Response};
use bytespike_accounts::role::Permission;
use bytespike_ui::components::{Hidden, IconName};
use bytespike_ui::layout::{self, ConsoleFrame, Entrance, NavCount, NavItem};
use bytespike_ui::{CachePolicy, Head, Page, Visit};
use http::header::REFERRER_POLICY;
use http::{HeaderValue, StatusCode};
use leptos::prelude::*;

/// The parts of the console, as its navigation lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Notices,
    Keys,
    Limits,
    Models,
    Usage,
    Calls,
    Wallet,
    Apps,
    Organisation,
    Settings,
}

/// The title and status of a page.
pub(crate) struct Titled {
    title: String,
    status: StatusCode,
}

impl Titled {
    pub fn ok(title: impl Into<String>) -> Self {
        Self { title: title.into(), status: StatusCode::OK }
    }

    /// A form that waits for one more thing: 422, and nothing is wrong with it.
    pub fn unprocessed(title: impl Into<String>) -> Self {
        Self { title: title.into(), status: StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// A page with a form: with faults if the form has any.
    pub fn of(visit: &Visit, title: &str, form: &Form) -> Self {
        if form.has_faults() { Self::faulty(visit, title) } else { Self::ok(title) }
    }

    /// A form with faults: 422, and the title says so first, because a screen reader reads it first.
    pub fn faulty(visit: &Visit, title: &str) -> Self {
        let title = format!("{}: {title}", visit.t().console.problem.error_prefix);
        Self { title, status: StatusCode::UNPROCESSABLE_ENTITY }
    }
}

/// A page behind sign-in.
pub(crate) async fn signed_in(
    (visit, who): (&Visit, &SignedIn),
    section: Section,
    titled: Titled,
    content: impl IntoView + 'static,
) -> Response {
    let frame = ConsoleFrame {
        items: items((visit, who), section),
        organisation: who.member.org_name().to_owned(),
        organisations: visit.link("/console/orgs"),
        person: who.member.email().to_owned(),
        unread: unread(visit, who).map(|count| (visit.link("/console/notices"), count)),
        sign_out: sign_out(visit, who),
        announced: announcements::above((visit, who)),
        flash: flash::of(visit),
    };
    respond(visit, titled, layout::console(visit, frame, content)).await
}

/// A page before sign-in: one card. Its address may hold a one-time link, so it is never passed on.
pub(crate) async fn narrow(
    (visit, visitor): (&Visit, &Visitor),
    titled: Titled,
    content: impl IntoView + 'static,
) -> Response {
    card((visit, visitor), Entrance::Public, titled, content).await
}

/// The same, also for somebody who may be signed in already.
pub(crate) async fn card(
    (visit, visitor): (&Visit, &Visitor),
    entrance: Entrance,
    titled: Titled,
    content: impl IntoView + 'static,
) -> Response {
    let body = layout::narrow_within(visit, entrance, view! { {flash::of(visit)} {content.into_any()} });
    let mut response = respond(visit, titled, body).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    visitor.remember(response)
}

/// A decision that someone signed in has to make: one card and nothing that leads away from it. Its address names the
/// thing to decide, so it is never passed on.
pub(crate) async fn narrow_signed_in(
    visit: &Visit,
    titled: Titled,
    content: impl IntoView + 'static,
) -> Response {
    let mut response = respond(visit, titled, layout::bare(content)).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The answer to a form that was accepted.
pub(crate) fn see_other(address: &str) -> Response {
    Redirect::to(address).into_response()
}

/// A page with its title and its status.
pub(crate) async fn respond(visit: &Visit, titled: Titled, body: AnyView) -> Response {
    let page = Page::new(Head::private(titled.title), CachePolicy::Private, || body);
    page.status(titled.status).render(visit).await
}

fn items((visit, who): (&Visit, &SignedIn), current: Section) -> Vec<NavItem> {
    let t = &visit.t().console.nav;
    let all = [
        (Section::Overview, "/console", t.overview, IconName::Layout),
        (Section::Notices, "/console/notices", t.notices, IconName::Bell),
        (Section::Keys, "/console/keys", t.keys, IconName::Key),
        (Section::Limits, "/console/limits", t.limits, IconName::Gauge),
        (Section::Models, "/console/models", t.models, IconName::Zap),
        (Section::Usage, "/console/usage", t.usage, IconName::Chart),
        (Section::Calls, "/console/calls", t.calls, IconName::List),
        (Section::Wallet, "/console/wallet", t.wallet, IconName::Wallet),
        (Section::Apps, "/console/apps", t.apps, IconName::Shield),
        (Section::Organisation, "/console/members", t.organisation, IconName::Users),
        (Section::Settings, "/console/settings", t.settings, IconName::Settings),
    ];
    let item = |(section, path, label, icon): (Section, &str, &'static str, IconName)| NavItem {
        href: visit.link(path),
        label: label.to_owned(),
        icon: Some(icon),
        is_current: section == current,
        count: unread(visit, who).filter(|_| section == Section::Notices),
    };
    // The wallet is for those who answer for the organisation's money.
    let sees_org = who.member.role().may(Permission::SeeOrgUsage);
    all.into_iter().filter(|(section, ..)| *section != Section::Wallet || sees_org).map(item).collect()
}

/// Notices that the reader has not read; nothing when there are none.
fn unread(visit: &Visit, who: &SignedIn) -> Option<NavCount> {
    let text = match who.unread {
        ..=0 => return None,
        count @ 1..100 => count.to_string(),
        _ => "99+".to_owned(),
    };
    Some(NavCount { spoken: visit.t().notices.page.unread(&text), text })
}

fn sign_out(visit: &Visit, who: &SignedIn) -> AnyView {
    let label = visit.t().console.nav.sign_out;
    view! {
        <form method="post" action=visit.link("/console/sign-out")>
            <Hidden name="csrf" value=who.token.clone()/>
            <button type="submit">{label}</button>
        </form>
    }
    .into_any()
}
