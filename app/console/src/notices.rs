//! What the letters say that tell of changes to how an account is guarded.
use crate::mail::Mail;
use crate::pages::settings::sessions::browser;
use crate::when::Moments;
use bytespike_accounts::mail::Notice;
use bytespike_ui::Locale;

/// Whether an operator let somebody in: nothing decided yet, let in, or not, with what was said why.
pub(crate) fn about_sign_up(locale: Locale, decided: Option<Result<(), &String>>, link: String) -> Mail {
    let t = &locale.t().switches.letter;
    let (subject, intro, button) = match decided {
        None => (t.waits_subject, t.waits.to_owned(), t.sign_in),
        Some(Ok(())) => (t.approved_subject, t.approved.to_owned(), t.sign_in),
        Some(Err(reason)) if reason.is_empty() => (t.refused_subject, t.refused.to_owned(), t.home),
        Some(Err(reason)) => (t.refused_subject, t.refused_because(reason), t.home),
    };
    Mail::Notice { link, subject: subject.to_owned(), intro, button }
}

/// The page that the letter leads to.
pub(crate) const fn place(notice: &Notice) -> &'static str {
    match notice {
        Notice::DataReady { .. } => "/console/settings/data",
        _ => "/console/settings/security",
    }
}

/// The message in its reader's language. `link` leads to its [`place`].
pub(crate) fn letter(notice: &Notice, locale: Locale, link: String) -> Mail {
    let t = &locale.t().security.letter;
    let (subject, what) = match notice {
        Notice::FactorOn => (t.factor_on_subject, t.factor_on.to_owned()),
        Notice::FactorOff => (t.factor_off_subject, t.factor_off.to_owned()),
        Notice::RecoveryCodesRenewed => (t.codes_renewed_subject, t.codes_renewed.to_owned()),
        Notice::RecoveryCodeUsed { codes_left } => (t.code_used_subject, t.code_used(*codes_left)),
        Notice::IdentityLinked { provider } => (t.linked_subject, t.linked(provider)),
        Notice::IdentityUnlinked { provider } => (t.unlinked_subject, t.unlinked(provider)),
        Notice::PasskeyAdded { name } => (t.passkey_added_subject, t.passkey_added(name)),
        Notice::PasskeyRemoved => (t.passkey_removed_subject, t.passkey_removed.to_owned()),
        Notice::DataReady { until_ms, time_zone } => {
            let time = Moments::new(locale, time_zone, *until_ms).written(*until_ms);
            (t.data_ready_subject, t.data_ready(&time))
        }
        Notice::EmailChangeAsked { new } => (t.email_asked_subject, t.email_asked(new)),
        Notice::EmailChanged { new } => (t.email_changed_subject, t.email_changed(new)),
        Notice::EndAsked { at_ms, time_zone } => {
            let time = Moments::new(locale, time_zone, *at_ms).written(*at_ms);
            (t.end_asked_subject, t.end_asked(&time))
        }
        Notice::EndTakenBack => (t.end_taken_back_subject, t.end_taken_back.to_owned()),
        Notice::NewBrowser { user_agent, ip, at_ms, time_zone } => {
            let time = Moments::new(locale, time_zone, *at_ms).written(*at_ms);
            let browser = browser(user_agent).unwrap_or_else(|| t.unknown_browser.to_owned());
            (t.new_browser_subject, t.new_browser(&browser, ip, &time))
        }
    };
    Mail::Notice {
        link,
        subject: subject.to_owned(),
        intro: format!("{what} {}", t.not_you).replace("。 ", "。"),
        button: if matches!(notice, Notice::DataReady { .. }) { t.data_button } else { t.button },
    }
}
