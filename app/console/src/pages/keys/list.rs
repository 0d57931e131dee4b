//! Every key the reader may see, as a tree; those that have ended; and those with a tag.
use crate::pages::keys::may_manage;
use crate::pages::keys::tree::{self, Facts, Spent};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::keys::{KeyInfo, KeyState, States};
use bytespike_ledger::{Dimension, UsageFilter};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, EmptyState, Select, SelectOption, Tab, Tabs};
use jiff::tz::TimeZone;
use leptos::prelude::*;
use std::collections::BTreeSet;

/// Ended keys on the page; the API lists all.
const MOST_ENDED: i64 = 200;

/// `GET /console/keys`, `?show=ended`, `?tag=prod`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let query = Query::of(&visit);
    let shows_ended = query.get("show") == Some("ended");
    let tag = query.get("tag").map(str::to_lowercase);
    let keys = match shows_ended {
        true => state.accounts.keys.ended(&who.member, MOST_ENDED).await?,
        false => state.accounts.keys.list(&who.member).await?,
    };
    let keys: Vec<KeyInfo> =
        keys.into_iter().filter(|key| shows_ended || key.state != KeyState::Revoked).collect();
    let known: BTreeSet<String> =
        keys.iter().flat_map(|key| key.terms.tags.names()).map(str::to_owned).collect();
    let has_tag = |key: &KeyInfo| tag.as_deref().is_none_or(|tag| key.terms.tags.contains(tag));
    let keys: Vec<KeyInfo> = keys.into_iter().filter(has_tag).collect();
    let limits = state.quotas().of_org(who.member.org_id()).await?;
    let spent = spent(&state, &who).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let t = &visit.t().keys.list;
    let facts = Facts { visit: &visit, moments: &moments, limits: &limits, spent: &spent };
    let body = match (keys.is_empty(), shows_ended) {
        (false, _) => tree::table(facts, t.title, &keys),
        (true, _) if tag.is_some() => {
            let (all, clear) = (visit.link("/console/keys"), visit.t().console.word.clear);
            view! { <EmptyState title=t.none_tagged><ButtonLink href=all>{clear}</ButtonLink></EmptyState> }
                .into_any()
        }
        (true, false) => empty(&visit, &who),
        (true, true) => view! { <p class="soft">{t.no_ended}</p> }.into_any(),
    };
    let chosen = (tag.as_deref(), shows_ended);
    let content =
        view! { {head(&visit, &who)} {tabs(&visit, shows_ended)} {filter(&visit, &known, chosen)} {body} };
    Ok(shell::signed_in((&visit, &who), Section::Keys, Titled::ok(t.title), content).await)
}

/// What each key and those derived from it have cost since it was made: what its limits count.
pub(super) async fn spent(state: &ConsoleState, who: &SignedIn) -> Result<Spent, Problem> {
    let filter = UsageFilter { from_ms: 0, to_ms: state.world.now_ms() + 1, ..UsageFilter::default() };
    let sums = state.ledger.usage(who.member.org_id(), &filter, (&[Dimension::Key], &TimeZone::UTC)).await?;
    let own: Spent =
        sums.into_iter().filter_map(|(key, sums)| Some((key.key_id?, sums.charged_nano))).collect();
    let mut spent = Spent::new();
    for key in state.accounts.keys.page(&who.member, (None, i64::MAX), (States::All, None)).await? {
        let charged_nano = own.get(&key.id).copied().unwrap_or(0);
        for above in key.path {
            let sum = spent.entry(above).or_insert(0_i64);
            *sum = sum.saturating_add(charged_nano);
        }
    }
    Ok(spent)
}

fn head(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().keys.list;
    let new = visit.link("/console/keys/new");
    let create =
        may_manage(who).then(|| view! { <ButtonLink kind=ButtonKind::Primary href=new>{t.new}</ButtonLink> });
    let check = visit.link("/console/keys/check");
    view! {
        <div class="page-head">
            <div><h1>{t.title}</h1><p>{t.lead}</p></div>
            <div class="actions">{create}<ButtonLink href=check>{t.check}</ButtonLink></div>
        </div>
    }
    .into_any()
}

fn tabs(visit: &Visit, shows_ended: bool) -> AnyView {
    let t = &visit.t().keys.list;
    let tab = |path: &str, label: &str, is_current: bool| Tab {
        href: visit.link(path),
        label: label.to_owned(),
        is_current,
    };
    let tabs = vec![
        tab("/console/keys", t.open_tab, !shows_ended),
        tab("/console/keys?show=ended", t.ended_tab, shows_ended),
    ];
    view! { <Tabs label=t.tabs tabs=tabs/> }.into_any()
}

/// The tags there are, to choose one; nothing where there is none and none was asked for.
fn filter(
    visit: &Visit,
    known: &BTreeSet<String>,
    (tag, shows_ended): (Option<&str>, bool),
) -> Option<AnyView> {
    if known.is_empty() && tag.is_none() {
        return None;
    }
    let t = &visit.t().keys.list;
    let asked = tag.filter(|tag| !known.contains(*tag));
    let names = known.iter().map(String::as_str).chain(asked);
    let options = std::iter::once(SelectOption::new("", t.every_tag))
        .chain(names.map(|name| SelectOption::new(name, name)))
        .collect();
    let show = shows_ended.then(|| view! { <input type="hidden" name="show" value="ended"/> });
    Some(
        view! {
            <form method="get" action=visit.link("/console/keys") class="call-filters" role="search" aria-label=t.by_tag>
                {show}
                <Select id="tag" label=t.tag options=options selected=tag.unwrap_or_default()/>
                <Button>{t.show}</Button>
            </form>
        }
        .into_any(),
    )
}

fn empty(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().keys.list;
    let new = visit.link("/console/keys/new");
    let create =
        may_manage(who).then(|| view! { <ButtonLink kind=ButtonKind::Primary href=new>{t.new}</ButtonLink> });
    view! { <EmptyState title=t.empty_title><p>{t.empty}</p>{create}</EmptyState> }.into_any()
}
