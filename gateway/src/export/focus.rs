//! FOCUS 1.2 (FinOps Open Cost and Usage Specification): a row for each charged call. Cost columns are USD; credits are
//! the pricing currency. What has no meaning here (commitments, capacity, zones) is null, an empty cell.

use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Quantities, ResolvedCall, Window};

use super::{CallTable, Cell, seconds};
use crate::http::time;

pub(super) const HEADER: [&str; 80] = [
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_ReceiptId",
    "x_RequestId",
    "x_HeldAt",
    "x_SettledAt",
    "x_MemberId",
    "x_MemberName",
    "x_ModelServed",
    "x_Protocol",
    "x_PriceVersion",
    "x_HeldCredits",
    "x_InputTokens",
    "x_CacheReadTokens",
    "x_CacheWriteTokens",
    "x_OutputTokens",
    "x_ReasoningTokens",
    "x_Searches",
    "x_Images",
    "x_VideoSeconds",
    "x_AudioSeconds",
    "x_Characters",
    "x_RerankUnits",
    "x_FxRate",
    "x_Reason",
];

const NAME: &str = "ByteSpike";

/// A value for each column that has one, in the order of [`HEADER`].
pub(super) fn row(table: &CallTable, resolved: &ResolvedCall) -> Vec<Cell> {
    HEADER.iter().map(|column| cell(column, table, resolved)).collect()
}

fn cell(column: &str, table: &CallTable, resolved: &ResolvedCall) -> Cell {
    let (call, charged) = (&resolved.call, NanoUsd(resolved.call.charged_nano.unwrap_or(0)));
    match column {
        "BilledCost" | "ContractedCost" | "EffectiveCost" | "ListCost" => Cell::number(charged.usd()),
        "BillingAccountId" => Cell::text(&table.org_id),
        "BillingAccountType" => Cell::text("Organisation"),
        "BillingCurrency" => Cell::text("USD"),
        "BillingPeriodStart" => Cell::number(time::rfc3339(month(table, resolved).0)),
        "BillingPeriodEnd" => Cell::number(time::rfc3339(month(table, resolved).1)),
        "ChargeCategory" => Cell::text("Usage"),
        "ChargeDescription" => Cell::text(format!("One call of {}", call.model_requested)),
        "ChargeFrequency" => Cell::text("Usage-Based"),
        // The second in which it was settled, because that decides its month.
        "ChargePeriodStart" => Cell::number(time::rfc3339(settled_at_ms(resolved))),
        "ChargePeriodEnd" => Cell::number(time::rfc3339(settled_at_ms(resolved) + 1_000)),
        "ConsumedQuantity" | "PricingQuantity" => Cell::number(consumed(&call.quantities).0),
        "ConsumedUnit" | "PricingUnit" | "SkuMeter" => Cell::text(consumed(&call.quantities).1),
        "InvoiceIssuerName" | "ProviderName" | "PublisherName" => Cell::text(NAME),
        "PricingCategory" => Cell::text("Standard"),
        "PricingCurrency" => Cell::text("Credits"),
        "PricingCurrencyEffectiveCost" => Cell::number(charged.credits()),
        "ResourceId" => Cell::text(&call.key_id),
        "ResourceType" => Cell::text("API key"),
        "ServiceCategory" => Cell::text("AI and Machine Learning"),
        "ServiceName" => Cell::text(NAME),
        "ServiceSubcategory" => Cell::text("Generative AI"),
        "SkuId" => Cell::text(&call.model_requested),
        "SkuPriceId" => Cell::text(format!("{}@{}", call.model_requested, call.price_version)),
        "SubAccountId" => Cell::text(&call.deployment_id),
        "SubAccountType" => Cell::text("Deployment"),
        "Tags" => tags(table, &call.key_id),
        _ => of_request(column, resolved),
    }
}

/// A tag has no value of its own, and FOCUS wants `true` for that.
fn tags(table: &CallTable, key_id: &str) -> Cell {
    let Some(tags) = table.tags.get(key_id) else { return Cell::Empty };
    let object: serde_json::Map<String, serde_json::Value> =
        tags.names().map(|tag| (tag.to_owned(), true.into())).collect();
    Cell::text(serde_json::Value::from(object).to_string())
}

/// Names as they were at the time of the call, and our own columns.
fn of_request(column: &str, resolved: &ResolvedCall) -> Cell {
    let (call, request) = (&resolved.call, resolved.request());
    match column {
        "BillingAccountName" => Cell::text(request.org_name),
        "ResourceName" => Cell::text(request.key_name),
        "SubAccountName" => Cell::text(request.deployment_name),
        "x_ReceiptId" => Cell::text(&call.id),
        "x_RequestId" => Cell::text(request.request_id),
        "x_HeldAt" => Cell::number(time::rfc3339_ms(call.held_at_ms)),
        "x_SettledAt" => Cell::number(time::rfc3339_ms(settled_at_ms(resolved))),
        "x_MemberId" => Cell::text(&call.member_id),
        "x_MemberName" => Cell::text(request.member_name),
        "x_ModelServed" => call.model_served.as_deref().map_or(Cell::Empty, Cell::text),
        "x_Protocol" => Cell::text(&call.protocol),
        "x_PriceVersion" => Cell::count(call.price_version),
        "x_HeldCredits" => Cell::number(NanoUsd(call.held_nano).credits()),
        "x_FxRate" => Cell::number(request.usd_cny),
        "x_Reason" => call.reason.as_deref().map_or(Cell::Empty, Cell::text),
        _ => of_quantities(column, &call.quantities),
    }
}

/// What the call consumed, kind by kind.
fn of_quantities(column: &str, used: &Quantities) -> Cell {
    match column {
        "x_InputTokens" => Cell::count(used.input_tokens),
        "x_CacheReadTokens" => Cell::count(used.cache_read_tokens),
        "x_CacheWriteTokens" => Cell::count(used.cache_write_tokens),
        "x_OutputTokens" => Cell::count(used.output_tokens),
        "x_ReasoningTokens" => Cell::count(used.reasoning_tokens),
        "x_Searches" => Cell::count(used.searches),
        "x_Images" => Cell::count(used.images),
        "x_VideoSeconds" => Cell::number(seconds(used.video_ms)),
        "x_AudioSeconds" => Cell::number(seconds(used.audio_ms)),
        "x_Characters" => Cell::count(used.characters),
        "x_RerankUnits" => Cell::count(used.rerank_units),
        _ => Cell::Empty,
    }
}

fn month(table: &CallTable, resolved: &ResolvedCall) -> (i64, i64) {
    Window::Month.opening_at(settled_at_ms(resolved), &table.zone)
}

fn settled_at_ms(resolved: &ResolvedCall) -> i64 {
    resolved.call.resolved_at_ms.unwrap_or(resolved.call.held_at_ms)
}

/// How much, and of what: FOCUS has one quantity for each charge. Tokens where there are any, else what the call was made
/// for.
fn consumed(used: &Quantities) -> (String, &'static str) {
    // Reasoning is part of the output.
    let tokens = [used.input_tokens, used.cache_read_tokens, used.cache_write_tokens, used.output_tokens]
        .into_iter()
        .fold(0, i64::saturating_add);
    let media = [
        (used.images, "Images"),
        (used.characters, "Characters"),
        (used.rerank_units, "Rerank Units"),
        (used.searches, "Searches"),
    ];
    if tokens > 0 {
        return (tokens.to_string(), "Tokens");
    }
    match used.video_ms.saturating_add(used.audio_ms) {
        0 => media.iter().find(|(count, _)| *count > 0).map(|(count, unit)| (count.to_string(), *unit)),
        media_ms => Some((seconds(media_ms), "Seconds")),
    }
    .unwrap_or((0.to_string(), "Tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_call_is_counted_in_its_own_unit() {
        let none = Quantities::default();
        for (used, expected) in [
            (Quantities { input_tokens: 5, output_tokens: 2, images: 1, ..none }, ("7", "Tokens")),
            (Quantities { images: 3, ..none }, ("3", "Images")),
            (Quantities { video_ms: 5_000, ..none }, ("5.000", "Seconds")),
            (Quantities { audio_ms: 1_250, ..none }, ("1.250", "Seconds")),
            (Quantities { characters: 40, ..none }, ("40", "Characters")),
            (Quantities { rerank_units: 2, searches: 1, ..none }, ("2", "Rerank Units")),
            (none, ("0", "Tokens")),
        ] {
            assert_eq!(consumed(&used), (expected.0.to_owned(), expected.1));
        }
    }

    #[test]
    fn every_own_column_of_quantities_is_filled() {
        let used = Quantities::default();
        let own = [
            "x_InputTokens",
            "x_Images",
            "x_VideoSeconds",
            "x_AudioSeconds",
            "x_Characters",
            "x_RerankUnits",
        ];
        for column in own {
            assert!(
                HEADER.contains(&column) && matches!(of_quantities(column, &used), Cell::Number(_)),
                "{column}"
            );
        }
    }
}
