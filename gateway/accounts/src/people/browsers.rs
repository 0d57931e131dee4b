//! Browsers an account signs in with: a letter tells of each new one.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::mail::{Mail, Notice};
use bytespike_store::known_browser::{self, Seen};

impl People {
    /// Remembers the browser, which is known by the value of a long-lived cookie of its own, and answers the letter to send
    /// when the account has others and this is a new one.
    pub async fn seen_with(
        &self,
        origin: &Origin,
        member: &Membership,
        browser: &str,
    ) -> sqlx::Result<Option<Mail>> {
        let (hash, now_ms) = (self.browsers.mac_hex(browser.as_bytes()), self.world.now_ms());
        let seen = known_browser::see(&self.store, member.person_id(), &hash, now_ms).await?;
        if seen != Seen::New {
            return Ok(None);
        }
        self.record(origin, Event::new("person.new_browser", Actor::Person(member.person_id()))).await;
        let notice = Notice::NewBrowser {
            user_agent: origin.user_agent.clone(),
            ip: origin.ip.to_string(),
            at_ms: now_ms,
            time_zone: member.time_zone().to_owned(),
        };
        Ok(Mail::notice(member, notice))
    }
}
