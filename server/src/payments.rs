//! Payments as they are configured; none without Stripe's key.

use std::sync::Arc;

use bytespike_accounts::Origin;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_catalog::NanoUsd;
use bytespike_payments::{
    Currency, CurrencyOffer, Offer, Payments, PaymentsParts, PrintedSeller, RechargeRule, Rung, Seller,
    Stripe,
};

use crate::Failure;
use crate::config::{self, PublicUrls};
use crate::core::Core;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
const NANO_PER_USD: i64 = 1_000_000_000;
const MINOR_PER_UNIT: i64 = 100;

/// What this installation takes payments with.
///
/// # Errors
/// The TLS stack cannot be started.
pub fn wire(
    settings: &config::Payments,
    urls: &PublicUrls,
    core: &Core,
) -> Result<Option<Payments>, Failure> {
    let Some(key) = settings.stripe_secret_key.reveal() else { return Ok(None) };
    let secrets = settings.stripe_webhook_secrets.iter();
    let audit = core.accounts.audit.clone();
    Ok(Some(Payments::new(PaymentsParts {
        store: core.store.clone(),
        world: core.world.clone(),
        ledger: core.ledger.clone(),
        stripe: Stripe::new(&settings.stripe_api_url, key)?,
        webhook_secrets: secrets.filter_map(|secret| secret.reveal().map(str::to_owned)).collect(),
        offer: offer(settings),
        seller: seller(&settings.seller),
        recharge_rule: RechargeRule {
            most_failures: i64::from(settings.recharge_failures),
            wait_ms: i64::from(settings.recharge_wait_minutes).saturating_mul(MINUTE_MS),
        },
        audited: Arc::new(move |name, org_id, target| {
            audit.entry(&Origin::host(), Event::new(name, Actor::Host).org(org_id).target(target))
        }),
        console_url: urls.console.clone(),
    })))
}

/// Nobody without a name.
fn seller(settings: &config::PaymentSeller) -> Option<Seller> {
    if settings.name.trim().is_empty() {
        return None;
    }
    let printed = PrintedSeller {
        name: settings.name.trim().to_owned(),
        address: settings.address.clone(),
        tax_ids: settings.tax_ids.clone(),
        email: settings.email.clone(),
        note_en: settings.note_en.clone(),
        note_zh: settings.note_zh.clone(),
    };
    Some(Seller {
        printed,
        invoice_series: settings.invoice_series.clone(),
        credit_note_series: settings.credit_note_series.clone(),
    })
}

fn offer(settings: &config::Payments) -> Offer {
    let rung = |step: &config::BonusStep| Rung {
        from: NanoUsd(i64::from(step.from_usd).saturating_mul(NANO_PER_USD)),
        percent: step.percent,
    };
    let lasts_ms = i64::from(settings.bonus_days).saturating_mul(DAY_MS);
    Offer {
        currencies: settings.currencies.iter().map(|currency| currency_offer(settings, *currency)).collect(),
        ladder: settings.bonus.iter().map(rung).collect(),
        bonus_lasts_ms: Some(lasts_ms).filter(|ms| *ms > 0),
    }
}

fn currency_offer(settings: &config::Payments, currency: Currency) -> CurrencyOffer {
    let amounts = match currency {
        Currency::Usd => &settings.usd,
        Currency::Cny => &settings.cny,
    };
    let minor = |units: u32| i64::from(units).saturating_mul(MINOR_PER_UNIT);
    CurrencyOffer {
        currency,
        presets_minor: amounts.presets.iter().map(|units| minor(*units)).collect(),
        least_minor: minor(amounts.least),
        most_minor: minor(amounts.most),
    }
}
