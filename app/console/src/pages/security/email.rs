//! Changing one's address: asked for here, told to both addresses, done by the link in the letter to the new one.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::security::{PATH, show};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::{SignedIn, Visitor};
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::EmailChangeError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `POST /console/settings/security/email`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let t = &visit.t().security.email;
    let asked =
        state.accounts.people.request_email_change(&who.origin, &who.member, form.value("email")).await;
    match asked {
        Ok(letters) => {
            for letter in letters {
                state.mail.deliver(&state.urls, &visitor.id, Some(letter)).await;
            }
            // A development server shows the letter there.
            let next = if state.mail.is_development() { "/console/check-mail" } else { PATH };
            Ok(visitor.remember(see_other(&flash::with(&visit.link(next), Notice::EmailAsked))))
        }
        Err(EmailChangeError::Unavailable(error)) => Err(error.into()),
        Err(EmailChangeError::TooMany) => Err(Problem::TooMany),
        Err(EmailChangeError::Same) => {
            form.refuse("email", t.same);
            show(&state, (&visit, &who), Some(form)).await
        }
        Err(EmailChangeError::Email(_) | EmailChangeError::Dead) => {
            form.refuse("email", visit.t().auth.error.email_invalid);
            show(&state, (&visit, &who), Some(form)).await
        }
    }
}

pub(super) fn part(visit: &Visit, who: &SignedIn, faulty: Option<Form>) -> AnyView {
    let t = &visit.t().security.email;
    let form = faulty.unwrap_or_default();
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead(who.member.email())}</p></div>
            <form method="post" action=format!("{}/email", visit.link(PATH)) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="email" label=t.new kind=InputKind::Email value=form.value("email")
                    nostrip:fault=form.fault("email") autocomplete="email"
                />
                <Button>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}
