//! The part of a decision that a browser and a device share: what the program is, what it wants, and the bounds that the
//! person sets. The person may lower everything; nothing can be raised above what they may do themselves.
use crate::forms::Form;
use crate::forms::amount::{AmountError, parse_usd, usd_field};
use crate::pages::keys::limits::node_words;
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::keys::Lifetime;
use bytespike_accounts::names;
use bytespike_accounts::oauth::consent::Allowed;
use bytespike_accounts::oauth::key_request::{KeyBounds, KeyRequest};
use bytespike_accounts::oauth::{Client, GrantScope, GrantScopes, Trust, redirect};
use bytespike_accounts::people::Membership;
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, Button, ButtonKind, Callout, CalloutKind, Checkbox, Field, Select, SelectOption,
    TextArea,
};
use leptos::prelude::*;
use std::collections::BTreeSet;

const DAY_MS: i64 = 24 * 3_600_000;
const EXPIRY_DAYS: [i64; 4] = [7, 30, 90, 365];
const DEFAULT_EXPIRY_DAYS: i64 = 90;
/// In nano-USD: what a program may spend in a month unless the person says otherwise.
const DEFAULT_LIMIT_NANO: i64 = 10_000_000_000;
const MOST_MODELS: usize = 100;

/// What a program asks for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub client: &'a Client,
    pub scopes: &'a GrantScopes,
    pub key_request: &'a KeyRequest,
}

/// An org in which a program may be allowed something.
pub(super) struct Org {
    pub member: Membership,
    /// How long a key made there may live.
    pub lifetime: Option<Lifetime>,
}

/// What is being decided.
pub(super) struct Question<'a> {
    asked: Asked<'a>,
    /// Where the program is answered; a device has no such place.
    place: Option<String>,
    /// This very page, for whoever signs in as somebody else first.
    here: String,
    /// The person's orgs in which they may allow it.
    orgs: Vec<Org>,
}

impl<'a> Question<'a> {
    /// What this person is asked.
    pub async fn of(
        (state, who): (&ConsoleState, &SignedIn),
        asked: Asked<'a>,
        (place, here): (Option<String>, String),
    ) -> Result<Self, Problem> {
        Ok(Self { orgs: orgs(state, who, asked).await?, asked, place, here })
    }

    fn wants_key(&self) -> bool {
        self.asked.scopes.contains(&GrantScope::KeysProvision)
    }
}

/// The orgs in which this person may allow what the program wants.
async fn orgs(state: &ConsoleState, who: &SignedIn, asked: Asked<'_>) -> Result<Vec<Org>, Problem> {
    let client = asked.client;
    let wants_key = asked.scopes.contains(&GrantScope::KeysProvision);
    let all = state.accounts.people.memberships(who.member.person_id()).await?;
    let is_open =
        |member: &Membership| client.org_id.as_deref().is_none_or(|org_id| org_id == member.org_id());
    let may = |member: &Membership| !wants_key || member.role().may(Permission::ManageOwnKeys);
    let mut orgs = Vec::new();
    for member in all.into_iter().filter(|member| is_open(member) && may(member)) {
        let place = (member.org_id(), member.deployment_id(), member.member_id());
        let lifetime = state.accounts.keys.allowed_at(place).await?.lifetime;
        orgs.push(Org { member, lifetime });
    }
    Ok(orgs)
}

/// Days that a key may be given: the usual ones, and what an org allows at most where that is less than all of them.
fn days_offered(orgs: &[Org]) -> BTreeSet<i64> {
    let shorter = orgs.iter().filter_map(|org| Some(org.lifetime.as_ref()?.days));
    EXPIRY_DAYS.into_iter().chain(shorter.filter(|days| *days < EXPIRY_DAYS[0])).collect()
}

impl Org {
    fn allows(&self, days: i64) -> bool {
        self.lifetime.as_ref().is_none_or(|lifetime| days <= lifetime.days)
    }
}

/// The form as it opens: what the program asks for, bounded by our defaults.
pub(super) fn opening(question: &Question<'_>, who: &SignedIn) -> Form {
    let Asked { client: _, scopes, key_request } = question.asked;
    let asked_nano = key_request.month_limit_nano().unwrap_or(DEFAULT_LIMIT_NANO);
    let asked_days = key_request.expires_in.map(|seconds| seconds * 1_000 / DAY_MS);
    let offered = days_offered(&question.orgs);
    let days = offered.iter().find(|days| asked_days.is_some_and(|asked| asked <= **days));
    let wanted = days.copied().unwrap_or(DEFAULT_EXPIRY_DAYS);
    let org = question.orgs.iter().find(|org| org.member.org_id() == who.member.org_id());
    let fits = |days: &&i64| **days <= wanted && org.is_none_or(|org| org.allows(**days));
    let days = offered.iter().rev().find(fits);
    let models = key_request.models.as_ref().map(|models| models.join("\n")).unwrap_or_default();
    let scopes = scopes.iter().map(|scope| (field_of(*scope), "on".to_owned()));
    Form::filled(
        [
            ("org", who.member.org_id().to_owned()),
            (
                "label",
                question
                    .asked
                    .key_request
                    .label
                    .clone()
                    .unwrap_or_else(|| question.asked.client.name.clone()),
            ),
            ("month_limit", usd_field(asked_nano.min(DEFAULT_LIMIT_NANO))),
            ("expiry", days.map(ToString::to_string).unwrap_or_default()),
            ("models", if models == "*" { String::new() } else { models }),
        ]
        .into_iter()
        .chain(scopes),
    )
}

/// What the person allows, and in which org. Faults are noted in the form.
pub(super) fn read<'a>(
    form: &mut Form,
    visit: &Visit,
    question: &'a Question<'_>,
) -> Option<(&'a Membership, Allowed)> {
    let t = &visit.t().oauth.error;
    let org = question.orgs.iter().find(|org| org.member.org_id() == form.value("org"));
    if org.is_none() {
        form.refuse("org", t.org);
    }
    let scopes: GrantScopes =
        question.asked.scopes.iter().copied().filter(|scope| form.value(field_of(*scope)) == "on").collect();
    if scopes.is_empty() {
        form.refuse("scope-profile", t.no_scope);
    }
    let bounds = if question.wants_key() {
        read_bounds(form, visit, (&question.orgs, org))
    } else {
        no_key(question.asked.client)
    };
    if form.has_faults() { None } else { Some((&org?.member, Allowed { scopes, bounds })) }
}

/// A program that asked for no key makes none.
fn no_key(client: &Client) -> KeyBounds {
    KeyBounds {
        label: client.name.clone(),
        month_limit_nano: None,
        expires_in_ms: None,
        models: None,
        most_keys: 0,
    }
}

fn read_bounds(form: &mut Form, visit: &Visit, (orgs, org): (&[Org], Option<&Org>)) -> KeyBounds {
    let t = &visit.t().oauth.error;
    let label = names::clean(form.value("label")).unwrap_or_else(|_| {
        form.refuse("label", t.label);
        String::new()
    });
    let month_limit_nano = parse_usd(form.value("month_limit")).unwrap_or_else(|error| {
        form.refuse("month_limit", if error == AmountError::TooLarge { t.limit_large } else { t.limit });
        None
    });
    let days = days_offered(orgs).into_iter().find(|days| days.to_string() == form.value("expiry"));
    let lifetime = org.and_then(|org| org.lifetime.as_ref());
    match (days, lifetime) {
        (None, _) => form.refuse("expiry", t.expiry),
        (Some(days), Some(most)) if days > most.days => {
            form.refuse("expiry", t.lifetime(most.days, node_words(visit.locale, &most.node)));
        }
        _ => {}
    }
    let models =
        form.value("models").split([',', '\n', '，']).map(str::trim).filter(|model| !model.is_empty());
    let models: Vec<String> = models.map(str::to_owned).collect();
    if models.len() > MOST_MODELS
        || models.iter().any(|model| !model.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        form.refuse("models", t.models);
    }
    KeyBounds {
        label,
        month_limit_nano,
        expires_in_ms: days.map(|days| days * DAY_MS),
        models: if models.is_empty() { None } else { Some(models) },
        most_keys: 1,
    }
}

/// The program, what it wants, and the fields; the caller's form goes around it.
pub(super) fn view(visit: &Visit, who: &SignedIn, form: &Form, question: &Question<'_>) -> AnyView {
    let t = &visit.t().oauth.consent;
    view! {
        {program(visit, question)}
        {account(visit, who, form, question)}
        {permissions(visit, form, question.asked.scopes)}
        {question.wants_key().then(|| key_part(visit, form, &question.orgs))}
        <p class="hint">{t.how_long}</p>
        <p class="actions decision">
            <Button kind=ButtonKind::Primary name="decision" value="allow">{t.allow}</Button>
            <Button kind=ButtonKind::Secondary name="decision" value="deny">{t.deny}</Button>
        </p>
    }
    .into_any()
}

fn program(visit: &Visit, question: &Question<'_>) -> AnyView {
    let t = &visit.t().oauth.consent;
    let (kind, trust) = match question.asked.client.trust {
        Trust::BuiltIn => (BadgeKind::Live, t.built_in),
        Trust::Registered => (BadgeKind::Plain, t.registered),
        Trust::Document => (BadgeKind::Warning, t.unknown),
    };
    let vouching = question.asked.client.vouching_host().map(|host| {
        let text = t.vouching(host);
        view! { <Callout kind=CalloutKind::Warning><p>{text}</p></Callout> }
    });
    view! {
        <p><strong>{question.asked.client.name.clone()}</strong> " " <Badge kind=kind label=trust/></p>
        {vouching}
        {question.place.as_deref().map(|place| whereabouts(visit, place))}
    }
    .into_any()
}

fn whereabouts(visit: &Visit, place: &str) -> AnyView {
    let t = &visit.t().oauth.consent;
    let is_here = redirect::is_loopback(&format!("http://{place}"));
    let text = t.place(if is_here { t.this_computer(place) } else { place.to_owned() });
    let note = is_here.then(|| view! { <Callout kind=CalloutKind::Note><p>{t.loopback_note}</p></Callout> });
    view! { <p class="soft">{text}</p> {note} }.into_any()
}

fn account(visit: &Visit, who: &SignedIn, form: &Form, question: &Question<'_>) -> AnyView {
    let t = &visit.t().oauth.consent;
    let again = crate::query::write(&[("next", question.here.as_str()), ("again", "1")]);
    let other = format!("{}?{again}", visit.link("/console/sign-in"));
    let options: Vec<SelectOption> = question
        .orgs
        .iter()
        .map(|org| SelectOption::new(org.member.org_id(), org.member.org_name()))
        .collect();
    view! {
        <p>{t.account(who.member.email())} {visit.locale.gap()} <a href=other>{t.other_account}</a></p>
        <Select id="org" label=t.org options=options selected=form.value("org") nostrip:fault=form.fault("org")/>
    }
    .into_any()
}

fn permissions(visit: &Visit, form: &Form, scopes: &GrantScopes) -> AnyView {
    let t = &visit.t().oauth;
    let boxes = scopes.iter().map(|scope| {
        let id = field_of(*scope);
        let hint = (*scope == GrantScope::KeysProvision).then(|| t.consent.spends.to_owned());
        view! {
            <Checkbox
                id=id label=words(visit, *scope) checked=form.value(id) == "on" nostrip:hint=hint
                nostrip:fault=form.fault(id)
            />
        }
    });
    let boxes = boxes.collect_view();
    view! { <fieldset><legend>{t.consent.permissions}</legend>{boxes}</fieldset> }.into_any()
}

/// One permission in plain words.
pub(super) fn words(visit: &Visit, scope: GrantScope) -> &'static str {
    let t = &visit.t().oauth.scope;
    match scope {
        GrantScope::Profile => t.profile,
        GrantScope::ModelsRead => t.models_read,
        GrantScope::UsageRead => t.usage_read,
        GrantScope::KeysProvision => t.keys_provision,
        GrantScope::OfflineAccess => t.offline_access,
    }
}

/// A time that none of the orgs allows is not to be chosen.
fn expiry_option(visit: &Visit, days: i64, orgs: &[Org]) -> SelectOption {
    let label = visit.t().keys.create.expiry_days(days);
    if orgs.iter().any(|org| org.allows(days)) {
        return SelectOption::new(days.to_string(), label);
    }
    let longest = orgs.iter().filter_map(|org| org.lifetime.as_ref()).max_by_key(|lifetime| lifetime.days);
    let label = longest.map_or_else(
        || label.clone(),
        |most| visit.t().keys.create.expiry_beyond(most.days, &label, node_words(visit.locale, &most.node)),
    );
    SelectOption::disabled(days.to_string(), label)
}

fn key_part(visit: &Visit, form: &Form, orgs: &[Org]) -> AnyView {
    let t = &visit.t().oauth.consent;
    let days: Vec<SelectOption> =
        days_offered(orgs).into_iter().map(|days| expiry_option(visit, days, orgs)).collect();
    let is_open = !form.value("models").is_empty() || form.fault("models").is_some();
    view! {
        <fieldset>
            <legend>{t.key}</legend>
            <Field
                id="label" label=t.label value=form.value("label") max_length=64 autocomplete="off"
                nostrip:fault=form.fault("label")
            />
            <Field
                id="month_limit" label=t.month_limit hint=t.month_limit_hint value=form.value("month_limit")
                kind=bytespike_ui::components::InputKind::Number autocomplete="off" nostrip:fault=form.fault("month_limit")
            />
            <Select
                id="expiry" label=t.expiry options=days selected=form.value("expiry") nostrip:fault=form.fault("expiry")
            />
            <details class="more" open=is_open>
                <summary>{t.models}</summary>
                <TextArea
                    id="models" label=t.models value=form.value("models") hint=t.models_hint rows=3
                    nostrip:fault=form.fault("models")
                />
            </details>
        </fieldset>
    }
    .into_any()
}

/// The name of a permission's field; an id holds no colon.
pub(super) fn field_of(scope: GrantScope) -> &'static str {
    match scope {
        GrantScope::Profile => "scope-profile",
        GrantScope::ModelsRead => "scope-models",
        GrantScope::UsageRead => "scope-usage",
        GrantScope::KeysProvision => "scope-keys",
        GrantScope::OfflineAccess => "scope-stay",
    }
}
