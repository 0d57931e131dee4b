//! What the `{{placeholders}}` of the documentation stand for on this installation.

use crate::{Options, crossings, errors};
use bytespike_ui::Locale;
use bytespike_ui::Surface;
use bytespike_ui::format::count;
use bytespike_ui::markdown::{Facts, Fault};

/// The commented defaults; a page prints them whole.
const CONFIG: &str = include_str!("../../../server/config.default.toml");
/// The page prints it whole, and the tests run it from there.
const VERIFY_SCRIPT: &str = include_str!("../../../content/docs/verify_receipt.py");
/// Always served while the demo provider runs; see `server/src/demo`.
const DEMO_MODEL: &str = "demo-claude";

pub(crate) fn of(options: &Options, locale: Locale) -> Result<Facts, Fault> {
    Ok(Facts::from([
        ("gateway", options.urls.base(Surface::Gateway).to_owned()),
        ("console", options.urls.base(Surface::Console).to_owned()),
        ("model", options.sample_models.of(locale).to_owned()),
        ("demo_model", DEMO_MODEL.to_owned()),
        ("status_wait_s", seconds("status_wait_ms")?),
        ("ping_s", seconds("ping_interval_ms")?),
        ("default_output", count(gateway_default("default_max_output_tokens")?)),
        ("free_call_days", count(default("retention", "free_call_days")?)),
        ("attempt_days", count(default("retention", "attempt_days")?)),
        ("invariant_run_days", count(default("retention", "invariant_run_days")?)),
        ("cost_report_days", count(default("retention", "cost_report_days")?)),
        ("webhook_message_days", count(default("retention", "webhook_message_days")?)),
        ("body_days", count(default("retention", "body_days")?)),
        ("errors", errors::markdown(locale)),
        ("no_charge", crossings::rows(locale)?),
        ("no_charge_tests", crossings::tests(locale)?),
        ("config", CONFIG.trim_end().to_owned()),
        ("verify_script", VERIFY_SCRIPT.trim_end().to_owned()),
    ]))
}

/// A default of `[gateway]` that is given in milliseconds, as whole seconds.
fn seconds(setting: &str) -> Result<String, Fault> {
    Ok((gateway_default(setting)? / 1000).to_string())
}

fn gateway_default(setting: &str) -> Result<u64, Fault> {
    default("gateway", setting)
}

/// A number that the configuration has unless an operator says otherwise.
fn default(section: &str, setting: &str) -> Result<u64, Fault> {
    let config: toml::Table =
        CONFIG.parse().map_err(|error| Fault(format!("config.default.toml: {error}")))?;
    let value =
        config.get(section).and_then(|section| section.get(setting)).and_then(toml::Value::as_integer);
    let value = value.and_then(|value| u64::try_from(value).ok());
    value.ok_or_else(|| Fault(format!("config.default.toml has no number {section}.{setting}")))
}
