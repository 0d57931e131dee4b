//! "Confirm it is you": what is guarded asks, at most every ten minutes, for a fresh proof of who holds the session. The
//! form that was sent waits on the page that asks, so nothing typed is lost and no script is needed.
use crate::forms::Form;
use crate::passkey_form::{Ask, PasskeyForm, problem_of};
use crate::problem::Problem;
use crate::shell::{self, Titled};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::response::Response;
use bytespike_accounts::passkeys::{Asker, PasskeyError};
use bytespike_accounts::people::{ConfirmError, Proof};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, ButtonLink, Field, Hidden, InputKind};
use leptos::prelude::*;

/// The field that carries the proof.
const PROOF: &str = "confirm_proof";
const PASSKEY_PROOF: &str = "confirm_passkey";

/// What is guarded, by the path its form is sent to: keys, members, money, where the organisation is
/// told, what it keeps of its calls, and how the account itself is guarded.
const GUARDED: [&str; 12] = [
    "/console/keys/",
    "/console/limits/node/",
    "/console/limits/several",
    "/console/members",
    "/console/invitations",
    "/console/service-accounts",
    "/console/deployments",
    "/console/wallet/",
    "/console/webhooks",
    "/console/settings/security",
    "/console/settings/data",
    "/console/settings/bodies",
];

/// Forms under a guarded path that change nothing worth guarding.
const OPEN: [&str; 4] = [
    "/console/keys/check",
    "/console/wallet/alerts",
    "/console/wallet/voucher",
    "/console/settings/security/passkeys/offer",
];

/// What became of a form that may need a proof.
pub(crate) enum Outcome {
    /// The form may be acted on.
    Fresh,
    /// The form carried a right proof: the session has a new id, so who is asking has to be read again.
    Confirmed,
    /// The page that asks.
    Ask(Response),
}

fn is_guarded(path: &str) -> bool {
    let under = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    under(&GUARDED) && !under(&OPEN)
}

/// Looks at a form that was sent by its own page, before anything acts on it.
pub(crate) async fn check(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    form: &Form,
) -> Result<Outcome, Problem> {
    if !is_guarded(&visit.path) || who.session.is_confirmed(state.world.now_ms()) {
        return Ok(Outcome::Fresh);
    }
    let (typed, passkey) = (form.value(PROOF), form.value(PASSKEY_PROOF));
    if !passkey.is_empty() {
        return with_passkey(state, (visit, who), (form, passkey)).await;
    }
    if typed.is_empty() {
        return Ok(Outcome::Ask(page(state, (visit, who), form, None).await?));
    }
    match state.accounts.people.confirm(&who.origin, &who.member, typed).await {
        Ok(letter) => {
            if letter.is_some() {
                state.mail.deliver(&state.urls, &who.anonymous, letter).await;
            }
            state.accounts.sessions.confirm(&who.cookie).await?;
            Ok(Outcome::Confirmed)
        }
        Err(ConfirmError::Refused) => {
            let wrong = visit.t().security.confirm.wrong;
            Ok(Outcome::Ask(page(state, (visit, who), form, Some(wrong)).await?))
        }
        Err(ConfirmError::Busy(busy)) => Err(busy.into()),
        Err(ConfirmError::Unavailable(error)) => Err(error.into()),
    }
}

async fn with_passkey(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (form, answer): (&Form, &str),
) -> Result<Outcome, Problem> {
    let site = state.passkey_site().ok_or(Problem::NotFound)?;
    let asker = Asker { origin: &who.origin, browser: &who.session.csrf_binding };
    let is_theirs = match state.accounts.passkeys.prove(asker, &site, answer).await {
        Ok(person_id) => {
            state.accounts.people.confirm_with_passkey(&who.origin, &who.member, &person_id).await
        }
        Err(PasskeyError::Refused) => false,
        Err(error) => return Err(problem_of(error)),
    };
    if is_theirs {
        state.accounts.sessions.confirm(&who.cookie).await?;
        return Ok(Outcome::Confirmed);
    }
    let wrong = visit.t().security.passkey.wrong;
    Ok(Outcome::Ask(page(state, (visit, who), form, Some(wrong)).await?))
}

async fn page(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    waiting: &Form,
    wrong: Option<&'static str>,
) -> Result<Response, Problem> {
    let t = &visit.t().security.confirm;
    let proof = state.accounts.people.proof(&who.member).await?;
    let mut faults = Form::default();
    if let Some(wrong) = wrong {
        faults.refuse(PROOF, wrong);
    }
    let ask = match proof {
        Proof::SignInAgain => sign_in_again(visit),
        Proof::Password | Proof::SecondFactor => form_again((visit, who), (proof, waiting), &faults),
    };
    let has_passkeys = !state.accounts.passkeys.list(who.member.person_id()).await?.is_empty();
    let passkey =
        (has_passkeys && state.passkey_site().is_some()).then(|| passkey_again((visit, who), waiting));
    let cancel = visit.link("/console");
    let content = view! {
        <h1>{t.title}</h1>
        {faults.summary(visit.locale)}
        {ask}
        {passkey}
        <p><a href=cancel>{t.cancel}</a></p>
    };
    let titled = if wrong.is_some() { Titled::faulty(visit, t.title) } else { Titled::unprocessed(t.title) };
    Ok(shell::narrow_signed_in(visit, titled, content).await)
}

fn form_again((visit, who): (&Visit, &SignedIn), (proof, waiting): (Proof, &Form), faults: &Form) -> AnyView {
    let t = &visit.t().security.confirm;
    let kept = kept(waiting);
    let has_factor = proof == Proof::SecondFactor;
    let field = if has_factor {
        view! {
            <Field
                id=PROOF label=t.code hint=t.code_hint.to_owned() nostrip:fault=faults.fault(PROOF)
                autocomplete="one-time-code"
            />
        }
        .into_any()
    } else {
        view! {
            <Field
                id=PROOF label=t.password kind=InputKind::Password nostrip:fault=faults.fault(PROOF)
                autocomplete="current-password"
            />
        }
        .into_any()
    };
    view! {
        <p>{t.lead}</p>
        <form method="post" action=visit.here()>
            <Hidden name="csrf" value=who.token.clone()/>
            {kept}
            {field}
            <Button kind=ButtonKind::Primary>{t.submit}</Button>
        </form>
    }
    .into_any()
}

/// The same form, with a passkey for a proof.
fn passkey_again((visit, who): (&Visit, &SignedIn), waiting: &Form) -> AnyView {
    let t = &visit.t().security.passkey;
    let form = PasskeyForm {
        ask: Ask::Use,
        field: PASSKEY_PROOF,
        action: visit.here(),
        challenge: visit.link("/console/passkeys/confirm"),
        csrf: who.token.clone(),
        label: t.confirm,
        failed: t.failed,
    };
    form.view(kept(waiting).into_any())
}

/// What the form that waits holds.
fn kept(waiting: &Form) -> Vec<AnyView> {
    let own = ["csrf", PROOF, PASSKEY_PROOF];
    let kept = waiting.fields().filter(|(name, _)| !own.contains(name));
    kept.map(|(name, value)| {
        view! { <input type="hidden" name=name.to_owned() value=value.to_owned()/> }.into_any()
    })
    .collect()
}

fn sign_in_again(visit: &Visit) -> AnyView {
    let t = &visit.t().security.confirm;
    let href = format!("{}?again=1", visit.link("/console/sign-in"));
    view! {
        <p>{t.sign_in_again}</p>
        <p><ButtonLink kind=ButtonKind::Primary href=href>{t.to_sign_in}</ButtonLink></p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::is_guarded;

    #[test]
    fn s48_keys_people_money_and_factors_are_guarded_and_reading_is_not() {
        for path in [
            "/console/keys/new",
            "/console/keys/key_1/revoke",
            "/console/limits/node/mem_1",
            "/console/members/mem_1/role",
            "/console/invitations",
            "/console/wallet/top-up",
            "/console/settings/security/app",
            "/console/settings/data/delete",
            "/console/settings/bodies/on",
        ] {
            assert!(is_guarded(path), "{path}");
        }
        for path in [
            "/console/keys/check",
            "/console/limits/ask",
            "/console/wallet/alerts",
            "/console/settings/profile",
            "/console/settings/sessions/others",
            "/console/sign-out",
            "/console/models/test",
        ] {
            assert!(!is_guarded(path), "{path}");
        }
    }
}
