//! Limits of a node: their fields in a form, their state in a table, and both in a few words.
use crate::forms::{Form, amount, words};
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use bytespike_accounts::call_limits::CallLimitKind;
use bytespike_accounts::keys::Manager;
use bytespike_gateway::quota::{AboveParent, By, Change, OrgLimits, Which};
use bytespike_ledger::{LimitState, NodeId, Window};
use bytespike_ui::components::{Badge, BadgeKind, Field, InputKind, TableFrame};
use bytespike_ui::{Locale, Numbers, Visit, format};
use leptos::prelude::*;

/// The limits as typed: one entry for each, `None` for no limit.
pub(crate) type Wanted = Vec<(Which, Option<i64>)>;

/// The most requests or calls a limit may be set to; more is no limit.
const MOST_COUNTED: i64 = 1_000_000;

/// The form field of a limit.
pub(crate) fn field_of(which: Which) -> &'static str {
    match which {
        Which::Spend(Window::Lifetime) => "limit_lifetime",
        Which::Spend(Window::Month) => "limit_month",
        Which::Spend(Window::Week) => "limit_7d",
        Which::Spend(Window::Day) => "limit_1d",
        Which::Spend(Window::FiveHours) => "limit_5h",
        Which::Calls(CallLimitKind::CreditsPerCall) => "limit_call",
        Which::Calls(CallLimitKind::RequestsPerMinute) => "limit_requests",
        Which::Calls(CallLimitKind::ConcurrentCalls) => "limit_concurrent",
    }
}

/// What a limit is called.
pub(crate) fn label_of(locale: Locale, which: Which) -> &'static str {
    let t = &locale.t().keys.window;
    match which {
        Which::Spend(Window::Lifetime) => t.lifetime,
        Which::Spend(Window::Month) => t.month,
        Which::Spend(Window::Week) => t.seven_days,
        Which::Spend(Window::Day) => t.one_day,
        Which::Spend(Window::FiveHours) => t.five_hours,
        Which::Calls(CallLimitKind::CreditsPerCall) => t.one_call,
        Which::Calls(CallLimitKind::RequestsPerMinute) => t.requests,
        Which::Calls(CallLimitKind::ConcurrentCalls) => t.at_once,
    }
}

/// A value as a page shows it.
pub(crate) fn said(numbers: Numbers, (which, value): (Which, i64)) -> String {
    if which.is_credits() { numbers.usd(value) } else { value.to_string() }
}

/// Reads every limit field; a fault stands beside its field.
pub(crate) fn read(form: &mut Form, locale: Locale) -> Wanted {
    let mut wanted = Wanted::new();
    for which in Which::ALL {
        match read_one(form.value(field_of(which)), (which, locale)) {
            Ok(value) => wanted.push((which, value)),
            Err(fault) => form.refuse(field_of(which), fault),
        }
    }
    wanted
}

/// One limit as typed; `None` when nothing was.
pub(crate) fn read_one(typed: &str, (which, locale): (Which, Locale)) -> Result<Option<i64>, String> {
    if which.is_credits() {
        return amount::parse_usd(typed).map_err(|error| words::amount(locale, error));
    }
    let typed = typed.trim();
    match typed.parse::<i64>() {
        _ if typed.is_empty() => Ok(None),
        Ok(count) if (0..=MOST_COUNTED).contains(&count) => Ok(Some(count)),
        _ => Err(locale.t().keys.error.limit_count(MOST_COUNTED)),
    }
}

/// The limits a node has, as its form opens with them.
pub(crate) fn filled(node: &str, all: &OrgLimits) -> Form {
    let set = Which::ALL.into_iter().filter_map(|which| {
        let value = all.value(node, which)?;
        Some((field_of(which), if which.is_credits() { amount::usd_field(value) } else { value.to_string() }))
    });
    Form::filled(set)
}

/// A limit above that of a node above, beside its field.
pub(crate) fn refuse_above(form: &mut Form, visit: &Visit, above: &AboveParent) {
    let node = node_words(visit.locale, &above.node);
    let most = said(visit.numbers, (above.which, above.most));
    let fault = visit.t().keys.error.limit_above(most, node);
    form.refuse(field_of(above.which), fault);
}

/// Writes what differs from what is set, once all of it is within what is set above. False when it is not: the form says so.
pub(crate) async fn save(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (node, wanted): (&str, &Wanted),
    form: &mut Form,
) -> Result<bool, Problem> {
    let quotas = state.quotas();
    let all = quotas.of_org(who.member.org_id()).await?;
    let above = all.tree.above(node);
    for (which, value) in wanted {
        let is_changed = all.value(node, *which) != *value;
        if let Some(value) = value.filter(|_| is_changed)
            && let Err(too_much) = all.check(&above, (*which, value))
        {
            refuse_above(form, visit, &too_much);
        }
    }
    if form.has_faults() {
        return Ok(false);
    }
    let actor = Manager::Member(&who.member).actor();
    let by = By { org_id: who.member.org_id(), actor, origin: &who.origin };
    for (which, after) in wanted {
        let change = Change { node, which: *which, before: all.value(node, *which), after: *after };
        quotas.change(by, change).await.map_err(|error| Problem::unavailable(&error))?;
    }
    Ok(true)
}

/// One field for each limit over time.
pub(crate) fn spend_fields(locale: Locale, form: &Form) -> AnyView {
    fields(locale, form, |which| matches!(which, Which::Spend(_)))
}

/// One field for each limit of calls.
pub(crate) fn call_fields(locale: Locale, form: &Form) -> AnyView {
    fields(locale, form, |which| matches!(which, Which::Calls(_)))
}

fn fields(locale: Locale, form: &Form, wanted: fn(&Which) -> bool) -> AnyView {
    let field = |which: Which| {
        let id = field_of(which);
        let unit = if which.is_credits() { "$" } else { "" };
        view! {
            <Field
                id=id label=label_of(locale, which) kind=InputKind::Number value=form.value(id)
                nostrip:fault=form.fault(id) placeholder=unit autocomplete="off"
            />
        }
    };
    let fields = Which::ALL.into_iter().filter(wanted).map(field).collect_view();
    view! { <div class="form-grid">{fields}</div> }.into_any()
}

/// `$2.10 of $10.00, per calendar month` for the node's own tightest limit, and how many more there are.
pub(crate) fn brief(visit: &Visit, node: &str, all: &OrgLimits) -> AnyView {
    let (t, locale) = (&visit.t().keys, visit.locale);
    let own: Vec<&LimitState> = all.spend.iter().filter(|limit| limit.node.as_str() == node).collect();
    let calls: Vec<Which> =
        all.calls.iter().filter(|l| &*l.node == node).map(|l| Which::Calls(l.kind)).collect();
    let Some(tightest) = own.iter().min_by_key(|limit| limit.remaining()) else {
        let Some(first) = calls.first() else {
            return view! { <span class="faint">{t.list.no_limit}</span> }.into_any();
        };
        let value = said(visit.numbers, (*first, all.value(node, *first).unwrap_or(0)));
        return view! { <span><span class="num">{value}</span><span class="note">{label_of(locale, *first)}</span></span> }
            .into_any();
    };
    let more = own.len() + calls.len() - 1;
    let (used, limit) = (visit.numbers.usd(tightest.used.0), visit.numbers.usd(tightest.limit.0));
    view! {
        <span>
            <span>{t.list.used_of(limit, used)}</span>
            <span class="note">
                {label_of(locale, Which::Spend(tightest.window))}
                {(more > 0).then(|| view! { " " {t.list.more(more)} })}
            </span>
        </span>
    }
    .into_any()
}

/// The node on the way whose limit leaves this one the least, and how much.
pub(crate) fn bound_by(visit: &Visit, node: &str, all: &OrgLimits) -> AnyView {
    let t = &visit.t().keys.list;
    let Some(binding) = all.binding(node) else {
        return view! { <span class="faint">{t.unbound}</span> }.into_any();
    };
    let what = match binding.node.as_str() == node {
        true => t.itself.to_owned(),
        false => format::sentence(&named(visit.locale, binding.node.as_str(), all)),
    };
    let left = t.left(visit.numbers.usd(binding.remaining().0));
    view! { <span>{what}<span class="note">{left}</span></span> }.into_any()
}

/// `organisation`, `member “Ada”`: a node with its name.
pub(crate) fn named(locale: Locale, node: &str, all: &OrgLimits) -> String {
    let kind = node_words(locale, node);
    let name = all.tree.get(node).map(|node| node.name.clone()).filter(|name| !name.is_empty());
    match name {
        Some(name) => locale.t().keys.detail.node_named(kind, name),
        None => kind.to_owned(),
    }
}

pub(crate) fn node_words(locale: Locale, node: &str) -> &'static str {
    let t = &locale.t().keys.detail;
    match NodeId::parse(node).as_ref().map_or("key", NodeId::kind) {
        "org" => t.node_org,
        "dep" => t.node_deployment,
        "mem" => t.node_member,
        _ => t.node_key,
    }
}

/// Every limit on the way from the organisation to the node, the tightest marked.
pub(crate) fn table(visit: &Visit, moments: &Moments, node: &str, all: &OrgLimits) -> AnyView {
    let t = &visit.t().keys.detail;
    let mut chain: Vec<String> = all.chain(node).into_iter().map(|node| node.id.clone()).collect();
    // From the organisation down.
    chain.reverse();
    let least = all.binding(node).map(|limit| (limit.node.clone(), limit.window));
    let mut rows: Vec<AnyView> = Vec::new();
    for at in &chain {
        let is_this_key = at == node && node.starts_with("key:");
        let what = if is_this_key { t.node_this.to_owned() } else { named(visit.locale, at, all) };
        let what = format::sentence(&what);
        for limit in all.spend.iter().filter(|limit| limit.node.as_str() == at) {
            let binds = least.as_ref() == Some(&(limit.node.clone(), limit.window));
            rows.push(row(visit, moments, (limit, what.clone(), binds)));
        }
        for limit in all.calls.iter().filter(|limit| &*limit.node == at) {
            rows.push(call_row(visit, Which::Calls(limit.kind), (limit.value, what.clone())));
        }
    }
    if rows.is_empty() {
        return view! { <p class="soft">{t.no_limits}</p> }.into_any();
    }
    view! {
        <TableFrame caption=t.spent>
            <thead>
                <tr>
                    <th scope="col">{t.window}</th>
                    <th scope="col">{t.node}</th>
                    <th scope="col" class="num">{t.used}</th>
                    <th scope="col" class="num">{t.held}</th>
                    <th scope="col" class="num">{t.limit}</th>
                    <th scope="col" class="num">{t.left}</th>
                    <th scope="col">{t.resets}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(visit: &Visit, moments: &Moments, (limit, node, is_tightest): (&LimitState, String, bool)) -> AnyView {
    let t = &visit.t().keys.detail;
    let resets = match limit.resets_at_ms {
        Some(at_ms) => moments.relative(at_ms),
        None => view! { <span class="faint">{visit.t().console.word.no_reset}</span> }.into_any(),
    };
    let mark = is_tightest.then(|| view! { " " <Badge kind=BadgeKind::Warning label=t.binding/> });
    view! {
        <tr>
            <th scope="row">{label_of(visit.locale, Which::Spend(limit.window))} {mark}</th>
            <td data-label=t.node>{node}</td>
            <td class="num" data-label=t.used>{visit.numbers.usd(limit.used.0)}</td>
            <td class="num" data-label=t.held>{visit.numbers.usd(limit.held.0)}</td>
            <td class="num" data-label=t.limit>{visit.numbers.usd(limit.limit.0)}</td>
            <td class="num" data-label=t.left>{visit.numbers.usd(limit.remaining().0)}</td>
            <td data-label=t.resets>{resets}</td>
        </tr>
    }
    .into_any()
}

fn call_row(visit: &Visit, which: Which, (value, node): (i64, String)) -> AnyView {
    let t = &visit.t().keys.detail;
    let none = || view! { <span class="faint">"–"</span> };
    view! {
        <tr>
            <th scope="row">{label_of(visit.locale, which)}</th>
            <td data-label=t.node>{node}</td>
            <td class="num" data-label=t.used>{none()}</td>
            <td class="num" data-label=t.held>{none()}</td>
            <td class="num" data-label=t.limit>{said(visit.numbers, (which, value))}</td>
            <td class="num" data-label=t.left>{none()}</td>
            <td data-label=t.resets>{none()}</td>
        </tr>
    }
    .into_any()
}
