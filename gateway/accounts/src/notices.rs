//! What a member is told in the console: what their org is told, as far as it is for them, until they put it away.
use crate::people::Membership;
use bytespike_store::Store;
use bytespike_store::notice;
pub use bytespike_store::notice::{Cursor, NoticeRow};
use bytespike_store::world::World;

/// What is older is no news.
const NEWS_MS: i64 = 90 * 24 * 3_600_000;
/// More than these are not counted.
const MOST_COUNTED: i64 = 100;

/// The notices of members.
#[derive(Clone)]
pub struct Notices {
    pub(crate) store: Store,
    pub(crate) world: World,
}

impl Notices {
    /// A page of the member's notices, the newest first. At most `limit`.
    pub async fn of(
        &self,
        member: &Membership,
        page: (Option<&Cursor>, i64),
    ) -> sqlx::Result<Vec<NoticeRow>> {
        notice::of_member(&self.store, (member.member_id(), self.since_ms()), page).await
    }

    /// How many the member has not read; 100 stands for more.
    pub async fn unread(&self, member: &Membership) -> sqlx::Result<i64> {
        notice::unread(&self.store, (member.member_id(), self.since_ms()), MOST_COUNTED).await
    }

    /// The member has read everything up to a moment: that of the newest one they saw.
    pub async fn read(&self, member: &Membership, until_ms: i64) -> sqlx::Result<()> {
        notice::read(&self.store, (member.member_id(), self.since_ms()), (until_ms, self.world.now_ms()))
            .await
    }

    /// Puts one away. False when there is none that the member may see.
    pub async fn dismiss(&self, member: &Membership, id: &str) -> sqlx::Result<bool> {
        notice::dismiss(&self.store, member.member_id(), (id, self.world.now_ms())).await
    }

    fn since_ms(&self) -> i64 {
        self.world.now_ms() - NEWS_MS
    }
}
