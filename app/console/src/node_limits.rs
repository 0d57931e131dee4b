//! The limits of one node (the organisation, a deployment, a member), in a form: spend per window, requests, calls at once,
//! credits per call. A limit above the organisation's own is refused, because the organisation's would bind anyway.
use crate::forms::{Form, amount, words};
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::audit::Entry;
use bytespike_accounts::call_limits::{CallLimit, CallLimitKind};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{LimitState, NodeId, SetLimit, Window};
use bytespike_ui::components::{Field, InputKind};
use bytespike_ui::{Locale, Visit, format};
use leptos::prelude::*;
use serde_json::json;

/// The most requests or calls a limit may be set to; more is no limit.
const MOST_COUNTED: i64 = 1_000_000;

/// What a limit limits, in the order people think of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Spend(Window),
    Calls(CallLimitKind),
}

const ALL: [Which; 8] = [
    Which::Spend(Window::Month),
    Which::Spend(Window::Day),
    Which::Spend(Window::Lifetime),
    Which::Spend(Window::Week),
    Which::Spend(Window::FiveHours),
    Which::Calls(CallLimitKind::RequestsPerMinute),
    Which::Calls(CallLimitKind::ConcurrentCalls),
    Which::Calls(CallLimitKind::CreditsPerCall),
];

/// The limits as typed, each a nano-USD or a count; `None` for no limit.
pub(crate) type Wanted = Vec<(Which, Option<i64>)>;

/// Every limit of an organisation, as set now.
pub(crate) struct OrgLimits {
    pub spend: Vec<LimitState>,
    pub calls: Vec<CallLimit>,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::Spend(window) => window.name(),
            Self::Calls(kind) => kind.name(),
        }
    }

    /// The form field.
    fn field(self) -> &'static str {
        match self {
            Self::Spend(Window::Lifetime) => "limit_lifetime",
            Self::Spend(Window::Month) => "limit_month",
            Self::Spend(Window::Week) => "limit_7d",
            Self::Spend(Window::Day) => "limit_1d",
            Self::Spend(Window::FiveHours) => "limit_5h",
            Self::Calls(kind) => kind.name(),
        }
    }

    fn is_money(self) -> bool {
        !matches!(self, Self::Calls(CallLimitKind::RequestsPerMinute | CallLimitKind::ConcurrentCalls))
    }

    fn label(self, locale: Locale) -> &'static str {
        let (windows, t) = (&locale.t().keys.window, &locale.t().people.field);
        match self {
            Self::Spend(Window::Lifetime) => windows.lifetime,
            Self::Spend(Window::Month) => windows.month,
            Self::Spend(Window::Week) => windows.seven_days,
            Self::Spend(Window::Day) => windows.one_day,
            Self::Spend(Window::FiveHours) => windows.five_hours,
            Self::Calls(CallLimitKind::RequestsPerMinute) => t.requests_per_minute,
            Self::Calls(CallLimitKind::ConcurrentCalls) => t.concurrent_calls,
            Self::Calls(CallLimitKind::CreditsPerCall) => t.credits_per_call,
        }
    }

    /// The value as people read it.
    fn said(self, value: i64) -> String {
        if self.is_money() { format!("{} credits", NanoUsd(value).credits()) } else { value.to_string() }
    }

    fn typed(self, value: i64) -> String {
        if self.is_money() { amount::usd_field(value) } else { value.to_string() }
    }
}

impl OrgLimits {
    pub async fn load(state: &ConsoleState, who: &SignedIn) -> Result<Self, Problem> {
        let org_id = who.member.org_id();
        let spend = state.ledger.limits(org_id).await?;
        Ok(Self { spend, calls: state.accounts.call_limits.of_org(org_id).await? })
    }

    fn value(&self, node: &NodeId, which: Which) -> Option<i64> {
        match which {
            Which::Spend(window) => {
                let mut of_node = self.spend.iter().filter(|limit| limit.node == *node);
                of_node.find(|limit| limit.window == window).map(|limit| limit.limit.0)
            }
            Which::Calls(kind) => {
                let mut of_node = self.calls.iter().filter(|limit| &*limit.node == node.as_str());
                of_node.find(|limit| limit.kind == kind).map(|limit| limit.value)
            }
        }
    }

    /// The form as it opens: with what is set.
    pub fn filled(&self, node: &NodeId) -> Form {
        let set = ALL.into_iter().filter_map(|which| Some((which, self.value(node, which)?)));
        Form::filled(set.map(|(which, value)| (which.field(), which.typed(value))))
    }

    /// The monthly limit and what of it is used, in few words; else how many other limits there are.
    pub fn brief(&self, locale: Locale, node: &NodeId) -> AnyView {
        let t = &locale.t().people.members;
        let month = self.spend.iter().find(|limit| limit.node == *node && limit.window == Window::Month);
        if let Some(month) = month {
            let text = t.used_of(format::usd(month.limit.0), format::usd(month.used.0));
            return view! { <span class="num">{text}</span> }.into_any();
        }
        let others = ALL.into_iter().filter(|which| self.value(node, *which).is_some()).fold(0, |n, _| n + 1);
        let text = if others > 0 { t.other_limits(others) } else { t.no_limit.to_owned() };
        view! { <span class="faint">{text}</span> }.into_any()
    }
}

/// Reads every field; a fault stands beside its field. `above` is what the organisation itself is limited to.
pub(crate) fn read(form: &mut Form, locale: Locale, all: &OrgLimits, above: &NodeId) -> Wanted {
    let mut wanted = Wanted::new();
    for which in ALL {
        let typed = form.value(which.field());
        let read = if which.is_money() {
            amount::parse_usd(typed).map_err(|error| words::amount(locale, error))
        } else {
            count(typed).ok_or_else(|| locale.t().people.error.count.to_owned())
        };
        let most = all.value(above, which);
        match (read, most) {
            (Err(fault), _) => form.refuse(which.field(), fault),
            (Ok(Some(value)), Some(most)) if value > most => {
                form.refuse(which.field(), locale.t().people.error.above_org(which.shown(most)));
            }
            (Ok(value), _) => wanted.push((which, value)),
        }
    }
    wanted
}

impl Which {
    fn shown(self, value: i64) -> String {
        if self.is_money() { format::usd(value) } else { value.to_string() }
    }
}

/// Nothing for an empty field; `None` for what is no count.
fn count(typed: &str) -> Option<Option<i64>> {
    match typed.trim() {
        "" => Some(None),
        digits => digits.parse().ok().filter(|count| (0..=MOST_COUNTED).contains(count)).map(Some),
    }
}

/// Writes what differs from what is set, each with its event.
pub(crate) async fn save(
    state: &ConsoleState,
    who: &SignedIn,
    node: &NodeId,
    wanted: Wanted,
) -> Result<(), Problem> {
    let all = OrgLimits::load(state, who).await?;
    for (which, value) in wanted {
        let before = all.value(node, which);
        if before != value {
            let entry = entry(state, who, (node, which), (before, value));
            set(state, who, (node, which, value), &entry).await?;
        }
    }
    Ok(())
}

async fn set(
    state: &ConsoleState,
    who: &SignedIn,
    (node, which, value): (&NodeId, Which, Option<i64>),
    entry: &Entry,
) -> Result<(), Problem> {
    let org_id = who.member.org_id();
    match which {
        Which::Spend(window) => {
            let limit = value.map(NanoUsd);
            let change = SetLimit { org_id: org_id.to_owned(), node: node.clone(), window, limit };
            Ok(state.ledger.change_limit(change, entry).await?)
        }
        Which::Calls(kind) => {
            Ok(state.accounts.call_limits.set(org_id, (node.as_str(), kind), value, entry).await?)
        }
    }
}

fn entry(
    state: &ConsoleState,
    who: &SignedIn,
    (node, which): (&NodeId, Which),
    (before, after): (Option<i64>, Option<i64>),
) -> Entry {
    let said = |value: Option<i64>| json!({ which.name(): value.map(|value| which.said(value)) });
    let event = who.member.did(if after.is_some() { "limit.set" } else { "limit.removed" });
    state.accounts.audit.entry(&who.origin, event.target(node.as_str()).changed(said(before), said(after)))
}

/// One field for each limit.
pub(crate) fn fields(visit: &Visit, form: &Form) -> AnyView {
    let field = |which: Which| {
        let id = which.field();
        let placeholder = if which.is_money() { "$" } else { "" };
        view! {
            <Field
                id=id label=which.label(visit.locale) kind=InputKind::Number value=form.value(id)
                nostrip:fault=form.fault(id) placeholder=placeholder autocomplete="off"
            />
        }
    };
    view! { <div class="form-grid">{ALL.map(field).into_iter().collect_view()}</div> }.into_any()
}

/// The form of a node's limits. `action` is where it is sent.
pub(crate) fn part((visit, who): (&Visit, &SignedIn), action: String, form: &Form) -> AnyView {
    let t = &visit.t().people.limits;
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            <form method="post" action=action class="sheet">
                <bytespike_ui::components::Hidden name="csrf" value=who.token.clone()/>
                {fields(visit, form)}
                <bytespike_ui::components::Button>{t.submit}</bytespike_ui::components::Button>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers_and_nothing_is_no_limit() {
        assert_eq!((count(""), count(" 60 "), count("0")), (Some(None), Some(Some(60)), Some(Some(0))));
        assert!(["-1", "1.5", "1e3", "1000001", "x"].into_iter().all(|typed| count(typed).is_none()));
    }
}
