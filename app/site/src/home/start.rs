//! The same key in two official SDKs. The base URL is this installation's own.

use super::heading;
use crate::prices::Snapshot;
use bytespike_catalog::model::{Modality, Preset};
use bytespike_ui::components::CodeBlock;
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// Shown until a price export says what can be called.
const USUAL_MODEL: &str = "claude-sonnet-5-5";

pub(super) fn section(visit: &Visit, prices: &Snapshot) -> AnyView {
    let t = &visit.t().home.start;
    let model = callable_model(visit.locale, prices);
    let (anthropic, openai) = (anthropic(visit.gateway(), &model), openai(visit.gateway(), &model));
    view! {
        <section class="wrap section start" aria-labelledby="start">
            {heading("start", t.title, t.text)}
            <div class="code-pair">
                <CodeBlock locale=visit.locale title=t.anthropic language="python" code=anthropic/>
                <CodeBlock locale=visit.locale title=t.openai language="python" code=openai/>
            </div>
        </section>
    }
    .into_any()
}

/// The usual model if it can be called, else the first text model that can, in the preset of the language.
fn callable_model(locale: Locale, prices: &Snapshot) -> String {
    let preset = match locale {
        Locale::En => Preset::Global,
        Locale::Zh => Preset::China,
    };
    let mut live = prices
        .models()
        .iter()
        .filter(|model| prices.is_live(model) && model.priced.model.modality == Modality::Text);
    let usual = prices.find(USUAL_MODEL).filter(|model| prices.is_live(model));
    let in_preset = live.clone().find(|model| model.priced.model.presets.contains(&preset));
    let chosen = usual.filter(|_| locale == Locale::En).or(in_preset).or_else(|| live.next());
    chosen.map_or_else(|| USUAL_MODEL.to_owned(), |model| model.priced.model.id.clone())
}

fn anthropic(base: &str, model: &str) -> String {
    format!(
        r#"import os, anthropic

client = anthropic.Anthropic(
    base_url="{base}",
    api_key=os.environ["BYTESPIKE_API_KEY"],
)
message = client.messages.create(
    model="{model}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(message.content[0].text)"#
    )
}

fn openai(base: &str, model: &str) -> String {
    format!(
        r#"import os, openai

client = openai.OpenAI(
    base_url="{base}/v1",
    api_key=os.environ["BYTESPIKE_API_KEY"],
)
answer = client.chat.completions.create(
    model="{model}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content)"#
    )
}
