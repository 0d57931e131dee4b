//! The parts of the organisation's pages, as far as the reader's role opens them.
use crate::who::SignedIn;
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{Tab, Tabs};
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrgTab {
    Members,
    Services,
    Deployments,
    Webhooks,
    Audit,
}

/// Nothing when there is only one.
pub(crate) fn of((visit, who): (&Visit, &SignedIn), current: OrgTab) -> AnyView {
    let t = &visit.t().people.tab;
    let all = [
        (OrgTab::Members, "/console/members", t.members, Permission::ManageSelf),
        (OrgTab::Services, "/console/service-accounts", t.services, Permission::SeeMembers),
        (OrgTab::Deployments, "/console/deployments", t.deployments, Permission::SeeOrgUsage),
        (OrgTab::Webhooks, "/console/webhooks", t.webhooks, Permission::ManageOrg),
        (OrgTab::Audit, "/console/audit", t.audit, Permission::SeeAudit),
    ];
    let open = all.into_iter().filter(|(_, _, _, needs)| who.member.role().may(*needs));
    let tabs: Vec<Tab> = open
        .map(|(tab, path, label, _)| Tab {
            href: visit.link(path),
            label: label.to_owned(),
            is_current: tab == current,
        })
        .collect();
    (tabs.len() > 1).then(|| view! { <Tabs label=t.label tabs=tabs/> }).into_any()
}
