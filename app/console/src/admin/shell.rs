//! The frames of the operators' pages: the full one with its navigation, and the card of the steps before.
use super::notice;
use super::who::Operator;
use crate::flash;
use crate::shell::{Titled, respond};
use axum::response::Response;
use bytespike_ui::Visit;
use bytespike_ui::components::{Hidden, IconName};
use bytespike_ui::layout::{self, ConsoleFrame, Entrance, NavItem};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;

/// The parts of the operators' pages, as their navigation lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    Orgs,
    Credits,
    Vouchers,
    Users,
    Channels,
    Prices,
    Announcements,
    Switches,
    SignUps,
    Retention,
    Books,
    Audit,
    Account,
}

/// A page of an operator's.
pub(super) async fn page(
    (visit, operator): (&Visit, &Operator),
    part: Part,
    titled: Titled,
    content: impl IntoView + 'static,
) -> Response {
    let t = &visit.t().admin.nav;
    let frame = ConsoleFrame {
        items: items(visit, part),
        organisation: t.title.to_owned(),
        organisations: visit.link("/admin"),
        person: operator.row().email.clone(),
        sign_out: sign_out(visit, operator),
        announced: None,
        flash: notice::of(visit).or_else(|| flash::of(visit)),
        unread: None,
    };
    respond(visit, titled, layout::console(visit, frame, content)).await
}

/// One card and nothing that leads away from it. Its address is never passed on.
pub(super) async fn card(visit: &Visit, titled: Titled, content: impl IntoView + 'static) -> Response {
    let mut response =
        respond(visit, titled, layout::narrow_within(visit, Entrance::Operators, content)).await;
    unreferred(&mut response);
    response
}

pub(super) fn unreferred(response: &mut Response) {
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn items(visit: &Visit, current: Part) -> Vec<NavItem> {
    let t = &visit.t().admin.nav;
    let all = [
        (Part::Overview, "/admin", t.overview, IconName::Layout),
        (Part::Orgs, "/admin/orgs", t.orgs, IconName::Wallet),
        (Part::Credits, "/admin/credits", t.credits, IconName::Check),
        (Part::Vouchers, "/admin/vouchers", t.vouchers, IconName::Copy),
        (Part::Users, "/admin/users", t.users, IconName::Users),
        (Part::Channels, "/admin/channels", t.channels, IconName::Zap),
        (Part::Prices, "/admin/prices", t.prices, IconName::Receipt),
        (Part::Announcements, "/admin/announcements", t.announcements, IconName::Bell),
        (Part::Switches, "/admin/switches", t.switches, IconName::Settings),
        (Part::SignUps, "/admin/sign-ups", t.sign_ups, IconName::CircleCheck),
        (Part::Retention, "/admin/retention", t.retention, IconName::Gauge),
        (Part::Books, "/admin/books", t.books, IconName::Book),
        (Part::Audit, "/admin/audit", t.audit, IconName::List),
        (Part::Account, "/admin/account", t.account, IconName::Shield),
    ];
    let item = |(part, path, label, icon): (Part, &str, &'static str, IconName)| NavItem {
        href: visit.link(path),
        label: label.to_owned(),
        icon: Some(icon),
        is_current: part == current,
        count: None,
    };
    all.into_iter().map(item).collect()
}

fn sign_out(visit: &Visit, operator: &Operator) -> AnyView {
    let label = visit.t().console.nav.sign_out;
    view! {
        <form method="post" action=visit.link("/admin/sign-out")>
            <Hidden name="csrf" value=operator.token.clone()/>
            <button type="submit">{label}</button>
        </form>
    }
    .into_any()
}
