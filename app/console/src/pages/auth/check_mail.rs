//! Where every form that may send a mail leads, whether it did or not.
use crate::outbox::ShownLetter;
use crate::shell::{self, Titled};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink, Callout, CalloutKind};
use leptos::prelude::*;

/// `GET /console/check-mail`
pub(crate) async fn page(State(state): State<ConsoleState>, visit: Visit, visitor: Visitor) -> Response {
    let t = &visit.t().auth.check_mail;
    let shown = state.mail.shown_to(&visitor.id);
    let shown = state.mail.is_development().then(|| development(&visit, shown));
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.sent}</p>
        <p class="hint">{t.wait}</p>
        {shown}
        <p>{t.resend_question} {visit.locale.gap()} <a href=visit.link("/console/resend")>{t.resend}</a></p>
        <p><a href=visit.link("/console/sign-in")>{t.back}</a></p>
    };
    shell::narrow((&visit, &visitor), Titled::ok(t.title), content).await
}

/// What a mail server would have carried. Shown to the browser that caused it, on a developer's machine only.
fn development(visit: &Visit, letter: Option<ShownLetter>) -> AnyView {
    let t = &visit.t().auth.check_mail;
    let letter = match letter {
        Some(letter) => view! {
            <p><strong>{letter.subject}</strong> <br/> {t.development_to(letter.to)}</p>
            <p><ButtonLink kind=ButtonKind::Primary href=letter.link>{t.development_open}</ButtonLink></p>
        }
        .into_any(),
        None => view! { <p>{t.development_none}</p> }.into_any(),
    };
    view! {
        <Callout kind=CalloutKind::Warning title=t.development>
            <p>{t.development_note}</p>
            {letter}
        </Callout>
    }
    .into_any()
}
