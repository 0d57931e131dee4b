//! Channels: those in the database, which operators add and change here, and those of the configuration, which are shown.
mod edit;
mod form;
mod test;

pub(super) use edit::{
    create, create_form, disable, enable, form as edit_form, remove, submit as edit_submit,
};
pub(super) use test::submit as test;

use super::shell::{self, Part};
use super::who::Operator;
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::Titled;
use crate::state::ConsoleState;
use axum::extract::State;
use axum::response::Response;
use bytespike_gateway::channel_test::ChannelStatus;
use bytespike_gateway::stored_channels::ChannelView;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, ButtonKind, ButtonLink, EmptyState, Tab, TableFrame, Tabs, breakable,
};
use leptos::prelude::*;
use std::collections::BTreeSet;

const PATH: &str = "/admin/channels";

/// How a channel is doing in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    InUse,
    /// Left alone for some seconds, after failures in a row.
    Resting,
    Off,
    NoCredentials,
    /// Switched on, and not taken up yet.
    Soon,
}

/// `GET /admin/channels`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let tag = Query::of(&visit).get("tag").map(str::to_owned);
    let mut stored = state.operating.desk.stored.list().await?;
    let tags: BTreeSet<String> = stored.iter().flat_map(|channel| channel.tags.clone()).collect();
    let live = (state.operating.channels)();
    let mut live = live;
    if let Some(tag) = &tag {
        stored.retain(|channel| channel.tags.contains(tag));
        live.retain(|live| stored.iter().any(|stored| stored.id == live.id));
    }
    let t = &visit.t().admin.channels;
    let new = visit.link(&format!("{PATH}/new"));
    let content = view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead}</p></div>
            <ButtonLink kind=ButtonKind::Primary href=new>{t.add}</ButtonLink>
        </div>
        {tag_links(&visit, &tags, tag.as_deref())}
        {table(&visit, &stored, &live)}
    };
    Ok(shell::page((&visit, &operator), Part::Channels, Titled::ok(t.title), content).await)
}

/// The list by tag; nothing while no channel has one.
fn tag_links(visit: &Visit, tags: &BTreeSet<String>, chosen: Option<&str>) -> Option<AnyView> {
    let t = &visit.t().admin.channels;
    let here = visit.link(PATH);
    let all = Tab { label: t.all.to_owned(), href: here.clone(), is_current: chosen.is_none() };
    let tab = |tag: &String| Tab {
        label: tag.clone(),
        href: format!("{here}?{}", query::write(&[("tag", tag)])),
        is_current: chosen == Some(tag.as_str()),
    };
    let tabs: Vec<Tab> = std::iter::once(all).chain(tags.iter().map(tab)).collect();
    (!tags.is_empty()).then(|| view! { <Tabs label=t.tags tabs=tabs/> }.into_any())
}

fn table(visit: &Visit, stored: &[ChannelView], live: &[ChannelStatus]) -> AnyView {
    let t = &visit.t().admin.channels;
    let configured = live.iter().filter(|live| stored.iter().all(|stored| stored.id != live.id));
    let rows = stored.iter().map(|channel| stored_line(visit, channel, live));
    let rows: Vec<AnyView> = rows.chain(configured.map(|channel| configured_line(visit, channel))).collect();
    if rows.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.id}</th>
                    <th scope="col">{t.provider}</th>
                    <th scope="col">{t.base_url}</th>
                    <th scope="col" class="num">{t.models}</th>
                    <th scope="col" class="num">{t.weight}</th>
                    <th scope="col">{t.state}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

/// Below the provider, where it was said.
fn region(region: Option<&String>) -> Option<AnyView> {
    region.map(|region| view! { <span class="note">{region.clone()}</span> }.into_any())
}

fn stored_line(visit: &Visit, channel: &ChannelView, live: &[ChannelStatus]) -> AnyView {
    let t = &visit.t().admin.channels;
    let href = visit.link(&format!("{PATH}/{}", channel.id));
    view! {
        <tr>
            <th scope="row"><a href=href>{channel.id.clone()}</a><span class="note">{channel.tags.join(" · ")}</span></th>
            <td data-label=t.provider>{channel.provider.clone()}{region(channel.region.as_ref())}</td>
            <td data-label=t.base_url>{breakable(&channel.base_url)}</td>
            <td class="num" data-label=t.models>{channel.models.len()}</td>
            <td class="num" data-label=t.weight>{channel.weight}</td>
            <td data-label=t.state>{badge(visit, standing(channel, live))}</td>
        </tr>
    }
    .into_any()
}

fn configured_line(visit: &Visit, channel: &ChannelStatus) -> AnyView {
    let t = &visit.t().admin.channels;
    let standing = if channel.is_resting { Standing::Resting } else { Standing::InUse };
    view! {
        <tr>
            <th scope="row">{channel.id.clone()}<span class="note">{t.configured}</span></th>
            <td data-label=t.provider>{channel.provider.clone()}{region(channel.region.as_ref())}</td>
            <td data-label=t.base_url>{breakable(&channel.base_url)}</td>
            <td class="num" data-label=t.models>{channel.models.len()}</td>
            <td class="num" data-label=t.weight>{channel.weight}</td>
            <td data-label=t.state>{badge(visit, standing)}</td>
        </tr>
    }
    .into_any()
}

fn standing(channel: &ChannelView, live: &[ChannelStatus]) -> Standing {
    let used = live.iter().find(|live| live.id == channel.id);
    match (channel.has_credentials, channel.enabled, used) {
        (false, ..) => Standing::NoCredentials,
        (true, false, _) => Standing::Off,
        (true, true, None) => Standing::Soon,
        (true, true, Some(used)) if used.is_resting => Standing::Resting,
        (true, true, Some(_)) => Standing::InUse,
    }
}

fn badge(visit: &Visit, standing: Standing) -> AnyView {
    let t = &visit.t().admin.channels;
    let (kind, label) = match standing {
        Standing::InUse => (BadgeKind::Live, t.in_use),
        Standing::Resting => (BadgeKind::Warning, t.resting),
        Standing::Off => (BadgeKind::Muted, t.off),
        Standing::NoCredentials => (BadgeKind::Danger, t.no_credentials),
        Standing::Soon => (BadgeKind::Pending, t.soon),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}
