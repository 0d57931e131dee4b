//! The form of a channel: what it is made of, and what can be wrong with that. Credentials go in and never come out.
use crate::forms::Form;
use bytespike_dialects::Dialect;
use bytespike_gateway::ChannelError;
use bytespike_gateway::egress::EgressError;
use bytespike_gateway::stored_channels::{ChannelView, NewChannel, StoredError};
use bytespike_ui::components::{Field, InputKind, Select, SelectOption, TextArea};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// The field that is written and never shown again.
const KEYS: &str = "keys";

/// The form of a channel that is there.
pub(super) fn filled(channel: &ChannelView) -> Form {
    Form::filled([
        ("id", channel.id.clone()),
        ("provider", channel.provider.clone()),
        ("region", channel.region.clone().unwrap_or_default()),
        ("dialect", channel.dialect.clone()),
        ("base_url", channel.base_url.clone()),
        ("models", models_text(&channel.models)),
        ("weight", channel.weight.to_string()),
        ("tags", channel.tags.join(" ")),
    ])
}

/// The channel that was typed, and its credentials.
pub(super) fn read(form: &Form, id: &str) -> (NewChannel, Vec<String>) {
    let text = |name: &str| form.value(name).trim().to_owned();
    let channel = NewChannel {
        id: id.to_owned(),
        provider: text("provider"),
        region: text("region"),
        dialect: text("dialect"),
        base_url: text("base_url"),
        models: models(form.value("models")),
        // What is no number is above every weight, and refused beside its field.
        weight: form.value("weight").trim().parse().unwrap_or(u32::MAX),
        tags: tags(form.value("tags")),
    };
    (channel, lines(form.value(KEYS)).map(str::to_owned).collect())
}

/// Notes what is wrong beside the field that it is wrong with. What is not the form's fault comes back.
pub(super) fn refuse(form: &mut Form, locale: Locale, error: StoredError) -> Result<(), StoredError> {
    let t = &locale.t().admin.channel;
    let (field, words) = match &error {
        StoredError::BaseUrl { why, .. } => ("base_url", egress(locale, *why)),
        StoredError::Channel(ChannelError::BaseUrl { .. }) => ("base_url", t.not_a_url),
        StoredError::Dialect { .. } => ("dialect", t.dialect_fault),
        StoredError::Id(_) => ("id", t.id_fault),
        StoredError::Channel(ChannelError::Region { .. }) => ("region", t.region_fault),
        StoredError::Weight(_) => ("weight", t.weight_fault),
        StoredError::Tags(_) => ("tags", t.tags_fault),
        StoredError::Channel(ChannelError::Credential { .. }) => (KEYS, t.keys_fault),
        StoredError::Channel(ChannelError::NoCredential { .. }) | StoredError::NoCredentials(_) => {
            (KEYS, t.keys_missing)
        }
        StoredError::Channel(ChannelError::NoModel { .. }) => ("models", t.models_fault),
        StoredError::Database(_)
        | StoredError::Unknown(_)
        | StoredError::Cost(_)
        | StoredError::Damaged(_) => return Err(error),
    };
    form.refuse(field, words);
    Ok(())
}

fn egress(locale: Locale, why: EgressError) -> &'static str {
    let t = &locale.t().admin.channel;
    match why {
        EgressError::NotAUrl => t.not_a_url,
        EgressError::UserInfo => t.user_info,
        EgressError::NotTls => t.not_tls,
        EgressError::Port => t.port,
        EgressError::Private => t.private,
    }
}

/// The fields. The id of a channel that is there does not change.
pub(super) fn fields(visit: &Visit, form: &Form, is_new: bool) -> AnyView {
    let t = &visit.t().admin.channel;
    let dialects = Dialect::ALL.map(|dialect| SelectOption::new(dialect.name(), dialect.title())).into();
    let id = is_new.then(|| {
        view! {
            <Field
                id="id" label=t.id hint=t.id_hint.to_owned() value=form.value("id") nostrip:fault=form.fault("id")
                max_length=40 autocomplete="off"
            />
        }
    });
    let keys_hint = if is_new { t.keys_hint_new } else { t.keys_hint };
    view! {
        {id}
        <Field
            id="provider" label=t.provider hint=t.provider_hint.to_owned() value=form.value("provider")
            nostrip:fault=form.fault("provider") autocomplete="off"
        />
        <Field
            id="region" label=t.region hint=t.region_hint.to_owned() value=form.value("region")
            nostrip:fault=form.fault("region") max_length=40 autocomplete="off"
        />
        <Select
            id="dialect" label=t.dialect options=dialects selected=form.value("dialect").to_owned()
            nostrip:fault=form.fault("dialect")
        />
        <Field
            id="base_url" label=t.base_url hint=t.base_url_hint.to_owned() value=form.value("base_url")
            nostrip:fault=form.fault("base_url") autocomplete="off"
        />
        <TextArea
            id="models" label=t.models hint=t.models_hint.to_owned() value=form.value("models").to_owned()
            nostrip:fault=form.fault("models") rows=6
        />
        <Field
            id="weight" label=t.weight hint=t.weight_hint.to_owned() kind=InputKind::Number value=form.value("weight")
            nostrip:fault=form.fault("weight") max_length=4 autocomplete="off"
        />
        <Field
            id="tags" label=t.tags hint=t.tags_hint.to_owned() value=form.value("tags")
            nostrip:fault=form.fault("tags") max_length=320 autocomplete="off"
        />
        <TextArea id=KEYS label=t.keys hint=keys_hint.to_owned() nostrip:fault=form.fault(KEYS) rows=2/>
    }
    .into_any()
}

/// One a line: our slug, and the provider's own id behind `=` where it is another.
fn models(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| match line.split_once('=') {
        Some((slug, own)) => (slug.trim().to_owned(), own.trim().to_owned()),
        None => (line.to_owned(), line.to_owned()),
    };
    lines(text).map(pair).filter(|(slug, own)| !slug.is_empty() && !own.is_empty()).collect()
}

/// Behind blanks or commas, each once.
fn tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、')) {
        if !tag.is_empty() && tags.iter().all(|one| one != tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

fn models_text(models: &BTreeMap<String, String>) -> String {
    let line = |(slug, own): (&String, &String)| {
        if slug == own { slug.clone() } else { format!("{slug} = {own}") }
    };
    models.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_read_back_as_they_were_written() {
        let read = models(" claude-opus-4-8 \r\n\nmine=their-id\n= nothing\n");
        assert_eq!(models_text(&read), "claude-opus-4-8\nmine = their-id");
        assert_eq!(models(&models_text(&read)), read);
    }
}
