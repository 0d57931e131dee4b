//! The terms of a key in a form: its name, note, tags, lists, scopes and expiry; read from it, and shown in it.
use crate::forms::{Form, words};
use crate::pages::keys::expiry::Ends;
use crate::pages::keys::lists::{Lists, read_tags};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::keys::{Allowed, KeyInfo, Scope, Terms, Wider};
use bytespike_accounts::names;
use bytespike_ui::components::{Checkbox, Field, TextArea};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;
use std::collections::BTreeSet;

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
pub(super) fn blank(above: Option<&Allowed>, ends: &Ends) -> Form {
    let given =
        Scope::DEFAULT.into_iter().filter(|scope| above.is_none_or(|above| above.scopes.contains(scope)));
    Form::filled(ticked(given).chain([("expiry", ends.opening())]))
}

/// The terms a key has, as its form opens with them.
pub(super) fn filled(key: &KeyInfo) -> Form {
    let terms = key.terms.clone();
    let lists =
        Lists { models: terms.models, ips: terms.ips, providers: terms.providers, regions: terms.regions };
    let texts = [
        ("name", terms.name),
        ("note", terms.note),
        ("tags", terms.tags.names().collect::<Vec<_>>().join(" ")),
        ("expiry", "keep".to_owned()),
        ("strict", if terms.strict { "on".to_owned() } else { String::new() }),
    ];
    Form::filled(texts.into_iter().chain(lists.filled()).chain(ticked(terms.scopes)))
}

/// Reads the terms; a fault stands beside its field.
pub(super) fn read(form: &mut Form, (state, locale): (&ConsoleState, Locale), ends: &Ends) -> Terms {
    // In the order of the fields, which is the order of the summary above them.
    let name = names::clean(form.value("name")).unwrap_or_else(|problem| {
        form.refuse("name", words::name(locale, problem));
        String::new()
    });
    let tags = read_tags(form, locale);
    let Lists { models, ips, providers, regions } = Lists::read(form, (state, locale));
    let expires_at_ms = ends.read(form, locale);
    let scopes = ticked_scopes(form);
    if scopes.is_empty() {
        form.refuse("inference", locale.t().keys.error.no_scope);
    }
    let (note, strict) = (form.value("note").to_owned(), form.value("strict") == "on");
    Terms { name, note, tags, models, ips, providers, regions, scopes, strict, expires_at_ms }
}

/// Those whose boxes are ticked.
pub(crate) fn ticked_scopes(form: &Form) -> BTreeSet<Scope> {
    SCOPES.into_iter().filter(|(field, _)| form.value(field) == "on").map(|(_, scope)| scope).collect()
}

/// The boxes of these scopes, ticked.
pub(crate) fn ticked(
    scopes: impl IntoIterator<Item = Scope>,
) -> impl Iterator<Item = (&'static str, String)> {
    scopes.into_iter().map(|scope| (field_of(scope), "on".to_owned()))
}

/// What is beyond the parent, beside its field.
pub(super) fn refuse_wider(form: &mut Form, locale: Locale, wider: Wider) {
    let t = &locale.t().keys.error;
    match wider {
        Wider::Models => form.refuse("models", t.wider_models),
        Wider::Scopes => form.refuse("inference", t.wider_scopes),
        Wider::Ips => form.refuse("ips", t.wider_ips),
        Wider::Providers => form.refuse("providers", t.wider_providers),
        Wider::Regions => form.refuse("regions", t.wider_regions),
        Wider::Expiry => form.refuse("expiry", t.wider_expiry),
    }
}

/// Name, note and tags.
pub(super) fn name_fields(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    view! {
        <Field
            id="name" label=t.name value=form.value("name") hint=t.name_hint
            nostrip:fault=form.fault("name") max_length=64 autocomplete="off"
        />
        <TextArea id="note" label=t.note value=form.value("note") hint=t.note_hint nostrip:fault=form.fault("note") rows=2/>
        <Field
            id="tags" label=t.tags value=form.value("tags") hint=t.tags_hint
            nostrip:fault=form.fault("tags") autocomplete="off"
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
pub(crate) fn scope_label(locale: Locale, scope: Scope) -> &'static str {
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
