//! The terms of a key in a form: its name, note, models, networks, scopes and expiry; read from it, and shown in it.
use crate::forms::{Form, words};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::keys::{Allowed, IpRule, KeyInfo, MOST_NETWORKS, ModelRule, Scope, Terms, Wider};
use bytespike_accounts::names;
use bytespike_accounts::node_rules::NodeRule;
use bytespike_gateway::model_list::{self, MOST_MODELS, ModelListError};
use bytespike_ui::components::{Checkbox, Field, Select, SelectOption, TextArea};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;
use std::collections::BTreeSet;

const DAY_MS: i64 = 24 * 3_600_000;
const EXPIRY_DAYS: [i64; 4] = [7, 30, 90, 365];
/// Scopes by the field that asks for them, in the order in which they are offered.
const SCOPES: [(&str, Scope); 8] = [
    ("inference", Scope::Inference),
    ("usage_read", Scope::UsageRead),
    ("org_usage", Scope::OrgUsageRead),
    ("keys_derive", Scope::KeysDerive),
    ("keys_manage", Scope::KeysManage),
    ("limits_manage", Scope::LimitsManage),
    ("webhooks_manage", Scope::WebhooksManage),
    ("org_admin", Scope::OrgAdmin),
];

/// A form for a new key, within what its parent allows.
pub(super) fn blank(above: Option<&Allowed>) -> Form {
    let given =
        Scope::DEFAULT.into_iter().filter(|scope| above.is_none_or(|above| above.scopes.contains(scope)));
    Form::filled(given.map(|scope| (field_of(scope), "on".to_owned())))
}

/// The terms a key has, as its form opens with them.
pub(super) fn filled(key: &KeyInfo) -> Form {
    let terms = &key.terms;
    let models = terms.models.names().unwrap_or_default().join("\n");
    let texts = [
        ("name", terms.name.clone()),
        ("note", terms.note.clone()),
        ("models", models),
        ("ips", terms.ips.texts().join("\n")),
        ("expiry", if terms.expires_at_ms.is_some() { "keep".to_owned() } else { "never".to_owned() }),
        ("strict", if terms.strict { "on".to_owned() } else { String::new() }),
    ];
    let scopes = terms.scopes.iter().map(|scope| (field_of(*scope), "on".to_owned()));
    Form::filled(texts.into_iter().chain(scopes))
}

/// Reads the terms; a fault stands beside its field. `before` is what the key has, of one that is changed.
pub(super) fn read(
    form: &mut Form,
    (state, locale): (&ConsoleState, Locale),
    before: Option<&KeyInfo>,
) -> Terms {
    // In the order of the fields, which is the order of the summary above them.
    let name = names::clean(form.value("name")).unwrap_or_else(|problem| {
        form.refuse("name", words::name(locale, problem));
        String::new()
    });
    let (models, ips) = (read_models(form, (state, locale)), read_ips(form, locale));
    let kept = before.and_then(|key| key.terms.expires_at_ms);
    let expires_at_ms = read_expiry(form, locale, (state.world.now_ms(), kept));
    let scopes = ticked_scopes(form);
    if scopes.is_empty() {
        form.refuse("inference", locale.t().keys.error.no_scope);
    }
    let (note, strict) = (form.value("note").to_owned(), form.value("strict") == "on");
    Terms { name, note, models, ips, scopes, strict, expires_at_ms }
}

/// Those whose boxes are ticked.
fn ticked_scopes(form: &Form) -> BTreeSet<Scope> {
    SCOPES.into_iter().filter(|(field, _)| form.value(field) == "on").map(|(_, scope)| scope).collect()
}

/// The rule of a node above keys. With every box ticked it narrows no scope.
pub(crate) fn read_rule(
    form: &mut Form,
    (state, locale): (&ConsoleState, Locale),
    before: &NodeRule,
) -> NodeRule {
    let (models, ips) = (read_models(form, (state, locale)), read_ips(form, locale));
    let expires_at_ms = read_expiry(form, locale, (state.world.now_ms(), before.expires_at_ms));
    let scopes = Some(ticked_scopes(form)).filter(|scopes| scopes.len() < SCOPES.len());
    NodeRule { models, ips, scopes, expires_at_ms }
}

/// The rule a node has, as its form opens with it.
pub(crate) fn filled_rule(rule: &NodeRule) -> Form {
    let texts = [
        ("models", rule.models.names().unwrap_or_default().join("\n")),
        ("ips", rule.ips.texts().join("\n")),
        ("expiry", if rule.expires_at_ms.is_some() { "keep".to_owned() } else { "never".to_owned() }),
    ];
    let allows = |scope: &Scope| rule.scopes.as_ref().is_none_or(|scopes| scopes.contains(scope));
    let scopes = Scope::ALL.into_iter().filter(allows).map(|scope| (field_of(scope), "on".to_owned()));
    Form::filled(texts.into_iter().chain(scopes))
}

fn read_models(form: &mut Form, (state, locale): (&ConsoleState, Locale)) -> ModelRule {
    let t = &locale.t().keys.error;
    let typed = form.value("models").to_owned();
    let fault = match model_list::read(&(state.gateway.book)(), typed.split([',', '\n', '，'])) {
        Ok(models) => return models,
        Err(ModelListError::Unknown(model)) => t.model_unknown(&model),
        Err(ModelListError::MatchesNone(pattern)) => t.models_none(&pattern),
        Err(ModelListError::TooMany) => t.models_many(MOST_MODELS),
    };
    form.refuse("models", fault);
    ModelRule::Any
}

fn read_ips(form: &mut Form, locale: Locale) -> IpRule {
    let t = &locale.t().keys.error;
    let typed = form.value("ips").to_owned();
    match IpRule::parse(typed.split([',', '\n', '，'])) {
        Ok(rule) if rule.texts().len() > MOST_NETWORKS => form.refuse("ips", t.networks_many(MOST_NETWORKS)),
        Ok(rule) => return rule,
        Err(strange) => form.refuse("ips", t.not_a_network(strange.0.chars().take(64).collect::<String>())),
    }
    IpRule::Any
}

fn read_expiry(form: &mut Form, locale: Locale, (now_ms, kept): (i64, Option<i64>)) -> Option<i64> {
    let value = form.value("expiry").to_owned();
    match value.as_str() {
        "" | "never" => None,
        "keep" if kept.is_some() => kept,
        days => {
            let known = EXPIRY_DAYS.into_iter().find(|known| known.to_string() == days);
            if known.is_none() {
                form.refuse("expiry", locale.t().keys.error.expiry_unknown);
            }
            known.map(|days| now_ms + days * DAY_MS)
        }
    }
}

/// What is beyond the parent, beside its field.
pub(super) fn refuse_wider(form: &mut Form, locale: Locale, wider: Wider) {
    let t = &locale.t().keys.error;
    match wider {
        Wider::Models => form.refuse("models", t.wider_models),
        Wider::Scopes => form.refuse("inference", t.wider_scopes),
        Wider::Ips => form.refuse("ips", t.wider_ips),
        Wider::Expiry => form.refuse("expiry", t.wider_expiry),
    }
}

/// Name and note.
pub(super) fn name_fields(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    view! {
        <Field
            id="name" label=t.name value=form.value("name") hint=t.name_hint
            nostrip:fault=form.fault("name") max_length=64 autocomplete="off"
        />
        <TextArea id="note" label=t.note value=form.value("note") hint=t.note_hint nostrip:fault=form.fault("note") rows=2/>
    }
    .into_any()
}

/// Models, networks and expiry.
pub(crate) fn rule_fields(visit: &Visit, form: &Form, is_change: bool) -> AnyView {
    let t = &visit.t().keys.create;
    let keep =
        (is_change && form.value("expiry") != "never").then(|| SelectOption::new("keep", t.expiry_keep));
    let days = EXPIRY_DAYS.map(|days| SelectOption::new(days.to_string(), t.expiry_days(days)));
    let never = SelectOption::new("never", t.expiry_never);
    let expiry: Vec<SelectOption> = keep.into_iter().chain([never]).chain(days).collect();
    view! {
        <TextArea
            id="models" label=t.models value=form.value("models") hint=t.models_hint
            nostrip:fault=form.fault("models") rows=3
        />
        <TextArea id="ips" label=t.ips value=form.value("ips") hint=t.ips_hint nostrip:fault=form.fault("ips") rows=3/>
        <Select
            id="expiry" label=t.expiry options=expiry selected=form.value("expiry")
            nostrip:fault=form.fault("expiry")
        />
    }
    .into_any()
}

/// Whether what cannot be represented is refused.
pub(super) fn strict_field(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    view! { <Checkbox id="strict" label=t.strict hint=t.strict_hint checked=form.value("strict") == "on"/> }
        .into_any()
}

/// What the reader may give: what their role covers, and of a derived key what its parent has. The rest is not offered.
pub(crate) fn scope_fields(
    (visit, who): (&Visit, &SignedIn),
    form: &Form,
    above: Option<&Allowed>,
) -> AnyView {
    let t = &visit.t().keys.create;
    let words = |scope| match scope {
        Scope::Inference => (t.inference, t.inference_hint),
        Scope::UsageRead => (t.usage_read, t.usage_read_hint),
        Scope::OrgUsageRead => (t.org_usage, t.org_usage_hint),
        Scope::KeysDerive => (t.keys_derive, t.keys_derive_hint),
        Scope::KeysManage => (t.keys_manage, t.keys_manage_hint),
        Scope::LimitsManage => (t.limits_manage, t.limits_manage_hint),
        Scope::WebhooksManage => (t.webhooks_manage, t.webhooks_manage_hint),
        Scope::OrgAdmin => (t.org_admin, t.org_admin_hint),
    };
    let role = who.member.role();
    let offered = SCOPES.into_iter().filter(|(_, scope)| {
        scope.is_covered_by(role) && above.is_none_or(|above| above.scopes.contains(scope))
    });
    let boxes = offered.map(|(field, scope)| {
        let (label, hint) = words(scope);
        let checked = form.value(field) == "on";
        view! { <Checkbox id=field label=label hint=hint checked=checked nostrip:fault=form.fault(field)/> }
    });
    let boxes = boxes.collect_view();
    view! { <fieldset><legend>{t.scopes}</legend>{boxes}</fieldset> }.into_any()
}

/// How a scope is named on pages.
pub(super) fn scope_label(locale: Locale, scope: Scope) -> &'static str {
    let t = &locale.t().keys.create;
    match scope {
        Scope::Inference => t.inference,
        Scope::UsageRead => t.usage_read,
        Scope::OrgUsageRead => t.org_usage,
        Scope::KeysDerive => t.keys_derive,
        Scope::KeysManage => t.keys_manage,
        Scope::LimitsManage => t.limits_manage,
        Scope::WebhooksManage => t.webhooks_manage,
        Scope::OrgAdmin => t.org_admin,
    }
}

fn field_of(scope: Scope) -> &'static str {
    SCOPES.into_iter().find(|(_, known)| *known == scope).map_or("", |(field, _)| field)
}
