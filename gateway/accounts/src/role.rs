//! Roles in an org and what each may do. Operators are a class of their own, not a role.

/// A member's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Billing,
    Developer,
    Viewer,
}

/// What a role is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SeeOwnUsage,
    SeeOrgUsage,
    /// Create, rename and end keys one holds oneself.
    ManageOwnKeys,
    /// The same for every key of the org, service accounts' included.
    ManageOrgKeys,
    SetLimits,
    /// Top up, redeem, read statements.
    Billing,
    /// Invite, remove, and change roles below one's own; name, preset and settings of the org.
    ManageOrg,
    /// Delete the org or hand it over.
    OwnOrg,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Billing => "billing",
            Role::Developer => "developer",
            Role::Viewer => "viewer",
        }
    }

    /// An unknown role can do the least.
    pub(crate) fn from_stored(text: &str) -> Self {
        match text {
            "owner" => Role::Owner,
            "admin" => Role::Admin,
            "billing" => Role::Billing,
            "developer" => Role::Developer,
            _ => Role::Viewer,
        }
    }

    pub fn may(self, action: Action) -> bool {
        match action {
            Action::SeeOwnUsage => true,
            Action::SeeOrgUsage => matches!(self, Role::Owner | Role::Admin | Role::Billing),
            Action::ManageOwnKeys => matches!(self, Role::Owner | Role::Admin | Role::Developer),
            Action::ManageOrgKeys | Action::SetLimits | Action::ManageOrg => {
                matches!(self, Role::Owner | Role::Admin)
            }
            Action::Billing => matches!(self, Role::Owner | Role::Billing),
            Action::OwnOrg => matches!(self, Role::Owner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_being_stored_and_unknown_ones_can_do_the_least() {
        for role in [Role::Owner, Role::Admin, Role::Billing, Role::Developer, Role::Viewer] {
            assert_eq!(Role::from_stored(role.as_str()), role);
        }
        assert_eq!(Role::from_stored("superuser"), Role::Viewer);
    }

    #[test]
    fn money_and_people_are_separate_duties() {
        assert!(Role::Billing.may(Action::Billing) && !Role::Billing.may(Action::ManageOwnKeys));
        assert!(Role::Admin.may(Action::ManageOrg) && !Role::Admin.may(Action::Billing));
        assert!(!Role::Developer.may(Action::ManageOrgKeys) && !Role::Viewer.may(Action::SeeOrgUsage));
        assert!(!Role::Admin.may(Action::OwnOrg) && Role::Owner.may(Action::OwnOrg));
    }
}
