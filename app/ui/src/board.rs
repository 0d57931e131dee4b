//! What is announced above pages now. Whoever starts a process keeps the board up to date; a page reads it as it is rendered.

use crate::{Locale, Surface};
use std::sync::{Arc, PoisonError, RwLock};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnouncementLevel {
    Incident,
    Warning,
    Information,
}

/// One announcement, as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub id: String,
    pub level: AnnouncementLevel,
    /// The surface whose pages carry it; all of them unless said.
    pub surface: Option<Surface>,
    pub en: String,
    pub zh: String,
    /// A path of ours without its language, or an https address.
    pub link: Option<String>,
}

/// Clones share what is on it.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<RwLock<Arc<[Announcement]>>>);

impl Board {
    /// Puts these in the place of what was on it; the greatest level first.
    pub fn show(&self, mut announced: Vec<Announcement>) {
        announced.sort_by_key(|one| one.level);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = announced.into();
    }

    /// What the pages of a surface carry now.
    #[must_use]
    pub fn on(&self, surface: Surface) -> Vec<Announcement> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().filter(|one| one.surface.is_none_or(|only| only == surface)).cloned().collect()
    }
}

impl Announcement {
    #[must_use]
    pub fn text(&self, locale: Locale) -> &str {
        match locale {
            Locale::En => &self.en,
            Locale::Zh => &self.zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_surface_carries_its_own_and_what_is_for_all_the_gravest_first() {
        let board = Board::default();
        let one = |id: &str, level, surface| Announcement {
            id: id.to_owned(),
            level,
            surface,
            en: "e".to_owned(),
            zh: "z".to_owned(),
            link: None,
        };
        board.show(vec![
            one("a", AnnouncementLevel::Information, None),
            one("b", AnnouncementLevel::Incident, Some(Surface::Docs)),
        ]);
        let on = |surface| board.on(surface).into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(on(Surface::Docs), ["b", "a"]);
        assert_eq!(on(Surface::Console), ["a"]);
        board.show(Vec::new());
        assert!(on(Surface::Docs).is_empty());
    }
}
