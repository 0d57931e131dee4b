//! The one-time notice after a form: a code from a closed set in the address, so that a link cannot make us say anything.
use crate::query::Query;
use bytespike_ui::components::{Flash, FlashKind};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// What just happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    SignedOut,
    Verified,
    PasswordReset,
    PasswordChanged,
    KeyChanged,
    KeyRevoked,
    KeyDeleted,
    KeyEnabled,
    KeyDisabled,
    CredentialEnded,
    RequestSent,
    RequestGranted,
    RequestDeclined,
    RequestWithdrawn,
    LimitsSaved,
    ProfileSaved,
    SessionEnded,
    SessionsEnded,
    PresetChanged,
    ModelAnswered,
    ModelFailed,
    AlertsSaved,
    AppDisconnected,
    ProgramEnded,
    FactorOn,
    FactorOff,
    IdentityLinked,
    IdentityUnlinked,
    EmailAsked,
    EmailChanged,
    EndAsked,
    EndTakenBack,
}

impl Notice {
    const ALL: [Self; 32] = [
        Self::SignedOut,
        Self::Verified,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::KeyChanged,
        Self::KeyRevoked,
        Self::KeyDeleted,
        Self::KeyEnabled,
        Self::KeyDisabled,
        Self::CredentialEnded,
        Self::RequestSent,
        Self::RequestGranted,
        Self::RequestDeclined,
        Self::RequestWithdrawn,
        Self::LimitsSaved,
        Self::ProfileSaved,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::PresetChanged,
        Self::ModelAnswered,
        Self::ModelFailed,
        Self::AlertsSaved,
        Self::AppDisconnected,
        Self::ProgramEnded,
        Self::FactorOn,
        Self::FactorOff,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::EmailAsked,
        Self::EmailChanged,
        Self::EndAsked,
        Self::EndTakenBack,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::SignedOut => "signed-out",
            Self::Verified => "verified",
            Self::PasswordReset => "password-reset",
            Self::PasswordChanged => "password-changed",
            Self::KeyChanged => "key-changed",
            Self::KeyDeleted => "key-deleted",
            Self::KeyEnabled => "key-enabled",
            Self::KeyDisabled => "key-disabled",
            Self::CredentialEnded => "credential-ended",
            Self::RequestSent => "request-sent",
            Self::RequestGranted => "request-granted",
            Self::RequestDeclined => "request-declined",
            Self::RequestWithdrawn => "request-withdrawn",
            Self::KeyRevoked => "key-revoked",
            Self::LimitsSaved => "limits-saved",
            Self::ProfileSaved => "profile-saved",
            Self::SessionEnded => "session-ended",
            Self::SessionsEnded => "sessions-ended",
            Self::PresetChanged => "preset-changed",
            Self::ModelAnswered => "model-answered",
            Self::ModelFailed => "model-failed",
            Self::AlertsSaved => "alerts-saved",
            Self::AppDisconnected => "app-disconnected",
            Self::ProgramEnded => "program-ended",
            Self::FactorOn => "factor-on",
            Self::FactorOff => "factor-off",
            Self::IdentityLinked => "identity-linked",
            Self::IdentityUnlinked => "identity-unlinked",
            Self::EmailAsked => "email-asked",
            Self::EmailChanged => "email-changed",
            Self::EndAsked => "end-asked",
            Self::EndTakenBack => "end-taken-back",
        }
    }

    fn text(self, locale: Locale) -> &'static str {
        let t = &locale.t().console.flash;
        match self {
            Self::SignedOut => t.signed_out,
            Self::Verified => t.verified,
            Self::PasswordReset => t.password_reset,
            Self::PasswordChanged => t.password_changed,
            Self::KeyChanged => t.key_changed,
            Self::KeyDeleted => t.key_deleted,
            Self::KeyEnabled => t.key_enabled,
            Self::KeyDisabled => t.key_disabled,
            Self::CredentialEnded => t.credential_ended,
            Self::RequestSent => t.request_sent,
            Self::RequestGranted => t.request_granted,
            Self::RequestDeclined => t.request_declined,
            Self::RequestWithdrawn => t.request_withdrawn,
            Self::KeyRevoked => t.key_revoked,
            Self::LimitsSaved => t.limits_saved,
            Self::ProfileSaved => t.profile_saved,
            Self::SessionEnded => t.session_ended,
            Self::SessionsEnded => t.sessions_ended,
            Self::PresetChanged => t.preset_changed,
            Self::ModelAnswered => t.model_answered,
            Self::ModelFailed => t.model_failed,
            Self::AlertsSaved => t.alerts_saved,
            Self::AppDisconnected => t.app_disconnected,
            Self::ProgramEnded => t.program_ended,
            Self::FactorOn => locale.t().security.flash.factor_on,
            Self::FactorOff => locale.t().security.flash.factor_off,
            Self::IdentityLinked => locale.t().security.flash.identity_linked,
            Self::IdentityUnlinked => locale.t().security.flash.identity_unlinked,
            Self::EmailAsked => locale.t().security.flash.email_asked,
            Self::EmailChanged => locale.t().security.flash.email_changed,
            Self::EndAsked => locale.t().security.flash.end_asked,
            Self::EndTakenBack => locale.t().security.flash.end_taken_back,
        }
    }
}

/// The address of a page that shows the notice.
pub(crate) fn with(address: &str, notice: Notice) -> String {
    format!("{address}?ok={}", notice.code())
}

/// The notice this page's address asks for; an unknown code is none.
pub(crate) fn of(visit: &Visit) -> Option<AnyView> {
    let query = Query::of(visit);
    let code = query.get("ok")?;
    let notice = Notice::ALL.into_iter().find(|notice| notice.code() == code)?;
    Some(view! { <Flash kind=FlashKind::Done text=notice.text(visit.locale)/> }.into_any())
}
