//! The messages the server sends: what each says, as plain text and as simple HTML. Sending them is the server's work.
use bytespike_ui::Locale;
use leptos::prelude::*;

/// A message and what it needs to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mail {
    /// The link that confirms an address. Valid once and for `valid_minutes`.
    Verify { link: String, valid_minutes: i64 },
    /// The link that confirms a new address of an account. Valid once and for `valid_minutes`.
    ConfirmEmail { link: String, valid_minutes: i64 },
    /// Somebody tried to sign up with an address that has an account. The link leads to sign-in.
    AlreadyRegistered { link: String },
    /// The link that lets its holder choose a new password. Valid once and for `valid_minutes`.
    Reset { link: String, valid_minutes: i64 },
    /// The link that invites into an organisation. Valid once, for `valid_days`.
    Invitation { link: String, org: String, inviter: String, valid_days: i64 },
    /// A notice after a password was changed. The link leads to the reset request.
    PasswordChanged { link: String },
    /// The organisation's balance fell below what it asked to be told of. The link leads to the wallet.
    LowBalance { link: String, balance: String, threshold: String },
    /// Something that happened to the account, said in full. The link leads to where it can be looked at.
    Notice { link: String, subject: String, intro: String, button: &'static str },
    /// A payment was undone. `owed` is what was spent of it already. The link leads to the wallet.
    PaymentUndone { link: String, amount: String, owed: Option<String> },
    /// A spend limit is nearly or wholly used. `what` and `window` are words in the reader's language.
    LimitShare {
        link: String,
        what: String,
        window: &'static str,
        used: String,
        limit: String,
        is_reached: bool,
    },
    /// A key was found where it should not be, and ended. `found_at` is where, if whoever reported it said so.
    KeyLeaked { link: String, what: String, found_at: String, is_whole_key: bool },
    /// A member asks for more than a limit allows. `limit` and `what` are words in the reader's language.
    QuotaRequested {
        link: String,
        who: String,
        limit: &'static str,
        what: String,
        wanted: String,
        reason: String,
    },
    /// Such a request was answered. `granted` is what the limit is now; none when it was declined.
    QuotaDecided {
        link: String,
        who: String,
        limit: &'static str,
        what: String,
        granted: Option<String>,
        answer: String,
    },
}

/// A message ready to send, without its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Mail {
    /// The one link in the message.
    pub fn link(&self) -> &str {
        match self {
            Self::Verify { link, .. }
            | Self::ConfirmEmail { link, .. }
            | Self::AlreadyRegistered { link }
            | Self::Reset { link, .. }
            | Self::Invitation { link, .. }
            | Self::PasswordChanged { link }
            | Self::LowBalance { link, .. }
            | Self::Notice { link, .. }
            | Self::PaymentUndone { link, .. }
            | Self::LimitShare { link, .. }
            | Self::KeyLeaked { link, .. }
            | Self::QuotaRequested { link, .. }
            | Self::QuotaDecided { link, .. } => link,
        }
    }
}

/// Renders a message in the language of its reader. `base_url` names the server it comes from.
pub fn render(mail: &Mail, locale: Locale, base_url: &str) -> Rendered {
    let words = Words::of(mail, locale, base_url);
    Rendered {
        subject: words.subject.clone(),
        text: words.text(mail.link()),
        html: words.html(mail.link(), locale),
    }
}

/// A message as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brief {
    pub title: String,
    pub text: String,
    pub link: String,
    pub link_label: &'static str,
}

/// The message without what makes it a letter.
pub(crate) fn brief(mail: &Mail, locale: Locale) -> Brief {
    let words = Words::of(mail, locale, "");
    let title = words.subject.trim_start_matches("ByteSpike").trim_start_matches([':', '：', ' ']);
    let mut letters = title.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    Brief {
        title: format!("{first}{}", letters.as_str()),
        text: words.intro,
        link: mail.link().to_owned(),
        link_label: words.button,
    }
}

struct Words {
    subject: String,
    intro: String,
    button: &'static str,
    validity: Option<String>,
    locale: Locale,
    footer: String,
}

impl Words {
    fn of(mail: &Mail, locale: Locale, base_url: &str) -> Self {
        let t = &locale.t().mail;
        let fixed = |subject: &'static str, intro: &'static str| (subject.to_owned(), intro.to_owned());
        let ((subject, intro), button, validity) = match mail {
            Mail::Verify { valid_minutes, .. } => (
                fixed(t.verify.subject, t.verify.intro),
                t.verify.button,
                Some(validity(locale, *valid_minutes)),
            ),
            Mail::ConfirmEmail { valid_minutes, .. } => {
                let t = &locale.t().security.letter;
                let texts = fixed(t.confirm_email_subject, t.confirm_email);
                (texts, t.confirm_email_button, Some(validity(locale, *valid_minutes)))
            }
            Mail::AlreadyRegistered { .. } => (
                fixed(t.already_registered.subject, t.already_registered.intro),
                t.already_registered.button,
                None,
            ),
            Mail::Reset { valid_minutes, .. } => (
                fixed(t.reset.subject, t.reset.intro),
                t.reset.button,
                Some(validity(locale, *valid_minutes)),
            ),
            Mail::Invitation { org, inviter, valid_days, .. } => {
                let t = &t.invitation;
                ((t.subject(org), t.intro(inviter, org)), t.button, Some(t.validity(*valid_days)))
            }
            Mail::PasswordChanged { .. } => {
                (fixed(t.password_changed.subject, t.password_changed.intro), t.password_changed.button, None)
            }
            Mail::LowBalance { balance, threshold, .. } => {
                let intro = t.low_balance.intro(balance, threshold);
                ((t.low_balance.subject(threshold), intro), t.low_balance.button, None)
            }
            Mail::Notice { subject, intro, button, .. } => ((subject.clone(), intro.clone()), *button, None),
            Mail::PaymentUndone { amount, owed, .. } => {
                let t = &locale.t().payments.mail;
                let texts = match owed {
                    Some(owed) => (t.subject_owed(owed), t.intro_owed(amount, owed)),
                    None => (t.subject_taken(amount), t.intro_taken(amount)),
                };
                (texts, t.button, None)
            }
            Mail::LimitShare { what, window, used, limit, is_reached, .. } => {
                let t = &t.limit_share;
                let texts = if *is_reached {
                    (t.subject_reached(what), t.intro_reached(limit, used, what, *window))
                } else {
                    (t.subject_near(what), t.intro_near(limit, used, what, *window))
                };
                (texts, t.button, None)
            }
            Mail::KeyLeaked { what, found_at, is_whole_key, .. } => {
                let t = &t.key_leaked;
                let place = if found_at.is_empty() { t.unknown_place } else { found_at };
                let intro =
                    if *is_whole_key { t.intro_key(place, what) } else { t.intro_secret(place, what) };
                ((t.subject(what), intro), t.button, None)
            }
            Mail::QuotaRequested { who, limit, what, wanted, reason, .. } => {
                let t = &t.quota_requested;
                ((t.subject(who), t.intro(*limit, reason, wanted, what, who)), t.button, None)
            }
            Mail::QuotaDecided { who, limit, what, granted, answer, .. } => {
                let t = &t.quota_decided;
                let texts = match granted {
                    Some(granted) => {
                        (t.subject_granted(what), t.intro_granted(answer, granted, *limit, what, who))
                    }
                    None => (t.subject_declined(what), t.intro_declined(answer, *limit, what, who)),
                };
                (texts, t.button, None)
            }
        };
        Self { subject, intro, button, validity, locale, footer: t.common.footer(base_url) }
    }

    /// What follows the link, one paragraph each.
    fn closing(&self) -> impl Iterator<Item = &str> {
        let common = &self.locale.t().mail.common;
        let not_you = self.validity.is_some().then_some(common.not_you);
        self.validity.as_deref().into_iter().chain(not_you)
    }

    fn text(&self, link: &str) -> String {
        let common = &self.locale.t().mail.common;
        let mut paragraphs = vec![common.greeting, &self.intro, common.link_below, link];
        paragraphs.extend(self.closing());
        format!("{}\n\n-- \n{}\n", paragraphs.join("\n\n"), self.footer)
    }

    fn html(&self, link: &str, locale: Locale) -> String {
        let common = &locale.t().mail.common;
        let closing: Vec<_> = self.closing().map(|text| view! { <p>{text.to_owned()}</p> }).collect();
        let owner = Owner::new();
        let body = owner.with(|| {
            view! {
                <p>{common.greeting}</p>
                <p>{self.intro.clone()}</p>
                <p><a href=link.to_owned()>{self.button}</a></p>
                <p>{link.to_owned()}</p>
                {closing}
                <hr/>
                <p><small>{self.footer.clone()}</small></p>
            }
            .to_html()
        });
        let (tag, subject) = (locale.tag(), bytespike_ui::escape(&self.subject));
        format!(
            "<!DOCTYPE html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{subject}</title></head><body>{body}</body></html>"
        )
    }
}

fn validity(locale: Locale, minutes: i64) -> String {
    let common = &locale.t().mail.common;
    if minutes % 60 == 0 { common.valid_hours(minutes / 60) } else { common.valid_minutes(minutes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://byte.example/console/verify?token=a&b=<c>";

    #[test]
    fn every_message_carries_its_link_in_both_languages_and_forms() {
        let link = LINK.to_owned();
        let mails = [
            Mail::Verify { link: link.clone(), valid_minutes: 1440 },
            Mail::AlreadyRegistered { link: link.clone() },
            Mail::Reset { link: link.clone(), valid_minutes: 30 },
            Mail::Invitation {
                link: link.clone(),
                org: "Ada Ltd".to_owned(),
                inviter: "Ada".to_owned(),
                valid_days: 7,
            },
            Mail::PasswordChanged { link },
        ];
        for mail in mails {
            for locale in Locale::ALL {
                let rendered = render(&mail, locale, "https://byte.example");
                assert!(
                    rendered.text.lines().any(|line| line == LINK),
                    "the link stands alone: {}",
                    rendered.text
                );
                assert!(rendered.html.contains("href=\"https://byte.example/console/verify?token=a&amp;b="));
                assert!(!rendered.html.contains("<c>"), "the link is escaped: {}", rendered.html);
                assert!(!rendered.subject.contains(['\r', '\n']));
                assert_eq!(rendered.subject.is_ascii(), locale == Locale::En);
            }
        }
    }

    #[test]
    fn the_time_a_link_lives_is_said_in_the_larger_unit() {
        let mail = |valid_minutes| Mail::Reset { link: LINK.to_owned(), valid_minutes };
        assert!(render(&mail(30), Locale::En, "x").text.contains("for 30 minutes"));
        assert!(render(&mail(1440), Locale::En, "x").text.contains("for 24 hours"));
    }
}
