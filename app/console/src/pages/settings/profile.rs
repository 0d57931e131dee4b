//! The reader's own name, language, time zone and way of writing numbers.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, words};
use crate::outbox::{language_of, locale_of};
use crate::pages::settings::{self, Faulty, PATH};
use crate::problem::Problem;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::{NumberFormat, Profile, ProfileError};
use bytespike_ui::components::{Button, Field, Hidden, Select, SelectOption};
use bytespike_ui::{Locale, Numbers, Visit};
use leptos::prelude::*;

/// `POST /console/settings/profile`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let locale = Locale::from_code(form.value("language")).unwrap_or(visit.locale);
    let zone = form.value("time_zone").trim().to_owned();
    if bytespike_ledger::time_zone(&zone).is_none() {
        form.refuse("time_zone", visit.t().settings.error.time_zone_unknown);
        return settings::show(&state, (&visit, &who), Faulty { profile: Some(form), ..Faulty::default() })
            .await;
    }
    let profile = Profile {
        name: form.value("name"),
        language: language_of(locale),
        time_zone: &zone,
        numbers: NumberFormat::from_stored(form.value("numbers")),
    };
    match state.accounts.people.set_profile(&who.origin, &who.member, profile).await {
        // The page continues in the language just chosen.
        Ok(()) => Ok(see_other(&flash::with(&visit.link_in(locale, PATH), Notice::ProfileSaved))),
        Err(ProfileError::Unavailable(error)) => Err(error.into()),
        Err(ProfileError::TimeZone) => Err(Problem::Forbidden),
        Err(ProfileError::Name(problem)) => {
            form.refuse("name", words::name(visit.locale, problem));
            settings::show(&state, (&visit, &who), Faulty { profile: Some(form), ..Faulty::default() }).await
        }
    }
}

pub(super) fn part(visit: &Visit, who: &SignedIn, faulty: Option<Form>) -> AnyView {
    let t = &visit.t().settings.profile;
    let form = faulty.unwrap_or_else(|| {
        Form::filled([
            ("name", who.member.person_name().to_owned()),
            ("language", locale_of(who.member.language()).code().to_owned()),
            ("time_zone", who.member.time_zone().to_owned()),
            ("numbers", who.member.numbers().as_str().to_owned()),
        ])
    });
    let languages = Locale::ALL.map(|locale| SelectOption::new(locale.code(), locale.own_name())).into();
    let numbers =
        NumberFormat::ALL.map(|format| SelectOption::new(format.as_str(), written(visit, format))).into();
    view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{who.member.email().to_owned()}</p></div>
            <form method="post" action=format!("{}/profile", settings::home(visit)) class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field
                    id="name" label=t.name value=form.value("name") nostrip:fault=form.fault("name")
                    max_length=64 autocomplete="name"
                />
                <Select id="language" label=t.language options=languages selected=form.value("language")/>
                <Field
                    id="time_zone" label=t.time_zone value=form.value("time_zone") hint=t.time_zone_hint
                    nostrip:fault=form.fault("time_zone") autocomplete="off"
                />
                <Select
                    id="numbers" label=t.numbers hint=t.numbers_hint.to_owned() options=numbers
                    selected=form.value("numbers")
                />
                <Button>{t.submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

/// A choice, by what it makes of a number.
fn written(visit: &Visit, format: NumberFormat) -> String {
    let sample = |numbers: Numbers| numbers.marked("1,234.56");
    match format {
        NumberFormat::ByLanguage => visit.t().settings.profile.numbers_language.to_owned(),
        NumberFormat::CommaPoint => sample(Numbers::CommaPoint),
        NumberFormat::PointComma => sample(Numbers::PointComma),
        NumberFormat::SpaceComma => sample(Numbers::SpaceComma),
    }
}
