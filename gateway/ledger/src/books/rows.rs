//! A price book as rows of tables, for whoever reads the database with SQL. What calls use is the body.
use bytespike_catalog::PriceBook;
use bytespike_catalog::book::{Price, PricedModel};
use bytespike_catalog::schedule::PeakHours;
use serde::Serialize;

/// A row of `price`, its version apart.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct PriceRow {
    pub model: String,
    pub seq: i64,
    pub component: String,
    pub unit: String,
    pub usd_pico: i64,
    pub currency: String,
    pub region: Option<String>,
    pub list_pico: i64,
    pub input_tokens_above: Option<i64>,
    pub input_tokens_upto: Option<i64>,
    pub sizes: String,
    pub quality: Option<String>,
    pub with_audio: Option<bool>,
    pub with_video_input: Option<bool>,
    pub schedule_side: Option<String>,
    pub effective_from_ms: Option<i64>,
    pub effective_to_ms: Option<i64>,
    pub source: String,
    pub source_date: String,
    pub verification: String,
}

/// Every price of the book, by model and place.
pub(super) fn prices(book: &PriceBook) -> Vec<PriceRow> {
    let of_model = |model: &PricedModel| -> Vec<PriceRow> {
        (0..).zip(&model.prices).map(|(seq, price)| price_row(&model.model.id, seq, price)).collect()
    };
    book.models().flat_map(of_model).collect()
}

fn price_row(model: &str, seq: i64, price: &Price) -> PriceRow {
    let (list, tier) = (&price.list, &price.list.tier);
    let tokens = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    PriceRow {
        model: model.to_owned(),
        seq,
        component: list.component.name().to_owned(),
        unit: name(list.unit),
        usd_pico: price.usd_pico.0,
        currency: name(list.basis.currency),
        region: list.basis.region.map(name),
        list_pico: list.amount_pico.unwrap_or(price.usd_pico.0),
        input_tokens_above: tier.input_tokens_above.map(tokens),
        input_tokens_upto: tier.input_tokens_upto.map(tokens),
        sizes: tier.sizes.join("|"),
        quality: tier.quality.clone(),
        with_audio: tier.audio,
        with_video_input: tier.video_input,
        schedule_side: list.schedule.map(name),
        effective_from_ms: list.effective.from_ms,
        effective_to_ms: list.effective.to_ms,
        source: list.source.name.clone(),
        source_date: list.source.date.clone(),
        verification: name(list.source.verification),
    }
}

/// A value of a few as it is spelled in JSON.
fn name(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `1,2,3` and `540-720,840-1080`.
pub(super) fn spans(hours: &PeakHours) -> (String, String) {
    let weekdays: Vec<String> = hours.weekdays.iter().map(u8::to_string).collect();
    let minutes: Vec<String> =
        hours.minutes.iter().map(|span| format!("{}-{}", span.from, span.to)).collect();
    (weekdays.join(","), minutes.join(","))
}

/// Inserts a row in the running transaction of either database.
macro_rules! insert_price {
    ($tx:ident, $version:expr, $row:expr) => {{
        let row = $row;
        sqlx::query(
            "insert into price (version, model, seq, component, unit, usd_pico, currency, region, list_pico,
                input_tokens_above, input_tokens_upto, sizes, quality, with_audio, with_video_input, schedule_side,
                effective_from_ms, effective_to_ms, source, source_date, verification)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        )
        .bind($version)
        .bind(row.model)
        .bind(row.seq)
        .bind(row.component)
        .bind(row.unit)
        .bind(row.usd_pico)
        .bind(row.currency)
        .bind(row.region)
        .bind(row.list_pico)
        .bind(row.input_tokens_above)
        .bind(row.input_tokens_upto)
        .bind(row.sizes)
        .bind(row.quality)
        .bind(row.with_audio)
        .bind(row.with_video_input)
        .bind(row.schedule_side)
        .bind(row.effective_from_ms)
        .bind(row.effective_to_ms)
        .bind(row.source)
        .bind(row.source_date)
        .bind(row.verification)
        .execute(&mut *$tx)
        .await?;
    }};
}
pub(super) use insert_price;

/// As [`insert_price`], for when it is peak.
macro_rules! insert_schedule {
    ($tx:ident, $version:expr, $hours:expr) => {{
        let hours = $hours;
        let (weekdays, minutes) = rows::spans(hours);
        sqlx::query(
            "insert into price_schedule (version, id, utc_offset_minutes, weekdays, minutes, known_until)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind($version)
        .bind(&hours.id)
        .bind(hours.utc_offset_minutes)
        .bind(weekdays)
        .bind(minutes)
        .bind(hours.known_until.to_string())
        .execute(&mut *$tx)
        .await?;
        for off in &hours.days_off {
            sqlx::query(
                "insert into price_holiday (version, schedule_id, first_day, last_day) values ($1, $2, $3, $4)
                 on conflict do nothing",
            )
            .bind($version)
            .bind(&hours.id)
            .bind(off.first.to_string())
            .bind(off.last.to_string())
            .execute(&mut *$tx)
            .await?;
        }
    }};
}
pub(super) use insert_schedule;
