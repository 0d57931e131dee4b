//! What a role is called, and what it can do, in a line.
use bytespike_accounts::role::Role;
use bytespike_ui::Locale;
use bytespike_ui::components::SelectOption;
use leptos::prelude::*;

pub(crate) fn role(locale: Locale, role: Role) -> &'static str {
    let t = &locale.t().people.role;
    match role {
        Role::Owner => t.owner,
        Role::Admin => t.admin,
        Role::Billing => t.billing,
        Role::Developer => t.developer,
        Role::Viewer => t.viewer,
    }
}

fn can(locale: Locale, role: Role) -> &'static str {
    let t = &locale.t().people.role_can;
    match role {
        Role::Owner => t.owner,
        Role::Admin => t.admin,
        Role::Billing => t.billing,
        Role::Developer => t.developer,
        Role::Viewer => t.viewer,
    }
}

/// The roles among which someone of `own` role may choose.
pub(crate) fn choices(locale: Locale, own: Role) -> Vec<SelectOption> {
    let governed = Role::ALL.into_iter().filter(|role| own.governs(*role));
    governed.map(|one| SelectOption::new(one.as_str(), role(locale, one))).collect()
}

/// What each of the roles to choose from can do; stands below the choice.
pub(crate) fn explained(locale: Locale, choices: &[SelectOption]) -> AnyView {
    let t = &locale.t().people.role_can;
    let offered =
        Role::ALL.into_iter().filter(|one| choices.iter().any(|choice| choice.value == one.as_str()));
    let lines = offered.map(|one| view! { <li>{t.line(can(locale, one), role(locale, one))}</li> });
    view! { <ul class="bullets hint">{lines.collect_view()}</ul> }.into_any()
}
