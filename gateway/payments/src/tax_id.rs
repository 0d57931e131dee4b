//! Numbers under which tax offices know a business. Their form is checked, and their check digits where everybody may compute
//! them; whether one is in use only its tax office knows.
use serde::{Deserialize, Serialize};

const MOST_CHARS: usize = 40;

/// What kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxIdKind {
    /// VAT number of the European Union, with its country: `DE123456789`.
    EuVat,
    /// VAT number of the United Kingdom: `GB` and 9 or 12 digits.
    GbVat,
    /// Employer identification number of the United States: `12-3456789`.
    UsEin,
    /// 统一社会信用代码 (GB 32100-2015): 18 characters, the last of which is a check.
    CnUscc,
    /// Any other country's.
    Other,
}

/// A number of that kind, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxId {
    pub kind: TaxIdKind,
    pub value: String,
}

/// Why a number is not one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaxIdError {
    #[error("it does not have the form of such a number")]
    Form,
    #[error("its check digit does not fit; something was mistyped")]
    Check,
}

impl TaxIdKind {
    pub const ALL: [Self; 5] = [Self::EuVat, Self::GbVat, Self::UsEin, Self::CnUscc, Self::Other];

    pub const fn code(self) -> &'static str {
        match self {
            Self::EuVat => "eu_vat",
            Self::GbVat => "gb_vat",
            Self::UsEin => "us_ein",
            Self::CnUscc => "cn_uscc",
            Self::Other => "other",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl TaxId {
    /// Reads a number as people write it: with spaces, dots and hyphens, in either case.
    pub fn parse(kind: TaxIdKind, typed: &str) -> Result<Self, TaxIdError> {
        let plain: String = typed
            .chars()
            .filter(|c| !matches!(c, ' ' | '.' | '-' | '\u{3000}'))
            .collect::<String>()
            .to_uppercase();
        let value = match kind {
            TaxIdKind::EuVat => eu_vat(plain)?,
            TaxIdKind::GbVat => gb_vat(&plain)?,
            TaxIdKind::UsEin => us_ein(&plain)?,
            TaxIdKind::CnUscc => cn_uscc(plain)?,
            TaxIdKind::Other => other(typed)?,
        };
        Ok(Self { kind, value })
    }
}

/// What follows the country, as the European Commission publishes it: `9` a digit, `A` a letter, `X` either, `*` also + and *.
const EU_FORMS: [(&str, &[&str]); 28] = [
    ("AT", &["U99999999"]),
    ("BE", &["9999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CY", &["99999999A"]),
    ("CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    ("EL", &["999999999"]),
    ("ES", &["X9999999X"]),
    ("FI", &["99999999"]),
    ("FR", &["XX999999999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9999999A", "9999999AA", "9*99999A"]),
    ("IT", &["99999999999"]),
    ("LT", &["999999999", "999999999999"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["999999999B99"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    ("RO", &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"]),
    ("SE", &["999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999"]),
    // Northern Ireland, for goods.
    ("XI", &["999999999", "999999999999"]),
];

fn eu_vat(plain: String) -> Result<String, TaxIdError> {
    let (country, rest) = plain.split_at_checked(2).ok_or(TaxIdError::Form)?;
    let (_, forms) = EU_FORMS.iter().find(|(code, _)| *code == country).ok_or(TaxIdError::Form)?;
    if forms.iter().any(|form| has_form(rest, form)) { Ok(plain) } else { Err(TaxIdError::Form) }
}

fn has_form(text: &str, form: &str) -> bool {
    let fits = |c: u8, wanted: u8| match wanted {
        b'9' => c.is_ascii_digit(),
        b'A' => c.is_ascii_uppercase(),
        b'X' => c.is_ascii_digit() || c.is_ascii_uppercase(),
        b'*' => c.is_ascii_uppercase() || b"+*".contains(&c),
        exactly => c == exactly,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(|(c, wanted)| fits(c, wanted))
}

/// Nine digits, the last two of which are a check: 97 less the weighted sum of the others, or 55 less than that; and three more
/// for a branch.
fn gb_vat(plain: &str) -> Result<String, TaxIdError> {
    let number = plain.strip_prefix("GB").unwrap_or(plain);
    if !has_form(number, "999999999") && !has_form(number, "999999999999") {
        return Err(TaxIdError::Form);
    }
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let (weighed, check) = digits.split_at(7);
    let sum: u32 = weighed.iter().zip((2..=8).rev()).map(|(digit, weight)| digit * weight).sum();
    let check = check.first().unwrap_or(&0) * 10 + check.get(1).unwrap_or(&0);
    if (sum + check).is_multiple_of(97) || (sum + check + 55).is_multiple_of(97) {
        Ok(format!("GB{number}"))
    } else {
        Err(TaxIdError::Check)
    }
}

/// Prefixes that the Internal Revenue Service has never given out.
const NO_EIN: [&str; 17] =
    ["00", "07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89", "96", "97"];

fn us_ein(plain: &str) -> Result<String, TaxIdError> {
    let (prefix, serial) = plain.split_at_checked(2).ok_or(TaxIdError::Form)?;
    if has_form(plain, "999999999") && !NO_EIN.contains(&prefix) {
        Ok(format!("{prefix}-{serial}"))
    } else {
        Err(TaxIdError::Form)
    }
}

/// The 31 characters of GB 32100-2015, by their value: no I, O, S, V or Z.
const USCC_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The check makes the sum of all characters, each weighed with a power of three, a multiple of 31.
fn cn_uscc(plain: String) -> Result<String, TaxIdError> {
    let values: Option<Vec<usize>> = plain.chars().map(|c| USCC_ALPHABET.find(c)).collect();
    let values = values.filter(|values| values.len() == 18).ok_or(TaxIdError::Form)?;
    // The third to the eighth say the place of registration and are digits.
    if !plain.bytes().skip(2).take(6).all(|byte| byte.is_ascii_digit()) {
        return Err(TaxIdError::Form);
    }
    let mut weight = 1;
    let mut sum = 0;
    for value in values.iter().take(17) {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    let check = (31 - sum % 31) % 31;
    if values.last() == Some(&check) { Ok(plain) } else { Err(TaxIdError::Check) }
}

fn other(typed: &str) -> Result<String, TaxIdError> {
    let value = typed.trim();
    let is_plain = value.chars().all(|c| c.is_alphanumeric() || " .-/".contains(c));
    if is_plain && (2..=MOST_CHARS).contains(&value.chars().count()) {
        Ok(value.to_owned())
    } else {
        Err(TaxIdError::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TaxIdKind::{CnUscc, EuVat, GbVat, Other, UsEin};

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (kind, typed, printed) in [
            (EuVat, "de 136.695.976", "DE136695976"),
            (EuVat, "ATU13585627", "ATU13585627"),
            (EuVat, "nl004495445b01", "NL004495445B01"),
            (EuVat, "FR 40 303 265 045", "FR40303265045"),
            (EuVat, "ESX9999999X", "ESX9999999X"),
            (EuVat, "IE8Z49289F", "IE8Z49289F"),
            (EuVat, "EL094259216", "EL094259216"),
            (GbVat, "GB 980 7806 84", "GB980780684"),
            (GbVat, "980780684001", "GB980780684001"),
            (UsEin, "912345678", "91-2345678"),
            (UsEin, "12-3456789", "12-3456789"),
            (CnUscc, "91350100m000100y43", "91350100M000100Y43"),
            (Other, " CHE-123.456.788 MWST ", "CHE-123.456.788 MWST"),
        ] {
            assert_eq!(TaxId::parse(kind, typed).map(|id| id.value).as_deref(), Ok(printed), "{typed}");
        }
    }

    #[test]
    fn what_was_mistyped_is_noticed_where_a_check_digit_can_tell() {
        for (kind, typed) in [
            (GbVat, "GB980780685"),
            (GbVat, "GB908780684"),
            (CnUscc, "91350100M000100Y34"),
            (CnUscc, "91350101M000100Y43"),
        ] {
            assert_eq!(TaxId::parse(kind, typed), Err(TaxIdError::Check), "{typed}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for (kind, typed) in [
            (EuVat, ""),
            (EuVat, "D"),
            (EuVat, "DE12345678"),
            (EuVat, "GB980780684"),
            (EuVat, "US123456789"),
            (EuVat, "ÄÖ123456789"),
            (GbVat, "DE136695976"),
            (UsEin, "07-1234567"),
            (UsEin, "1234"),
            (CnUscc, "91350100M000100Y4"),
            (CnUscc, "9135O100M000100Y43"),
            (CnUscc, "91A50100M000100Y43"),
            (Other, "x"),
            (Other, "<script>"),
        ] {
            assert_eq!(TaxId::parse(kind, typed), Err(TaxIdError::Form), "{typed}");
        }
        for kind in TaxIdKind::ALL {
            assert_eq!(TaxIdKind::parse(kind.code()), Some(kind));
        }
    }
}
