//! The first call, ready to paste. The key itself stands in it only on the page that shows it once.
use crate::pages::models;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_catalog::model::Model;
use bytespike_gateway::preset_in_catalogue;

/// A model for an org's samples: the installation's own if the org may call it, else the first one that it may.
pub(crate) fn model_for(state: &ConsoleState, may_call: impl Fn(&Model) -> bool) -> String {
    let prices = (state.gateway.prices)();
    let usual = &state.options.sample_model;
    let allowed =
        || models::callable(&prices).map(|listed| &listed.priced.model).filter(|model| may_call(model));
    let own = allowed().find(|model| model.id == *usual);
    own.or_else(|| allowed().next()).map_or_else(|| usual.clone(), |model| model.id.clone())
}

/// Whether the org's preset has the model.
pub(crate) fn in_preset(who: &SignedIn, model: &Model) -> bool {
    model.presets.contains(&preset_in_catalogue(who.member.preset()))
}

/// What a sample is written for.
pub(crate) struct Sample<'a> {
    /// The gateway's base URL, without a trailing slash.
    pub base_url: &'a str,
    pub model: &'a str,
    /// The key, or `None` for the name of a variable.
    pub key: Option<&'a str>,
}

const VARIABLE: &str = "BYTESPIKE_API_KEY";

impl Sample<'_> {
    pub fn curl(&self) -> String {
        let key = self.key.map_or_else(|| format!("${VARIABLE}"), str::to_owned);
        format!(
            r#"curl -i {base}/v1/messages \
  -H "x-api-key: {key}" \
  -H "content-type: application/json" \
  -d '{{"model": "{model}", "max_tokens": 256,
       "messages": [{{"role": "user", "content": "Hello"}}]}}'"#,
            base = self.base_url,
            model = self.model,
        )
    }

    pub fn anthropic(&self) -> String {
        format!(
            r#"from anthropic import Anthropic

client = Anthropic(base_url="{base}", api_key={key})
message = client.messages.create(
    model="{model}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(message.content[0].text)"#,
            base = self.base_url,
            key = self.python_key(),
            model = self.model,
        )
    }

    pub fn openai(&self) -> String {
        format!(
            r#"from openai import OpenAI

client = OpenAI(base_url="{base}/v1", api_key={key})
answer = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content)"#,
            base = self.base_url,
            key = self.python_key(),
            model = self.model,
        )
    }

    fn python_key(&self) -> String {
        self.key.map_or_else(|| format!("os.environ[\"{VARIABLE}\"]"), |key| format!("\"{key}\""))
    }
}
