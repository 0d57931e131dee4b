//! What to tell someone whose entry was refused, where several forms ask for the same.
use super::amount::{AmountError, MAX_DECIMALS, MAX_LIMIT_USD};
use bytespike_accounts::names::{self, NameProblem};
use bytespike_accounts::passwords::{LEAST_CHARACTERS, MOST_CHARACTERS, PasswordProblem};
use bytespike_ui::{Locale, format};

/// The words for a refused new password.
pub(crate) fn password(locale: Locale, problem: &PasswordProblem) -> String {
    let t = &locale.t().auth.error;
    match problem {
        PasswordProblem::TooShort => t.password_too_short(LEAST_CHARACTERS),
        PasswordProblem::TooLong => t.password_too_long(MOST_CHARACTERS),
        PasswordProblem::Repeats => t.password_repeats.to_owned(),
        PasswordProblem::Common => t.password_common.to_owned(),
        PasswordProblem::Derived { .. } => t.password_personal.to_owned(),
    }
}

/// The hint beside every field for a new password.
pub(crate) fn password_hint(locale: Locale) -> String {
    locale.t().auth.field.password_hint(LEAST_CHARACTERS)
}

/// The words for a refused name.
pub(crate) fn name(locale: Locale, problem: NameProblem) -> String {
    let t = &locale.t().keys.error;
    match problem {
        NameProblem::Empty => t.name_missing.to_owned(),
        NameProblem::TooLong => t.name_too_long(names::MOST_CHARACTERS),
    }
}

/// What is wrong with a typed amount.
pub(crate) fn amount(locale: Locale, error: AmountError) -> String {
    let t = &locale.t().keys.error;
    match error {
        AmountError::NotANumber => t.limit_number.to_owned(),
        AmountError::TooManyDecimals => t.limit_decimals(MAX_DECIMALS),
        AmountError::NotPositive => t.limit_positive.to_owned(),
        AmountError::TooLarge => t.limit_large(format::usd(MAX_LIMIT_USD * 1_000_000_000)),
    }
}
