//! The inverted index of one language: which sections hold which term, and how much a term there counts.

use super::tokens::{query_terms, terms};
use crate::library::Article;
use bytespike_ui::markdown::Section;
use std::collections::{BTreeMap, BTreeSet};

const IN_PAGE_TITLE: f64 = 8.0;
const IN_HEADING: f64 = 4.0;
const IN_TEXT: f64 = 1.0;
const IN_CODE: f64 = 0.5;
/// A text that repeats a word more often, such as a long listing, is not more about it.
const MOST_TIMES: u8 = 4;
/// A term that only begins with what was typed counts this much of a whole match.
const PREFIX: f64 = 0.4;

/// Where a section stands: its page in reading order, and its place on the page.
type Place = (usize, usize);

/// term → place → weight, saturating: a word that is there ten times is not ten times as relevant.
#[derive(Debug, Default)]
pub(crate) struct Index {
    postings: BTreeMap<String, BTreeMap<Place, f64>>,
    sections: usize,
}

/// A page that was found, and its best section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    pub page: usize,
    pub section: usize,
    pub score: f64,
}

impl Index {
    pub(crate) fn build(articles: &[Article]) -> Self {
        let mut index = Self::default();
        for (page, article) in articles.iter().enumerate() {
            index.add(&format!("{} {}", article.title, article.entry.slug), (page, 0), IN_PAGE_TITLE);
            index.add(&article.description, (page, 0), IN_HEADING);
            for (place, section) in article.document.sections.iter().enumerate() {
                index.add_section(section, (page, place));
            }
        }
        index
    }

    fn add_section(&mut self, section: &Section, place: Place) {
        self.sections += 1;
        self.add(&section.title, place, IN_HEADING);
        self.add(&section.text, place, IN_TEXT);
        self.add(&section.code, place, IN_CODE);
    }

    fn add(&mut self, text: &str, place: Place, weight: f64) {
        let mut times: BTreeMap<String, u8> = BTreeMap::new();
        for term in terms(text) {
            let seen = times.entry(term.clone()).or_default();
            *seen = seen.saturating_add(1);
            if *seen > MOST_TIMES {
                continue;
            }
            *self.postings.entry(term).or_default().entry(place).or_default() += weight;
        }
    }

    /// Pages that hold what was asked for, best first. A page that lacks a term loses more than one that has it rarely.
    pub(crate) fn search(&self, query: &str) -> Vec<Hit> {
        let asked = query_terms(query);
        let mut sections: BTreeMap<Place, f64> = BTreeMap::new();
        let mut found: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for term in &asked {
            for (place, weight) in self.matches(term) {
                *sections.entry(place).or_default() += weight;
                found.entry(place.0).or_default().insert(term);
            }
        }
        let mut hits: BTreeMap<usize, Hit> = BTreeMap::new();
        for ((page, section), score) in sections {
            let coverage = found.get(&page).map_or(0, BTreeSet::len) as f64 / asked.len().max(1) as f64;
            let score = score * coverage * coverage;
            let best = hits.entry(page).or_insert(Hit { page, section, score });
            if score > best.score {
                *best = Hit { page, section, score };
            }
        }
        let mut hits: Vec<Hit> = hits.into_values().collect();
        hits.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.page.cmp(&other.page)));
        hits
    }

    /// Places that hold the term or a longer one, with the term's weight there times its rarity.
    fn matches(&self, term: &str) -> BTreeMap<Place, f64> {
        let mut places: BTreeMap<Place, f64> = BTreeMap::new();
        let longer = self.postings.range(term.to_owned()..).take_while(|(found, _)| found.starts_with(term));
        for (found, postings) in longer {
            let share = if found == term { 1.0 } else { PREFIX };
            let rarity = (1.0 + self.sections as f64 / postings.len().max(1) as f64).ln();
            for (place, weight) in postings {
                *places.entry(*place).or_default() +=
                    share * rarity * weight / (weight + 2.0) * weight.sqrt();
            }
        }
        places
    }
}
