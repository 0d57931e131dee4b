//! What operators announce, above everything else of a page.

use crate::Visit;
use crate::board::{Announcement, AnnouncementLevel};
use crate::components::{Icon, IconName};
use leptos::prelude::*;

/// Everything that this page carries; nothing when nothing is announced.
pub(super) fn of_page(visit: &Visit) -> Option<AnyView> {
    announced(visit, &visit.announced(), |_| None)
}

/// These announcements, each with what belongs behind it, such as a form that puts it away.
pub fn announced(
    visit: &Visit,
    all: &[Announcement],
    mut end: impl FnMut(&Announcement) -> Option<AnyView>,
) -> Option<AnyView> {
    let label = visit.t().announcements.banner.label;
    let banners: Vec<AnyView> = all.iter().map(|one| banner(visit, one, end(one))).collect();
    (!banners.is_empty())
        .then(|| view! { <section class="announcements" aria-label=label>{banners}</section> }.into_any())
}

fn banner(visit: &Visit, one: &Announcement, end: Option<AnyView>) -> AnyView {
    let t = &visit.t().announcements.banner;
    let (class, icon, level) = match one.level {
        AnnouncementLevel::Incident => ("announcement incident", IconName::Alert, t.incident),
        AnnouncementLevel::Warning => ("announcement warning", IconName::Alert, t.warning),
        AnnouncementLevel::Information => ("announcement", IconName::Info, t.information),
    };
    let link = one.link.as_ref().map(|link| {
        let href = if link.starts_with('/') { visit.link(link) } else { link.clone() };
        view! { {visit.locale.gap()} <a href=href rel="noopener">{t.more}</a> }
    });
    view! {
        <div class=class>
            <Icon name=icon/>
            <p><strong>{level}</strong>{t.colon}{one.text(visit.locale).to_owned()}{link}</p>
            {end}
        </div>
    }
    .into_any()
}
