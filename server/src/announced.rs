//! Brings announcements to the pages of this process: from its own database, or over HTTP from a gateway.

use std::time::Duration;

use bytespike_accounts::announcements::{Announcement, Level, Place, Stage};
use bytespike_ui::{AnnouncementLevel, Board, Surface};
use serde::Deserialize;

use crate::Failure;
use crate::config::PublicUrls;

/// How often another process's announcements are asked for.
const EVERY: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(10);
/// A list of ours is far smaller.
const MAX_BYTES: usize = 64 << 10;

/// Puts on the board what is shown at this moment.
pub fn show(board: &Board, known: &[Announcement], now_ms: i64) {
    let shown = known.iter().filter(|one| one.stage(now_ms) == Stage::Shown);
    board.show(shown.map(of).collect());
}

fn of(one: &Announcement) -> bytespike_ui::Announcement {
    bytespike_ui::Announcement {
        id: one.id.clone(),
        level: level(one.level),
        surface: surface(one.place),
        en: one.text_en.clone(),
        zh: one.text_zh.clone(),
        link: one.link.clone(),
    }
}

fn level(level: Level) -> AnnouncementLevel {
    match level {
        Level::Incident => AnnouncementLevel::Incident,
        Level::Warning => AnnouncementLevel::Warning,
        Level::Information => AnnouncementLevel::Information,
    }
}

fn surface(place: Place) -> Option<Surface> {
    match place {
        Place::All => None,
        Place::Site => Some(Surface::Site),
        Place::Docs => Some(Surface::Docs),
        Place::Console => Some(Surface::Console),
    }
}

/// `GET /v1/status/announcements`
#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    level: String,
    place: String,
    text: Texts,
    link: Option<String>,
}

#[derive(Deserialize)]
struct Texts {
    en: String,
    zh: String,
}

/// Where a process without a database reads them.
pub struct Remote {
    url: String,
    client: reqwest::Client,
}

impl Remote {
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(urls: &PublicUrls) -> Result<Self, Failure> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { url: format!("{}/v1/status/announcements", urls.gateway), client })
    }

    /// Fetches for ever. What cannot be fetched leaves what was shown last.
    pub async fn run(self, board: Board) {
        let mut due = tokio::time::interval(EVERY);
        let mut is_reached = true;
        loop {
            due.tick().await;
            let fetched = self.fetch().await;
            if let Err(error) = &fetched
                && is_reached
            {
                tracing::warn!(%error, "announcements could not be fetched; it is tried again");
            }
            is_reached = fetched.is_ok();
            if let Ok(announced) = fetched {
                board.show(announced);
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<bytespike_ui::Announcement>, Failure> {
        let mut answer = self.client.get(&self.url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err("the list is larger than any of ours".into());
            }
        }
        let list: List = serde_json::from_slice(&body)?;
        Ok(list.data.into_iter().map(read).collect())
    }
}

fn read(one: Listed) -> bytespike_ui::Announcement {
    bytespike_ui::Announcement {
        level: level(Level::parse(&one.level)),
        surface: surface(Place::parse(&one.place)),
        id: one.id,
        en: one.text.en,
        zh: one.text.zh,
        link: one.link,
    }
}
