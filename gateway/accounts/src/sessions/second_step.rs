//! Between the password and the second factor: nobody is signed in yet, and only this browser may go on.
use super::{Session, Sessions};
use serde::{Deserialize, Serialize};
use tower_sessions::session::Error;

const SECOND_STEP: &str = "second_step";
/// So long the second factor is waited for.
const WAITS_MS: i64 = 10 * 60_000;

#[derive(Serialize, Deserialize)]
struct SecondStep {
    person_id: String,
    at_ms: i64,
}

impl Sessions {
    /// The first step was right. What the session held is dropped and its id changes, as at sign-in.
    pub async fn begin_second_step(&self, session: &Session, person_id: &str) -> Result<(), Error> {
        session.cycle_id().await?;
        session.clear().await;
        let entry = SecondStep { person_id: person_id.to_owned(), at_ms: self.world.now_ms() };
        session.insert(SECOND_STEP, entry).await
    }

    /// Whose second factor this browser is asked for, if it is still waited for.
    pub async fn second_step(&self, session: &Session) -> Result<Option<String>, Error> {
        let entry: Option<SecondStep> = session.get(SECOND_STEP).await?;
        let live = entry.filter(|entry| self.world.now_ms() - entry.at_ms < WAITS_MS);
        Ok(live.map(|entry| entry.person_id))
    }
}
