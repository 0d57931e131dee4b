//! What an organisation, a deployment or a member allows to the keys below it, in a form.
use crate::forms::Form;
use crate::pages::keys::expiry::Ends;
use crate::pages::keys::lists::{self, Lists};
use crate::pages::keys::terms;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use bytespike_accounts::keys::{MOST_LIFETIME_DAYS, Scope};
use bytespike_accounts::node_rules::NodeRule;
use bytespike_ui::components::{Button, ButtonKind, Field, Hidden, InputKind};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// The end that a rule may be given.
pub(super) fn ends(before: &NodeRule, now_ms: i64) -> Ends {
    Ends::fresh(now_ms).kept(before.expires_at_ms)
}

/// Reads it; a fault stands beside its field. With every box ticked it narrows no scope.
pub(super) fn read(form: &mut Form, (state, locale): (&ConsoleState, Locale), before: &NodeRule) -> NodeRule {
    let Lists { models, ips, providers, regions } = Lists::read(form, (state, locale));
    let expires_at_ms = ends(before, state.world.now_ms()).read(form, locale);
    let max_lifetime_days = read_days(form, locale);
    let scopes = Some(terms::ticked_scopes(form)).filter(|scopes| scopes.len() < Scope::ALL.len());
    NodeRule { models, ips, scopes, providers, regions, expires_at_ms, max_lifetime_days }
}

fn read_days(form: &mut Form, locale: Locale) -> Option<i64> {
    let typed = form.value("max_lifetime").trim().to_owned();
    if typed.is_empty() {
        return None;
    }
    let days = typed.parse().ok().filter(|days| (1..=MOST_LIFETIME_DAYS).contains(days));
    if days.is_none() {
        form.refuse("max_lifetime", locale.t().limits.error.lifetime(MOST_LIFETIME_DAYS));
    }
    days
}

/// The rule a node has, as its form opens with it.
pub(super) fn filled(rule: NodeRule) -> Form {
    let lists =
        Lists { models: rule.models, ips: rule.ips, providers: rule.providers, regions: rule.regions };
    let days = rule.max_lifetime_days.map(|days| days.to_string()).unwrap_or_default();
    let texts = [("expiry", "keep".to_owned()), ("max_lifetime", days)];
    let scopes = rule.scopes.unwrap_or_else(|| Scope::ALL.into());
    Form::filled(lists.filled().into_iter().chain(texts).chain(terms::ticked(scopes)))
}

/// The form.
pub(super) fn part(
    (visit, who): (&Visit, &SignedIn),
    (action, ends): (String, &Ends),
    moments: &Moments,
    form: &Form,
) -> AnyView {
    let t = &visit.t().limits.node;
    view! {
        <section class="stack">
            <div><h2>{t.rules}</h2><p class="soft">{t.rules_lead}</p></div>
            <form method="post" action=action class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                {lists::fields(visit, form)}
                {ends.field(visit, moments, form)}
                <Field
                    id="max_lifetime" label=t.max_lifetime hint=t.max_lifetime_hint kind=InputKind::Number
                    value=form.value("max_lifetime") nostrip:fault=form.fault("max_lifetime") autocomplete="off"
                />
                {terms::scope_fields((visit, who), form, None)}
                <p class="actions"><Button kind=ButtonKind::Primary>{t.rules_submit}</Button></p>
            </form>
        </section>
    }
    .into_any()
}
