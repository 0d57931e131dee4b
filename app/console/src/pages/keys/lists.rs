//! What a key or a node allows as lists, in a form: models, networks, providers, regions; and the tags of a key.
use crate::forms::Form;
use crate::state::ConsoleState;
use bytespike_accounts::keys::{
    AllowList, IpRule, MOST_NETWORKS, MOST_TAG_CHARACTERS, MOST_TAGS, TagProblem, Tags,
};
use bytespike_gateway::model_list::{self, MOST_MODELS, ModelListError};
use bytespike_gateway::place_list::{self, MOST_PLACES, PlaceListError};
use bytespike_ui::components::{Field, TextArea};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// What stands between entries.
const BETWEEN: [char; 5] = [',', '\n', '，', '、', ';'];

/// Everything there is to list.
pub(crate) struct Lists {
    pub models: AllowList,
    pub ips: IpRule,
    pub providers: AllowList,
    pub regions: AllowList,
}

impl Lists {
    /// Reads them; a fault stands beside its field.
    pub fn read(form: &mut Form, (state, locale): (&ConsoleState, Locale)) -> Self {
        let models = read_models(form, (state, locale));
        let ips = read_ips(form, locale);
        let typed = form.value("providers").to_owned();
        let providers = place_list::providers(&(state.gateway.book)(), typed.split(BETWEEN));
        let typed = form.value("regions").to_owned();
        let regions = place_list::regions(typed.split(BETWEEN));
        Self {
            models,
            ips,
            providers: taken(form, locale, ("providers", providers)),
            regions: taken(form, locale, ("regions", regions)),
        }
    }

    /// As their fields open.
    pub fn filled(&self) -> [(&'static str, String); 4] {
        let joined = |list: &AllowList, by: &str| list.names().unwrap_or_default().join(by);
        [
            ("models", joined(&self.models, "\n")),
            ("ips", self.ips.texts().join("\n")),
            ("providers", joined(&self.providers, ", ")),
            ("regions", joined(&self.regions, ", ")),
        ]
    }
}

fn read_models(form: &mut Form, (state, locale): (&ConsoleState, Locale)) -> AllowList {
    let t = &locale.t().keys.error;
    let typed = form.value("models").to_owned();
    let fault = match model_list::read(&(state.gateway.book)(), typed.split(BETWEEN)) {
        Ok(models) => return models,
        Err(ModelListError::Unknown(model)) => t.model_unknown(&model),
        Err(ModelListError::MatchesNone(pattern)) => t.models_none(&pattern),
        Err(ModelListError::TooMany) => t.models_many(MOST_MODELS),
    };
    form.refuse("models", fault);
    AllowList::Any
}

fn read_ips(form: &mut Form, locale: Locale) -> IpRule {
    let t = &locale.t().keys.error;
    let typed = form.value("ips").to_owned();
    match IpRule::parse(typed.split(BETWEEN)) {
        Ok(rule) if rule.texts().len() > MOST_NETWORKS => form.refuse("ips", t.networks_many(MOST_NETWORKS)),
        Ok(rule) => return rule,
        Err(strange) => form.refuse("ips", t.not_a_network(strange.0.chars().take(64).collect::<String>())),
    }
    IpRule::Any
}

fn taken(
    form: &mut Form,
    locale: Locale,
    (field, read): (&'static str, Result<AllowList, PlaceListError>),
) -> AllowList {
    let t = &locale.t().keys.error;
    let fault = match read {
        Ok(list) => return list,
        Err(PlaceListError::Unknown { name, known }) => t.provider_unknown(known, name),
        Err(PlaceListError::Form(name)) => t.not_a_region(name),
        Err(PlaceListError::TooMany) => t.places_many(MOST_PLACES),
    };
    form.refuse(field, fault);
    AllowList::Any
}

/// Reads tags; white space parts them too.
pub(super) fn read_tags(form: &mut Form, locale: Locale) -> Tags {
    let t = &locale.t().keys.error;
    let typed = form.value("tags").to_owned();
    let fault = match Tags::parse(typed.split(|c: char| BETWEEN.contains(&c) || c.is_whitespace())) {
        Ok(tags) => return tags,
        Err(TagProblem::Form(tag)) => t.not_a_tag(MOST_TAG_CHARACTERS, tag),
        Err(TagProblem::TooMany) => t.tags_many(MOST_TAGS),
    };
    form.refuse("tags", fault);
    Tags::default()
}

/// Models and networks, providers and regions.
pub(crate) fn fields(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    view! {
        <TextArea
            id="models" label=t.models value=form.value("models") hint=t.models_hint
            nostrip:fault=form.fault("models") rows=3
        />
        <TextArea id="ips" label=t.ips value=form.value("ips") hint=t.ips_hint nostrip:fault=form.fault("ips") rows=3/>
        <Field
            id="providers" label=t.providers value=form.value("providers") hint=t.providers_hint
            nostrip:fault=form.fault("providers") autocomplete="off"
        />
        <Field
            id="regions" label=t.regions value=form.value("regions") hint=t.regions_hint
            nostrip:fault=form.fault("regions") autocomplete="off"
        />
    }
    .into_any()
}
