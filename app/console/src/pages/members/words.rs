//! What a role is called, and what it can do, in a line.
use bytespike_accounts::role::Role;
use bytespike_ui::Locale;
use bytespike_ui::components::SelectOption;

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

/// The roles among which someone of `own` role may choose, each with what it can do.
pub(crate) fn choices(locale: Locale, own: Role) -> Vec<SelectOption> {
    let governed = Role::ALL.into_iter().filter(|role| own.governs(*role));
    let label = |one: Role| format!("{} — {}", role(locale, one), can(locale, one));
    governed.map(|role| SelectOption::new(role.as_str(), label(role))).collect()
}
