//! A new deployment or service account: the form that asks for its name, and what is wrong with one.
use crate::forms::{Form, words};
use crate::pages::members::place_problem;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::who::SignedIn;
use axum::response::Response;
use bytespike_accounts::people::PlaceError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden};
use leptos::prelude::*;

/// What is made: its list's address and title, and the words of the form.
pub(super) struct NewPlace {
    pub path: &'static str,
    pub list: &'static str,
    pub title: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub submit: &'static str,
}

impl NewPlace {
    /// The form; `more` are the fields after the name.
    pub async fn show(
        &self,
        (visit, who): (&Visit, &SignedIn),
        form: &Form,
        more: Option<AnyView>,
    ) -> Response {
        let Self { path, list, title, name, name_hint, submit } = *self;
        let titled = Titled::of(visit, title, form);
        let above = vec![(visit.link(path), list.to_owned())];
        let cancel = visit.t().console.word.cancel;
        let content = view! {
            <div>
                <Breadcrumbs locale=visit.locale above=above here=title/>
                <h1>{title}</h1>
            </div>
            {form.summary(visit.locale)}
            <form method="post" action=visit.link(&format!("{path}/new")) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="name" label=name value=form.value("name") hint=name_hint nostrip:fault=form.fault("name")
                    max_length=64 autocomplete="off"
                />
                {more}
                <p class="actions">
                    <Button kind=ButtonKind::Primary>{submit}</Button>
                    <ButtonLink kind=ButtonKind::Quiet href=visit.link(path)>{cancel}</ButtonLink>
                </p>
            </form>
        };
        shell::signed_in((visit, who), Section::Organisation, titled, content).await
    }
}

/// What the form's author can mend stands beside its field.
pub(super) fn refuse(form: &mut Form, visit: &Visit, error: PlaceError) -> Result<(), Problem> {
    match error {
        PlaceError::Name(problem) => form.refuse("name", words::name(visit.locale, problem)),
        PlaceError::TooMany => form.refuse("name", visit.t().people.error.too_many),
        error => return Err(place_problem(error)),
    }
    Ok(())
}
