//! Switches: who may sign up, and what is turned off. Each says what people then see, and who changed it last.
use super::act::Act;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::switches::{Changed, Feature, SignUpPolicy, SwitchError};
use bytespike_store::names::Names;
use bytespike_ui::components::{
    Badge, BadgeKind, Button, ButtonKind, Hidden, Select, SelectOption, TableFrame, TextArea,
};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

const PATH: &str = "/admin/switches";
/// In the form: as the configuration says.
const CONFIGURED: &str = "configured";

/// `GET /admin/switches`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let switches = &state.accounts.switches;
    let word = if switches.sign_up_changed().is_some() { switches.sign_up().word() } else { CONFIGURED };
    let domains = match switches.sign_up() {
        SignUpPolicy::Domains(domains) => domains.join("\n"),
        _ => String::new(),
    };
    let form = Form::filled([("policy", word.to_owned()), ("domains", domains)]);
    show(&state, (&visit, &operator), &form).await
}

/// `POST /admin/switches/feature`
pub(super) async fn feature(act: Act) -> Result<Response, Problem> {
    let feature = Feature::parse(act.form.value("feature")).ok_or(Problem::NotFound)?;
    let is_on = act.form.value("to") == "on";
    let by = (&act.operator.origin, act.operator.row().id.as_str());
    act.state.accounts.switches.set_feature(by, (feature, is_on)).await?;
    let did = if is_on { Did::FeatureOn } else { Did::FeatureOff };
    Ok(see_other(&notice::with(&act.visit.link(PATH), did)))
}

/// `POST /admin/switches/sign-up`
pub(super) async fn sign_up(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, .. } = act;
    let word = form.value("policy");
    let policy = match word {
        CONFIGURED => None,
        word => Some(SignUpPolicy::parse(word, form.value("domains")).ok_or(Problem::NotFound)?),
    };
    let by = (&operator.origin, operator.row().id.as_str());
    match state.accounts.switches.set_sign_up(by, policy.as_ref()).await {
        Ok(()) => Ok(see_other(&notice::with(&visit.link(PATH), Did::SignUpDecided))),
        Err(SwitchError::Domains) => {
            form.refuse("domains", visit.t().switches.page.domains_fault);
            show(&state, (&visit, &operator), &form).await
        }
        Err(SwitchError::Unavailable(error)) => Err(error.into()),
    }
}

/// What rows are read with.
type Known<'a> = (&'a Names, &'a Moments);

async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().switches.page;
    let names = state.accounts.operators.names().await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form.summary(visit.locale)}
        {sign_up_part(state, (visit, operator), (form, (&names, &moments)))}
        {features(state, (visit, operator), (&names, &moments))}
    };
    Ok(shell::page((visit, operator), Part::Switches, Titled::of(visit, t.title, form), content).await)
}

fn sign_up_part(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    (form, known): (&Form, Known<'_>),
) -> AnyView {
    let t = &visit.t().switches.page;
    let switches = &state.accounts.switches;
    let configured = t.configured(policy_words(visit.locale, &switches.configured_sign_up()));
    let words = ["open", "approval", "invited", "domains", "closed"].into_iter();
    let policies = words.filter_map(|word| SignUpPolicy::parse(word, ""));
    let options =
        policies.map(|policy| SelectOption::new(policy.word(), policy_words(visit.locale, &policy)));
    let options: Vec<SelectOption> =
        std::iter::once(SelectOption::new(CONFIGURED, configured)).chain(options).collect();
    let now = t.now(policy_words(visit.locale, &switches.sign_up()));
    let by = switches.sign_up_changed();
    let by = by.map_or_else(|| t.from_configuration.to_owned(), |changed| last(visit, &changed, known));
    view! {
        <section class="stack">
            <div><h2>{t.sign_up}</h2><p class="soft">{t.sign_up_lead}</p></div>
            <p>{now} {visit.locale.gap()} <span class="soft">{by}</span></p>
            <form method="post" action=visit.link(&format!("{PATH}/sign-up")) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                <Select id="policy" label=t.policy options=options selected=form.value("policy").to_owned()/>
                <TextArea
                    id="domains" label=t.domains hint=t.domains_hint.to_owned() value=form.value("domains").to_owned()
                    nostrip:fault=form.fault("domains") rows=3
                />
                <Button kind=ButtonKind::Primary>{t.save}</Button>
            </form>
        </section>
    }
    .into_any()
}

fn policy_words(locale: Locale, policy: &SignUpPolicy) -> &'static str {
    let t = &locale.t().switches.page;
    match policy {
        SignUpPolicy::Open => t.open,
        SignUpPolicy::Approval => t.approval,
        SignUpPolicy::Invited => t.invited,
        SignUpPolicy::Domains(_) => t.listed,
        SignUpPolicy::Closed => t.closed,
    }
}

fn last(visit: &Visit, changed: &Changed, (names, moments): Known<'_>) -> String {
    visit.t().switches.page.changed(names.get(&changed.by), moments.written(changed.at_ms))
}

fn features(state: &ConsoleState, (visit, operator): (&Visit, &Operator), known: Known<'_>) -> AnyView {
    let t = &visit.t().switches.page;
    let rows = Feature::ALL.map(|feature| feature_line(state, (visit, operator), (feature, known)));
    view! {
        <section class="stack">
            <div><h2>{t.features}</h2><p class="soft">{t.features_lead}</p></div>
            <TableFrame caption=t.features>
                <thead>
                    <tr>
                        <th scope="col">{t.feature}</th>
                        <th scope="col">{t.effect}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().collect_view()}</tbody>
            </TableFrame>
        </section>
    }
    .into_any()
}

fn feature_line(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    (feature, known): (Feature, Known<'_>),
) -> AnyView {
    let t = &visit.t().switches.page;
    let (name, effect) = feature_words(visit.locale, feature);
    let is_on = state.accounts.switches.is_on(feature);
    let (kind, label) = if is_on { (BadgeKind::Live, t.on) } else { (BadgeKind::Warning, t.off) };
    let (to, verb) = if is_on { ("off", t.turn_off) } else { ("on", t.turn_on) };
    let by = state.accounts.switches.feature_changed(feature);
    let by = by.map(|changed| view! { <span class="note">{last(visit, &changed, known)}</span> });
    let label_of = format!("{verb}: {name}");
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td data-label=t.effect>{effect}</td>
            <td data-label=t.state><div class="event-change"><Badge kind=kind label=label/>{by}</div></td>
            <td class="end">
                <form method="post" action=visit.link(&format!("{PATH}/feature")) class="inline">
                    <Hidden name="csrf" value=operator.token.clone()/>
                    <Hidden name="feature" value=feature.as_str()/>
                    <Hidden name="to" value=to/>
                    <button type="submit" class="button small" aria-label=label_of>{verb}</button>
                </form>
            </td>
        </tr>
    }
    .into_any()
}

/// Its name, and what people see while it is off.
fn feature_words(locale: Locale, feature: Feature) -> (&'static str, &'static str) {
    let t = &locale.t().switches.feature;
    match feature {
        Feature::TopUps => (t.top_ups, t.top_ups_effect),
        Feature::Vouchers => (t.vouchers, t.vouchers_effect),
        Feature::Recharge => (t.recharge, t.recharge_effect),
        Feature::Programs => (t.programs, t.programs_effect),
        Feature::Providers => (t.providers, t.providers_effect),
        Feature::ModelTests => (t.model_tests, t.model_tests_effect),
        Feature::NewKeys => (t.new_keys, t.new_keys_effect),
    }
}
