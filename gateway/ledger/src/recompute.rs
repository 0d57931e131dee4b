//! Recomputes a receipt from its usage and the price export of its version, with the very code that charged the call,
//! and says what does not fit. Reads no database.
use crate::call::Outcome;
use bytespike_catalog::{Charge, Line, NanoUsd, PriceBook, PriceExport, Served, Usage, charge};
use serde::Deserialize;

/// One thing that was checked, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub fits: bool,
    pub text: String,
}

/// Why a text cannot be checked as a receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("this is not a receipt: {0}")]
    Json(#[from] serde_json::Error),
    #[error("this receipt is of version {0}, which this program does not know; use a newer one")]
    Version(u32),
    #[error("{field} of the receipt is not an amount: `{text}`")]
    Amount { field: &'static str, text: String },
    #[error("timing.held_at of the receipt is not a time: `{0}`")]
    Time(String),
}

/// Checks the arithmetic of a receipt, signed or not, and, given the export of its price version, its prices too.
///
/// # Errors
/// The text is no receipt.
pub fn recompute(receipt: &str, export: Option<&PriceExport>) -> Result<Vec<Finding>, ReceiptError> {
    let stated: Stated = serde_json::from_str(receipt)?;
    if stated.version != 1 {
        return Err(ReceiptError::Version(stated.version));
    }
    let amounts = Amounts::read(&stated)?;
    let mut findings = Findings::default();
    findings.add_up(&amounts);
    findings.attempts(&stated, amounts.charged);
    match (&stated.usage, stated.outcome) {
        (Some(usage), Outcome::Settled) => {
            let held_at_ms = stated.held_at_ms()?;
            findings.lines(&stated, &amounts);
            if let Some(export) = export {
                findings.prices(&stated, export, (usage, held_at_ms, &amounts));
            }
        }
        _ => findings.free(&stated, amounts.charged),
    }
    Ok(findings.0)
}

/// What of a receipt the arithmetic needs.
#[derive(Deserialize)]
struct Stated {
    version: u32,
    outcome: Outcome,
    reason: String,
    held: Credits,
    charged: Charged,
    returned: Credits,
    model: ModelNames,
    price: PriceRef,
    lines: Vec<Line>,
    sum_exact_credits: String,
    rounding_credits: String,
    over_hold_credits: String,
    usage: Option<Usage>,
    attempts: Vec<AttemptLine>,
    timing: Timing,
}

#[derive(Deserialize)]
struct Credits {
    credits: String,
}

#[derive(Deserialize)]
struct Charged {
    credits: String,
    usd: String,
}

#[derive(Deserialize)]
struct ModelNames {
    requested: String,
    served: Option<String>,
    priced_as: Option<String>,
}

#[derive(Deserialize)]
struct PriceRef {
    version: i64,
    hash: String,
}

#[derive(Deserialize)]
struct AttemptLine {
    charged_credits: String,
}

#[derive(Deserialize)]
struct Timing {
    held_at: String,
}

impl Stated {
    fn held_at_ms(&self) -> Result<i64, ReceiptError> {
        let held_at: Result<jiff::Timestamp, _> = self.timing.held_at.parse();
        held_at
            .map(jiff::Timestamp::as_millisecond)
            .map_err(|_| ReceiptError::Time(self.timing.held_at.clone()))
    }
}

/// The receipt's amounts as integers.
struct Amounts {
    held: NanoUsd,
    charged: NanoUsd,
    returned: NanoUsd,
    over_hold: NanoUsd,
    /// The charge once more, in USD.
    usd: NanoUsd,
}

impl Amounts {
    fn read(stated: &Stated) -> Result<Self, ReceiptError> {
        let read = |field, text: &str, parse: fn(&str) -> Option<NanoUsd>| {
            parse(text).ok_or_else(|| ReceiptError::Amount { field, text: text.to_owned() })
        };
        Ok(Self {
            held: read("held", &stated.held.credits, NanoUsd::from_credits)?,
            charged: read("charged", &stated.charged.credits, NanoUsd::from_credits)?,
            returned: read("returned", &stated.returned.credits, NanoUsd::from_credits)?,
            over_hold: read("over_hold_credits", &stated.over_hold_credits, NanoUsd::from_credits)?,
            usd: read("charged.usd", &stated.charged.usd, NanoUsd::from_usd)?,
        })
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn note(&mut self, fits: bool, text: String) {
        self.0.push(Finding { fits, text });
    }

    /// The same thing stated and computed.
    fn same(&mut self, what: &str, (stated, computed): (&str, &str)) {
        let fits = stated == computed;
        let text = match fits {
            true => format!("{what}: {computed}"),
            false => format!("{what}: the receipt says {stated}, and it comes to {computed}"),
        };
        self.note(fits, text);
    }

    fn add_up(&mut self, amounts: &Amounts) {
        let Amounts { held, charged, returned, usd, .. } = amounts;
        let fits = charged.checked_add(*returned) == Some(*held) && *charged >= NanoUsd::ZERO;
        let sign = if fits { "=" } else { "is not" };
        let (held, charged, returned) = (held.credits(), charged.credits(), returned.credits());
        self.note(fits, format!("held {held} {sign} charged {charged} + returned {returned}"));
        self.same("charged in USD", (&usd.usd(), &amounts.charged.usd()));
    }

    /// Only one attempt may be charged, and only with the whole charge.
    fn attempts(&mut self, stated: &Stated, charged: NanoUsd) {
        let amounts = stated.attempts.iter().map(|attempt| attempt.charged_credits.as_str());
        let charged_ones: Vec<&str> = amounts.filter(|credits| *credits != NanoUsd::ZERO.credits()).collect();
        let fits = match charged_ones.as_slice() {
            [] => charged == NanoUsd::ZERO,
            [one] => *one == charged.credits(),
            _ => false,
        };
        let (tried, paid) = (stated.attempts.len(), charged_ones.len());
        self.note(fits, format!("attempts: {tried} made, {paid} charged"));
    }

    fn free(&mut self, stated: &Stated, charged: NanoUsd) {
        let fits = charged == NanoUsd::ZERO && stated.lines.is_empty() && stated.outcome != Outcome::Settled;
        let outcome = stated.outcome.name();
        self.note(fits, format!("{outcome} ({}): nothing landed, so nothing is charged", stated.reason));
    }

    /// Quantity times price for each line, their sum, and what rounding and the cap made of it.
    fn lines(&mut self, stated: &Stated, amounts: &Amounts) {
        let mut sum = Some(bytespike_catalog::money::Exact::ZERO);
        for line in &stated.lines {
            let amount = line.amount();
            let computed = amount.map_or_else(|| "no amount".to_owned(), |amount| amount.credits());
            self.same(&described(line), (&line.credits, &computed));
            sum = sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount));
        }
        let Some((exact, nano)) = sum.and_then(|exact| Some((exact, exact.floor_nano()?))) else {
            return self.note(false, "the lines cannot be added up".to_owned());
        };
        self.same("sum of the lines", (&stated.sum_exact_credits, &exact.credits()));
        self.same("lost to rounding down", (&stated.rounding_credits, &exact.minus_nano_credits(nano)));
        let over_hold = NanoUsd(nano.0 - nano.0.min(amounts.held.0));
        self.same(
            "above the hold, which is ours to bear",
            (&amounts.over_hold.credits(), &over_hold.credits()),
        );
        let charged = nano.min(amounts.held);
        self.same("charged", (&amounts.charged.credits(), &charged.credits()));
    }

    /// The whole charge again, from the published prices.
    fn prices(
        &mut self,
        stated: &Stated,
        export: &PriceExport,
        (usage, held_at_ms, amounts): (&Usage, i64, &Amounts),
    ) {
        self.same("price version", (&stated.price.version.to_string(), &export.version.to_string()));
        self.same("price hash", (&stated.price.hash, &export.hash));
        let book = match export.book() {
            Ok(book) => book,
            Err(error) => return self.note(false, error.to_string()),
        };
        let served = stated.model.served.as_deref().unwrap_or(&stated.model.requested);
        let call = Served { requested: &stated.model.requested, served, held_at_ms };
        match charge(&book, usage, call) {
            Ok(computed) => self.charge(stated, &computed, amounts),
            Err(error) => self.note(false, format!("the published prices do not price this usage: {error}")),
        }
        self.smaller_price(&book, usage, call);
    }

    fn charge(&mut self, stated: &Stated, computed: &Charge, amounts: &Amounts) {
        let priced_as = stated.model.priced_as.as_deref().unwrap_or_default();
        self.same("priced as", (priced_as, &computed.priced_as));
        let fits = stated.lines == computed.lines;
        let lines = computed.lines.iter().map(|line| format!("{} = {}", described(line), line.credits));
        let lines = lines.collect::<Vec<_>>().join("; ");
        self.note(
            fits,
            match fits {
                true => format!("{} lines as published prices make them", computed.lines.len()),
                false => format!("the lines differ from what published prices make: {lines}"),
            },
        );
        let charged = computed.nano.min(amounts.held);
        self.same("charged at published prices", (&amounts.charged.credits(), &charged.credits()));
    }

    /// Where another model answered, what the same usage costs at each: the smaller one counts.
    fn smaller_price(&mut self, book: &PriceBook, usage: &Usage, call: Served<'_>) {
        let total = |name: &str| {
            let total = bytespike_catalog::charge::total(book.find(name)?, usage, call.held_at_ms).ok()?;
            Some(format!("at the price of {name}: {}", total.exact.credits()))
        };
        if call.requested != call.served {
            let totals = [call.requested, call.served].into_iter().filter_map(total).collect::<Vec<_>>();
            self.note(true, totals.join(", "));
        }
    }
}

fn described(line: &Line) -> String {
    let tier = if line.tier.is_some() { ", by tier" } else { "" };
    format!("{} {} × {} USD per {}{tier}", line.component.name(), line.qty, line.price_usd, line.per)
}
