//! How messages leave: over a mail server, or, where none is configured on a developer's machine, onto the page.
use crate::mail::{Mail as Text, render};
use crate::notices;
use crate::query;
use bytespike_accounts::mail::{INVITATION_DAYS, Mail, MailKind, RESET_MINUTES, VERIFY_MINUTES};
use bytespike_accounts::orgs::Language;
use bytespike_ui::{Locale, Surface, Urls};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Messages kept for pages to show; older ones are dropped.
const MOST_SHOWN: usize = 100;

/// A message to one reader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Takes letters to be sent.
pub trait Mailer: Send + Sync {
    /// When it answers, the letter is kept and is sent even if this process ends now. `None` takes as long as a letter
    /// does, so that nobody outside can tell whether there was one.
    fn send(&self, letter: Option<Letter>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Where letters go.
#[derive(Clone)]
pub enum Delivery {
    Send(Arc<dyn Mailer>),
    /// No mail server, and only this machine can connect: the page after the form shows the letter.
    Show(DevelopmentOutbox),
}

/// The letters a development server would have sent, by the browser that caused them. Kept in memory only.
#[derive(Clone, Default)]
pub struct DevelopmentOutbox(Arc<Mutex<VecDeque<Kept>>>);

struct Kept {
    browser: String,
    shown: ShownLetter,
}

/// A letter as the page shows it.
#[derive(Clone, Debug)]
pub(crate) struct ShownLetter {
    pub to: String,
    pub subject: String,
    pub link: String,
}

impl Delivery {
    /// Writes the message in its reader's language and passes it on. `browser` is the anonymous cookie of whoever
    /// filled in the form.
    pub(crate) async fn deliver(&self, urls: &Urls, browser: &str, mail: Option<Mail>) {
        let Some(mail) = mail else {
            if let Self::Send(mailer) = self {
                mailer.send(None).await;
            }
            return;
        };
        match self {
            Self::Send(mailer) => mailer.send(Some(written(&mail, urls).0)).await,
            Self::Show(outbox) => {
                let (letter, link) = written(&mail, urls);
                let shown = ShownLetter { to: letter.to, subject: letter.subject, link };
                outbox.keep(Kept { browser: browser.to_owned(), shown });
            }
        }
    }

    /// The newest letter this browser caused, on a development server.
    pub(crate) fn shown_to(&self, browser: &str) -> Option<ShownLetter> {
        match self {
            Self::Send(_) => None,
            Self::Show(outbox) => outbox.newest(browser),
        }
    }

    pub(crate) fn is_development(&self) -> bool {
        matches!(self, Self::Show(_))
    }
}

impl DevelopmentOutbox {
    fn keep(&self, kept: Kept) {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push_front(kept);
        letters.truncate(MOST_SHOWN);
    }

    fn newest(&self, browser: &str) -> Option<ShownLetter> {
        let letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.iter().find(|kept| kept.browser == browser).map(|kept| kept.shown.clone())
    }
}

/// The message in its reader's language, and the one link in it.
pub fn written(mail: &Mail, urls: &Urls) -> (Letter, String) {
    let locale = locale_of(mail.language);
    let text = text_of(&mail.kind, urls, locale);
    let letter = render(&text, locale, urls.base(Surface::Console));
    let to = mail.to.as_str().to_owned();
    let link = text.link().to_owned();
    (Letter { to, subject: letter.subject, text: letter.text, html: letter.html }, link)
}

/// The interface language of a person's.
pub fn locale_of(language: Language) -> Locale {
    match language {
        Language::En => Locale::En,
        Language::Zh => Locale::Zh,
    }
}

pub(crate) fn language_of(locale: Locale) -> Language {
    match locale {
        Locale::En => Language::En,
        Locale::Zh => Language::Zh,
    }
}

fn text_of(kind: &MailKind, urls: &Urls, locale: Locale) -> Text {
    let link = |shared: &str| format!("{}{}", urls.base(Surface::Console), locale.path(shared));
    match kind {
        MailKind::VerifyEmail { token, next } => Text::Verify {
            link: link(&format!(
                "/console/verify?{}",
                query::write(&[("token", token.expose()), ("next", next.as_deref().unwrap_or_default())])
            )),
            valid_minutes: VERIFY_MINUTES,
        },
        MailKind::ConfirmEmail { token } => Text::ConfirmEmail {
            link: link(&format!("/console/confirm-email?token={}", token.expose())),
            valid_minutes: VERIFY_MINUTES,
        },
        MailKind::ResetPassword { token } => Text::Reset {
            link: link(&format!("/console/reset?token={}", token.expose())),
            valid_minutes: RESET_MINUTES,
        },
        MailKind::Invitation { token, org_name, inviter_name } => Text::Invitation {
            link: link(&format!("/console/invitation?token={}", token.expose())),
            org: org_name.clone(),
            inviter: inviter_name.clone(),
            valid_days: INVITATION_DAYS,
        },
        MailKind::AlreadyRegistered => Text::AlreadyRegistered { link: link("/console/sign-in") },
        MailKind::Notice(notice) => notices::letter(notice, locale, link(notices::place(notice))),
        MailKind::SignUpWaits => notices::about_sign_up(locale, None, link("/console/sign-in")),
        MailKind::SignUpApproved => notices::about_sign_up(locale, Some(Ok(())), link("/console/sign-in")),
        MailKind::SignUpRefused { reason } => notices::about_sign_up(locale, Some(Err(reason)), link("/")),
        MailKind::PasswordChanged => Text::PasswordChanged { link: link("/console/forgot") },
    }
}
