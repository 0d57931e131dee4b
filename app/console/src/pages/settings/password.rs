//! Changing the password, which needs the current one and ends every other session.
use crate::cut_programs;
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, words};
use crate::pages::settings::{self, Faulty};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::{ChangePasswordError, PasswordChange};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, Field, Hidden, InputKind};
use leptos::prelude::*;

/// `POST /console/settings/password`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let change = PasswordChange {
        session: &who.session,
        current: form.value("current_password"),
        new: form.value("new_password"),
    };
    match state.accounts.people.change_password(&who.origin, &who.member, change).await {
        Ok(mail) => {
            state.mail.deliver(&state.urls, "", mail).await;
            state.accounts.sessions.renew(&who.cookie).await?;
            cut_programs::after(&state, (&who.origin, who.member.person_id()), &form).await?;
            Ok(see_other(&flash::with(&settings::home(&visit), Notice::PasswordChanged)))
        }
        Err(ChangePasswordError::Busy(busy)) => Err(busy.into()),
        Err(ChangePasswordError::Unavailable(error)) => Err(error.into()),
        Err(ChangePasswordError::WrongCurrent) => {
            form.refuse("current_password", visit.t().auth.error.current_wrong);
            again(&state, &visit, &who, form).await
        }
        Err(ChangePasswordError::Password(problem)) => {
            form.refuse("new_password", words::password(visit.locale, &problem));
            again(&state, &visit, &who, form).await
        }
    }
}

async fn again(state: &ConsoleState, visit: &Visit, who: &SignedIn, form: Form) -> Result<Response, Problem> {
    settings::show(state, (visit, who), Faulty { password: Some(form), ..Faulty::default() }).await
}

pub(super) fn part((visit, who): (&Visit, &SignedIn), apps: usize, faulty: Option<Form>) -> AnyView {
    let t = &visit.t().settings.password;
    let form = faulty.unwrap_or_default();
    view! {
        <section class="stack">
            <h2>{t.title}</h2>
            <form method="post" action=format!("{}/password", settings::home(visit)) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="current_password" label=t.current kind=InputKind::Password
                    nostrip:fault=form.fault("current_password") autocomplete="current-password"
                />
                <Field
                    id="new_password" label=t.new kind=InputKind::Password hint=words::password_hint(visit.locale)
                    nostrip:fault=form.fault("new_password") autocomplete="new-password"
                />
                {cut_programs::offer(visit, apps)}
                <Button>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}
