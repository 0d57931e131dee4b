//! Who pays and who sells, as they stand on invoices.
use crate::Payments;
use crate::tax_id::TaxId;
use bytespike_store::audit_event::Entry;
use bytespike_store::billing_details::{self, BillingRow};
use serde::{Deserialize, Serialize};

/// An org on its invoices. Empty fields are not printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingDetails {
    pub legal_name: String,
    /// Lines as they are printed.
    pub address: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub tax_ids: Vec<TaxId>,
    /// Who is told of each invoice.
    pub email: String,
    /// The language of those letters, `en` or `zh`.
    pub language: String,
}

/// Who runs the installation, as on every invoice that is issued from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seller {
    pub printed: PrintedSeller,
    /// What stands before the numbers of invoices, such as `INV-`; each such text counts from 1.
    pub invoice_series: String,
    pub credit_note_series: String,
}

/// The part that is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedSeller {
    pub name: String,
    pub address: Vec<String>,
    pub tax_ids: Vec<String>,
    pub email: String,
    /// What the law wants said, such as why no tax is shown, in each language.
    pub note_en: String,
    pub note_zh: String,
}

/// ISO 3166-1 alpha-2, and XK, which the codes leave to its users.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD \
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM \
    KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ \
    SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU \
    WF WS XK YE YT ZA ZM ZW";

/// Whether there is a country of this code, which is two capital letters.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && COUNTRIES.split_ascii_whitespace().any(|known| known == code)
}

impl Payments {
    /// What the org said of itself; nothing by default.
    pub async fn billing_details(&self, org_id: &str) -> sqlx::Result<BillingDetails> {
        let row = billing_details::find(&self.store, org_id).await?;
        Ok(row.map(BillingDetails::from).unwrap_or_default())
    }

    /// Invoices that are issued from now on say this. The entry is audited with it.
    pub async fn save_billing_details(
        &self,
        org_id: &str,
        details: &BillingDetails,
        entry: &Entry,
    ) -> sqlx::Result<()> {
        let row = BillingRow {
            org_id: org_id.to_owned(),
            legal_name: details.legal_name.clone(),
            address: details.address.clone(),
            country: details.country.clone(),
            tax_ids_json: serde_json::to_string(&details.tax_ids).unwrap_or_else(|_| "[]".to_owned()),
            email: details.email.clone(),
            language: details.language.clone(),
            updated_at_ms: self.world.now_ms(),
        };
        billing_details::save(&self.store, &row, entry).await
    }
}

impl From<BillingRow> for BillingDetails {
    fn from(row: BillingRow) -> Self {
        Self {
            legal_name: row.legal_name,
            address: row.address,
            country: row.country,
            tax_ids: serde_json::from_str(&row.tax_ids_json).unwrap_or_default(),
            email: row.email,
            language: row.language,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_two_capital_letters() {
        assert!(["DE", "CN", "US", "GB", "ZW", "AD", "TW", "XK"].into_iter().all(is_country));
        assert!(!["", "D", "de", "DEU", "ZZ", "EU", "A E", "AD "].into_iter().any(is_country));
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 250);
    }
}
