//! Amounts in yuan, for orgs of the preset China: what a balance is worth at a dated rate. Shown beside the truth, which is in
//! credits, and never reckoned with.
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::orgs::Preset;
use bytespike_catalog::fx::FxRate;
use bytespike_ui::{Numbers, Visit, format};

/// A hundredth of a yuan.
const NANO_PER_FEN: i64 = 10_000_000;

/// The newest rate, where this reader's org reckons in yuan and one is known.
pub(crate) struct Cny {
    rate: FxRate,
    numbers: Numbers,
}

impl Cny {
    pub async fn of(state: &ConsoleState, who: &SignedIn) -> Result<Option<Self>, Problem> {
        if who.member.preset() != Preset::China {
            return Ok(None);
        }
        let numbers = who.numbers();
        Ok(state.ledger.newest_rate().await?.map(|rate| Self { rate, numbers }))
    }

    /// `≈ ¥70.81`: about, because the rate moves and the credit does not. In fen; less than one keeps its decimals.
    pub fn about(&self, nano_usd: i64) -> String {
        let nano = self.rate.cny_nano(nano_usd);
        let fen = nano - nano % NANO_PER_FEN;
        format!("≈ {}", self.numbers.cny(if fen == 0 { nano } else { fen }))
    }

    /// The rate, its day and where it is from, and what that means.
    pub fn said(&self, visit: &Visit) -> String {
        let (rate, t) = (&self.rate, &visit.t().wallet.page);
        // The catalogue notes rates that nobody published as what they follow from.
        let source = match rate.source.strip_prefix("implied by ") {
            Some(prices) => t.cny_worked_out(prices.replace(" vs ", " / ")),
            None => rate.source.clone(),
        };
        t.cny(format::iso_date(visit.locale, &rate.date), rate.rate(), source)
    }
}
