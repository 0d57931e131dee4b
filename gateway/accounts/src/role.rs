//! Roles in an org and the one table of what each may do. Operators are a class of their own, not a role.

/// A member's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Owner,
    Admin,
    Billing,
    Developer,
    Viewer,
}

/// What a handler asks for before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// One's own profile, sessions, factors, connected programs and place in the org.
    ManageSelf,
    SeeOwnUsage,
    SeeOrgUsage,
    /// Create, rename and end keys one holds oneself; test models.
    ManageOwnKeys,
    /// The same for every key of the org, service accounts' included.
    ManageOrgKeys,
    /// Limits of the org, its deployments, members and keys.
    SetLimits,
    /// Top up, redeem, read statements, be told of a low balance.
    Billing,
    /// Who is in the org, what they spend and what limits them.
    SeeMembers,
    /// Invite, remove, and change roles below one's own.
    ManageMembers,
    /// Deployments and service accounts.
    ManageDeployments,
    /// Name, preset and settings of the org.
    ManageOrg,
    /// Programs that the org registers for Sign in with ByteSpike.
    ManagePrograms,
    /// Every change in the org, and who made it.
    SeeAudit,
    /// Delete the org or hand it over.
    OwnOrg,
    /// What was asked and answered in calls of keys one holds, where the org has it kept.
    ReadOwnBodies,
    /// The same of every call of the org.
    ReadOrgBodies,
}

impl Permission {
    pub const ALL: [Permission; 16] = [
        Permission::ManageSelf,
        Permission::SeeOwnUsage,
        Permission::SeeOrgUsage,
        Permission::ManageOwnKeys,
        Permission::ManageOrgKeys,
        Permission::SetLimits,
        Permission::Billing,
        Permission::SeeMembers,
        Permission::ManageMembers,
        Permission::ManageDeployments,
        Permission::ManageOrg,
        Permission::ManagePrograms,
        Permission::SeeAudit,
        Permission::OwnOrg,
        Permission::ReadOwnBodies,
        Permission::ReadOrgBodies,
    ];

    /// The table: who has it.
    pub fn roles(self) -> &'static [Role] {
        use Role::{Admin, Billing, Developer, Owner, Viewer};
        match self {
            Permission::ManageSelf | Permission::SeeOwnUsage => &Role::ALL,
            Permission::SeeOrgUsage | Permission::SeeMembers => &[Owner, Admin, Billing],
            Permission::ManageOwnKeys => &[Owner, Admin, Developer],
            Permission::Billing => &[Owner, Billing],
            Permission::ManageOrgKeys
            | Permission::SetLimits
            | Permission::ManageMembers
            | Permission::ManageDeployments
            | Permission::ManageOrg
            | Permission::ManagePrograms
            | Permission::SeeAudit
            | Permission::ReadOrgBodies => &[Owner, Admin],
            Permission::ReadOwnBodies => &[Owner, Admin, Developer, Viewer],
            Permission::OwnOrg => &[Owner],
        }
    }
}

impl Role {
    /// The most powerful first.
    pub const ALL: [Role; 5] = [Role::Owner, Role::Admin, Role::Billing, Role::Developer, Role::Viewer];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Billing => "billing",
            Role::Developer => "developer",
            Role::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// An unknown role can do the least.
    pub(crate) fn from_stored(text: &str) -> Self {
        Self::parse(text).unwrap_or(Role::Viewer)
    }

    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }

    /// Whether someone of this role gives that role to others, and changes or removes those who have it: an owner every
    /// role, an admin those below admin, nobody else any.
    pub fn governs(self, other: Role) -> bool {
        match self {
            Role::Owner => true,
            Role::Admin => !matches!(other, Role::Owner | Role::Admin),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_being_stored_and_unknown_ones_can_do_the_least() {
        for role in Role::ALL {
            assert_eq!(Role::from_stored(role.as_str()), role);
        }
        assert_eq!(Role::from_stored("superuser"), Role::Viewer);
    }

    #[test]
    fn money_and_people_are_separate_duties() {
        assert!(Role::Billing.may(Permission::Billing) && !Role::Billing.may(Permission::ManageOwnKeys));
        assert!(Role::Admin.may(Permission::ManageOrg) && !Role::Admin.may(Permission::Billing));
        assert!(
            !Role::Developer.may(Permission::ManageOrgKeys) && !Role::Viewer.may(Permission::SeeOrgUsage)
        );
        assert!(!Role::Admin.may(Permission::OwnOrg) && Role::Owner.may(Permission::OwnOrg));
        assert!(
            !Role::Billing.may(Permission::ReadOwnBodies) && !Role::Billing.may(Permission::ReadOrgBodies)
        );
    }

    #[test]
    fn an_owner_may_everything_and_a_viewer_nothing_that_others_may_not() {
        for permission in Permission::ALL {
            assert!(Role::Owner.may(permission), "{permission:?}");
            // Whoever pays has no business with what is asked, their own included.
            let read_by_all_but_billing = permission == Permission::ReadOwnBodies;
            let others =
                Role::ALL.into_iter().filter(|role| !read_by_all_but_billing || *role != Role::Billing);
            assert_eq!(
                Role::Viewer.may(permission),
                others.into_iter().all(|role| role.may(permission)),
                "{permission:?}"
            );
        }
    }

    #[test]
    fn s92_nobody_governs_a_role_above_their_own() {
        for role in Role::ALL {
            for other in Role::ALL {
                let above = other < role;
                assert!(!(role.governs(other) && above), "{role:?} governs {other:?}");
            }
            assert_eq!(role.may(Permission::ManageMembers), role.governs(Role::Viewer), "{role:?}");
        }
        assert!(!Role::Admin.governs(Role::Admin) && Role::Owner.governs(Role::Owner));
    }
}
