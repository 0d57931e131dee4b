//! Announcements: a sentence or two of the operators, in both languages, above every page that it is meant for.
use crate::audit::{Actor, Audit, Event};
use crate::names;
use crate::people::Membership;
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::announcement::{self, AnnouncementRow};
use bytespike_store::world::World;

pub const MOST_TEXT_CHARS: usize = 300;
const MOST_LINK_CHARS: usize = 300;
/// More at once nobody reads.
const MOST_AT_ONCE: u32 = 20;

/// What is announced, and who put it away.
#[derive(Clone)]
pub struct Announcements {
    store: Store,
    world: World,
    audit: Audit,
}

/// How much it matters. The greatest stands above the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Incident,
    Warning,
    Information,
}

/// Which pages carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    All,
    Site,
    Docs,
    Console,
}

/// What an announcement is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnnouncement<'a> {
    pub level: Level,
    pub place: Place,
    pub text_en: &'a str,
    pub text_zh: &'a str,
    /// Where more is said: a path of ours without its language (`/docs/errors`), or an https address. Empty for none.
    pub link: &'a str,
    /// From when; at once unless said.
    pub from_ms: Option<i64>,
    /// Until it is ended unless said.
    pub until_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub id: String,
    pub level: Level,
    pub place: Place,
    pub text_en: String,
    pub text_zh: String,
    pub link: Option<String>,
    pub from_ms: i64,
    pub until_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

/// Where it is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Coming,
    Shown,
    Over,
}

/// Why it was not kept; each names the field.
#[derive(Debug, thiserror::Error)]
pub enum AnnouncementError {
    #[error("text_en: 1 to 300 characters")]
    English,
    #[error("text_zh: 1 to 300 characters")]
    Chinese,
    #[error("link: a path of this site such as /docs/errors, or an https address")]
    Link,
    #[error("until: later than now, and later than it begins")]
    Until,
    #[error("there is no such announcement, or it has ended")]
    Unknown,
    #[error("announcements cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Announcements {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        Self { store: basis.store.clone(), world: basis.world.clone(), audit }
    }

    /// Every process shows it within two seconds of its beginning; pages in shared caches follow as their time runs out.
    pub async fn create(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        new: &NewAnnouncement<'_>,
    ) -> Result<String, AnnouncementError> {
        let row = self.checked(self.world.id("ann"), new)?;
        let entry = self.audit.entry(origin, Event::new("announcement.created", actor));
        announcement::insert(&self.store, &row, &entry).await?;
        Ok(row.id)
    }

    /// Whoever put it away sees it again, because it says something else.
    pub async fn change(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        (id, new): (&str, &NewAnnouncement<'_>),
    ) -> Result<(), AnnouncementError> {
        let row = self.checked(id.to_owned(), new)?;
        let entry = self.audit.entry(origin, Event::new("announcement.changed", actor));
        let changed = announcement::update(&self.store, &row, &entry).await?;
        if changed { Ok(()) } else { Err(AnnouncementError::Unknown) }
    }

    /// False when there was nothing to end.
    pub async fn end(&self, (origin, actor): (&Origin, Actor<'_>), id: &str) -> sqlx::Result<bool> {
        let entry = self.audit.entry(origin, Event::new("announcement.ended", actor));
        announcement::end(&self.store, (id, self.world.now_ms()), &entry).await
    }

    pub async fn find(&self, id: &str) -> sqlx::Result<Option<Announcement>> {
        Ok(announcement::find(&self.store, id).await?.map(Announcement::from))
    }

    /// The newest first.
    pub async fn newest(&self, limit: u32) -> sqlx::Result<Vec<Announcement>> {
        Ok(announcement::newest(&self.store, limit).await?.into_iter().map(Announcement::from).collect())
    }

    /// Those that are shown now or later.
    pub async fn not_over(&self) -> sqlx::Result<Vec<Announcement>> {
        let rows = announcement::not_over(&self.store, self.world.now_ms(), MOST_AT_ONCE).await?;
        Ok(rows.into_iter().map(Announcement::from).collect())
    }

    /// The person does not want to see it any more. False when there is none.
    pub async fn dismiss(&self, member: &Membership, id: &str) -> sqlx::Result<bool> {
        announcement::dismiss(&self.store, id, (member.person_id(), self.world.now_ms())).await
    }

    /// Those that the person put away.
    pub async fn dismissed(&self, member: &Membership) -> sqlx::Result<Vec<String>> {
        announcement::dismissed(&self.store, member.person_id()).await
    }

    fn checked(&self, id: String, new: &NewAnnouncement<'_>) -> Result<AnnouncementRow, AnnouncementError> {
        let now_ms = self.world.now_ms();
        let from_ms = new.from_ms.unwrap_or(now_ms);
        if new.until_ms.is_some_and(|until_ms| until_ms <= now_ms.max(from_ms)) {
            return Err(AnnouncementError::Until);
        }
        Ok(AnnouncementRow {
            id,
            level: new.level.as_str().to_owned(),
            place: new.place.as_str().to_owned(),
            text_en: text(new.text_en).ok_or(AnnouncementError::English)?,
            text_zh: text(new.text_zh).ok_or(AnnouncementError::Chinese)?,
            link: link(new.link)?,
            from_ms,
            until_ms: new.until_ms,
            ended_at_ms: None,
            created_at_ms: now_ms,
        })
    }
}

fn text(typed: &str) -> Option<String> {
    let text = names::visible(typed);
    (1..=MOST_TEXT_CHARS).contains(&text.chars().count()).then_some(text)
}

/// Nothing but a path of ours or https: a link that runs a script, or names another host by two slashes, is none.
fn link(typed: &str) -> Result<Option<String>, AnnouncementError> {
    let link = typed.trim();
    if link.is_empty() {
        return Ok(None);
    }
    let is_plain =
        link.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let is_path = link.starts_with('/') && !link.starts_with("//");
    let is_https = link
        .strip_prefix("https://")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let is_short = link.len() <= MOST_LINK_CHARS;
    if is_plain && is_short && (is_path || is_https) {
        Ok(Some(link.to_owned()))
    } else {
        Err(AnnouncementError::Link)
    }
}

impl Announcement {
    /// An announcement is shown from its beginning on, and not any more from its end on.
    #[must_use]
    pub fn stage(&self, now_ms: i64) -> Stage {
        match self.until_ms {
            _ if self.ended_at_ms.is_some() => Stage::Over,
            Some(until_ms) if until_ms <= now_ms => Stage::Over,
            _ if self.from_ms > now_ms => Stage::Coming,
            _ => Stage::Shown,
        }
    }
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Incident, Self::Warning, Self::Information];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }

    /// What it is not said to be is information.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|level| level.as_str() == text).unwrap_or(Self::Information)
    }
}

impl Place {
    pub const ALL: [Self; 4] = [Self::All, Self::Site, Self::Docs, Self::Console];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Site => "site",
            Self::Docs => "docs",
            Self::Console => "console",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|place| place.as_str() == text).unwrap_or(Self::All)
    }
}

impl From<AnnouncementRow> for Announcement {
    fn from(row: AnnouncementRow) -> Self {
        Self {
            level: Level::parse(&row.level),
            place: Place::parse(&row.place),
            id: row.id,
            text_en: row.text_en,
            text_zh: row.text_zh,
            link: row.link,
            from_ms: row.from_ms,
            until_ms: row.until_ms,
            ended_at_ms: row.ended_at_ms,
            created_at_ms: row.created_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{on_each, origin};

    const NEW: NewAnnouncement<'_> = NewAnnouncement {
        level: Level::Warning,
        place: Place::All,
        text_en: "We move at noon.",
        text_zh: "中午迁移。",
        link: "/docs/errors",
        from_ms: None,
        until_ms: None,
    };

    #[tokio::test]
    async fn it_is_shown_in_its_time_and_put_away_until_it_says_something_else() {
        on_each(async |bench| {
            let announcements = &bench.accounts.announcements;
            let by = (&origin(), Actor::Operator("opr_1"));
            let member = bench.owner("ada@example.com").await;
            let now_ms = bench.clock_ms();
            let timed = NewAnnouncement { from_ms: Some(now_ms + 10), until_ms: Some(now_ms + 20), ..NEW };
            let id = announcements.create(by, &timed).await.expect("kept");
            let stage =
                async || announcements.find(&id).await.expect("read").expect("there").stage(bench.clock_ms());
            assert_eq!(stage().await, Stage::Coming);
            bench.clock.advance(10);
            assert_eq!(stage().await, Stage::Shown);
            assert!(announcements.dismiss(&member, &id).await.expect("put away"));
            assert!(!announcements.dismiss(&member, "ann_nobody").await.expect("asked"));
            assert_eq!(announcements.dismissed(&member).await.expect("read"), std::slice::from_ref(&id));
            let longer = NewAnnouncement { until_ms: None, ..NEW };
            announcements.change(by, (&id, &longer)).await.expect("changed");
            assert!(
                announcements.dismissed(&member).await.expect("read").is_empty(),
                "it says something else"
            );
            bench.clock.advance(100);
            assert_eq!(announcements.not_over().await.expect("read").len(), 1);
            assert!(announcements.end(by, &id).await.expect("ended"));
            assert!(!announcements.end(by, &id).await.expect("asked"), "once");
            assert!(announcements.not_over().await.expect("read").is_empty());
            let gone = announcements.change(by, (&id, &longer)).await.expect_err("it has ended");
            assert!(matches!(gone, AnnouncementError::Unknown));
            bench.accounts.audit.verify().await.expect("read").expect("the log holds");
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_no_text_or_no_link_is_refused_by_its_field() {
        on_each(async |bench| {
            let by = (&origin(), Actor::Operator("opr_1"));
            let now_ms = bench.clock_ms();
            let long = "字".repeat(MOST_TEXT_CHARS + 1);
            for (wrong, wanted) in [
                (NewAnnouncement { text_en: "\u{200B} ", ..NEW }, "text_en"),
                (NewAnnouncement { text_zh: &long, ..NEW }, "text_zh"),
                (NewAnnouncement { link: "javascript:alert(1)", ..NEW }, "link"),
                (NewAnnouncement { link: "//elsewhere.example", ..NEW }, "link"),
                (NewAnnouncement { link: "http://plain.example", ..NEW }, "link"),
                (NewAnnouncement { link: "https://\"onclick", ..NEW }, "link"),
                (NewAnnouncement { until_ms: Some(now_ms), ..NEW }, "until"),
                (NewAnnouncement { from_ms: Some(now_ms + 9), until_ms: Some(now_ms + 9), ..NEW }, "until"),
            ] {
                let refused = bench.accounts.announcements.create(by, &wrong).await.expect_err("refused");
                assert!(refused.to_string().starts_with(wanted), "{refused}");
            }
            assert!(bench.accounts.announcements.newest(9).await.expect("read").is_empty());
        })
        .await;
    }
}
