//! Which named set of models the organisation's keys may call.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::pages::settings::{self, organisation};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::orgs::Preset;
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, Hidden};
use leptos::prelude::*;

/// `POST /console/settings/preset`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let preset = Preset::parse(form.value("preset")).ok_or(Problem::NotFound)?;
    let people = &state.accounts.people;
    people.set_preset(&who.origin, &who.member, preset).await.map_err(organisation::problem_of)?;
    Ok(see_other(&flash::with(&settings::home(&visit), Notice::PresetChanged)))
}

pub(super) fn part(visit: &Visit, who: &SignedIn) -> AnyView {
    let t = &visit.t().settings.preset;
    let choices = [(Preset::Global, t.global, t.global_note), (Preset::China, t.china, t.china_note)];
    let choice = |(preset, name, note): (Preset, &'static str, &'static str)| {
        let action = if who.member.preset() == preset {
            view! { <Badge kind=BadgeKind::Live label=t.current/> }.into_any()
        } else {
            view! { <Button name="preset" value=preset.as_str()>{t.submit}</Button> }.into_any()
        };
        view! { <li><div><strong>{name}</strong><p class="soft">{note}</p></div>{action}</li> }
    };
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            <form method="post" action=format!("{}/preset", settings::home(visit))>
                <Hidden name="csrf" value=who.token.clone()/>
                <ul class="choices">{choices.map(choice).into_iter().collect_view()}</ul>
            </form>
        </section>
    }
    .into_any()
}
