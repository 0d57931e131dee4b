//! Sessions of operators: a table and a cookie of their own, short lives, and two steps that are two types. Nothing that
//! makes a person's session makes one of these, or the other way round.
use crate::secrets::{MacKey, MacPurpose, Place, SealKey, SealPurpose, SecretText};
use crate::sessions::CONFIRMED_MS;
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::operator::OperatorRow;
use bytespike_store::operator_session::{self as rows, Alive, OperatorSessionRow};
use bytespike_store::world::World;
use std::fmt;

/// The cookie's name before the transport's prefix.
pub const OPERATOR_COOKIE: &str = "bs_operator";

const MINUTE_MS: i64 = 60_000;
const IDLE_MS: i64 = 30 * MINUTE_MS;
const ABSOLUTE_MS: i64 = 12 * 60 * MINUTE_MS;
/// So long the second factor is waited for.
const FIRST_STEP_MS: i64 = 10 * MINUTE_MS;
/// Reading a page writes nothing more often than this.
const SEEN_EVERY_MS: i64 = MINUTE_MS;
const MOST_USER_AGENT_CHARS: usize = 256;
const FIRST_STEP: &str = "first_step";
const SIGNED_IN: &str = "signed_in";

/// Makes, finds and ends them.
#[derive(Clone)]
pub struct OperatorSessions {
    store: Store,
    world: World,
    pepper: MacKey,
    seal: SealKey,
}

/// An operator whose password was right, and whose second factor is waited for. Opens no page but those.
#[derive(Clone)]
pub struct HalfSignedIn {
    pub operator: OperatorRow,
    row: OperatorSessionRow,
}

/// A live session after both steps.
#[derive(Clone)]
pub struct OperatorSession {
    pub operator: OperatorRow,
    /// What form tokens are bound to: [`Binding::Operator`](crate::csrf::Binding::Operator).
    pub csrf_binding: String,
    row: OperatorSessionRow,
}

/// What waits, sealed, for a session's next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A second factor that is offered.
    Offer,
    /// Recovery codes, to be shown once.
    Codes,
    /// What a channel answered.
    ChannelTest,
}

/// One line in the list of an operator's sessions.
#[derive(Clone, Debug)]
pub struct OperatorSessionInfo {
    pub user_agent: String,
    pub ip: String,
    pub signed_in_at_ms: i64,
    pub last_seen_at_ms: i64,
    pub is_current: bool,
}

impl OperatorSession {
    /// Whether its holder proved who they are in the last [`CONFIRMED_MS`].
    pub fn is_confirmed(&self, now_ms: i64) -> bool {
        now_ms - self.row.confirmed_at_ms < CONFIRMED_MS
    }
}

impl OperatorSessions {
    pub(crate) fn new(basis: &Basis<'_>) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            pepper: basis.keyring.mac(MacPurpose::OperatorSession),
            seal: basis.keyring.seal(SealPurpose::OperatorSession),
        }
    }

    /// The password was right: answers the cookie of the second step.
    pub(crate) async fn begin(&self, origin: &Origin, operator_id: &str) -> sqlx::Result<SecretText> {
        let now_ms = self.world.now_ms();
        let row = self.row(origin, operator_id);
        let row = OperatorSessionRow {
            step: FIRST_STEP.to_owned(),
            confirmed_at_ms: 0,
            ends_at_ms: now_ms + FIRST_STEP_MS,
            ..row
        };
        self.insert(None, row).await
    }

    /// Both steps were right: answers the cookie of the session, and the first step's is dead.
    pub(crate) async fn start(&self, origin: &Origin, half: &HalfSignedIn) -> sqlx::Result<SecretText> {
        let row = self.row(origin, &half.operator.id);
        self.insert(Some(&half.row.id_hash), row).await
    }

    /// Its holder has just proven who they are again: answers the cookie of the session's new id.
    pub(crate) async fn confirm(&self, session: &OperatorSession) -> sqlx::Result<SecretText> {
        let now_ms = self.world.now_ms();
        let row = OperatorSessionRow {
            confirmed_at_ms: now_ms,
            last_seen_at_ms: now_ms,
            kept_sealed: None,
            public_id: self.world.id("ops"),
            ..session.row.clone()
        };
        self.insert(Some(&session.row.id_hash), row).await
    }

    /// Whose second factor the holder of this cookie is asked for.
    pub async fn half(&self, cookie: &str) -> sqlx::Result<Option<HalfSignedIn>> {
        let found = rows::find(&self.store, (&self.hash(cookie), FIRST_STEP), self.alive()).await?;
        Ok(found.map(|(row, operator)| HalfSignedIn { operator, row }))
    }

    /// The operator who holds this cookie, if both steps were made and the session is live.
    pub async fn current(&self, cookie: &str) -> sqlx::Result<Option<OperatorSession>> {
        let found = rows::find(&self.store, (&self.hash(cookie), SIGNED_IN), self.alive()).await?;
        let Some((row, operator)) = found else { return Ok(None) };
        let now_ms = self.world.now_ms();
        if now_ms - row.last_seen_at_ms >= SEEN_EVERY_MS {
            rows::mark_seen(&self.store, &row.id_hash, now_ms).await?;
        }
        Ok(Some(OperatorSession { operator, csrf_binding: cookie.to_owned(), row }))
    }

    pub(crate) async fn end(&self, session: &OperatorSession) -> sqlx::Result<()> {
        rows::delete(&self.store, &session.row.id_hash).await
    }

    /// The operator's sessions, the most recently used first.
    pub async fn list(&self, current: &OperatorSession) -> sqlx::Result<Vec<OperatorSessionInfo>> {
        let rows = rows::of_operator(&self.store, &current.operator.id, self.alive()).await?;
        let info = |row: OperatorSessionRow| OperatorSessionInfo {
            is_current: row.id_hash == current.row.id_hash,
            user_agent: row.user_agent,
            ip: row.ip,
            signed_in_at_ms: row.created_at_ms,
            last_seen_at_ms: row.last_seen_at_ms,
        };
        Ok(rows.into_iter().map(info).collect())
    }

    pub(crate) async fn end_others(&self, current: &OperatorSession) -> sqlx::Result<()> {
        rows::delete_others(&self.store, &current.operator.id, &current.row.id_hash).await
    }

    /// The second factor that was offered to whoever is setting one up.
    pub(crate) fn offered(&self, half: &HalfSignedIn) -> Option<String> {
        self.open(&half.row, Kept::Offer).map(|text| text.expose().to_owned())
    }

    pub(crate) async fn keep_offer(&self, half: &HalfSignedIn, offer: &str) -> sqlx::Result<()> {
        self.put(&half.row.id_hash, (&half.operator.id, Kept::Offer), offer).await
    }

    /// Puts recovery codes where only the next page of the session behind this cookie finds them.
    pub(crate) async fn keep_codes(
        &self,
        cookie: &SecretText,
        (operator_id, codes): (&str, &[SecretText]),
    ) -> sqlx::Result<()> {
        let text = SecretText::new(codes.iter().map(SecretText::expose).collect::<Vec<_>>().join("\n"));
        self.put(&self.hash(cookie.expose()), (operator_id, Kept::Codes), text.expose()).await
    }

    /// Puts a text where only the next page of this session finds it.
    pub async fn keep(&self, session: &OperatorSession, what: Kept, text: &str) -> sqlx::Result<()> {
        self.put(&session.row.id_hash, (&session.operator.id, what), text).await
    }

    /// Takes what waits for the session's next page; reading it takes it away.
    pub async fn take(&self, session: &OperatorSession, what: Kept) -> sqlx::Result<Option<SecretText>> {
        let Some(text) = self.open(&session.row, what) else { return Ok(None) };
        rows::keep(&self.store, &session.row.id_hash, None).await?;
        Ok(Some(text))
    }

    /// Removes what does not count any more.
    pub(crate) async fn sweep(&self, at_once: i64) -> sqlx::Result<()> {
        while rows::delete_ended(&self.store, self.alive(), at_once).await? > 0 {}
        Ok(())
    }

    /// Something else that waits does not open as this.
    fn open(&self, row: &OperatorSessionRow, what: Kept) -> Option<SecretText> {
        self.seal.open_text(what.place(&row.operator_id), row.kept_sealed.as_deref()?).ok()
    }

    async fn put(&self, id_hash: &str, (operator_id, what): (&str, Kept), text: &str) -> sqlx::Result<()> {
        let sealed = self.seal.seal(&self.world, what.place(operator_id), text.as_bytes());
        rows::keep(&self.store, id_hash, Some(&sealed)).await
    }

    /// A session that begins now, both steps made; its id is made by [`Self::insert`].
    fn row(&self, origin: &Origin, operator_id: &str) -> OperatorSessionRow {
        let now_ms = self.world.now_ms();
        let visible = origin.user_agent.chars().filter(|c| !c.is_control());
        OperatorSessionRow {
            id_hash: String::new(),
            public_id: self.world.id("ops"),
            operator_id: operator_id.to_owned(),
            step: SIGNED_IN.to_owned(),
            kept_sealed: None,
            confirmed_at_ms: now_ms,
            ip: origin.ip.to_string(),
            user_agent: visible.take(MOST_USER_AGENT_CHARS).collect(),
            last_seen_at_ms: now_ms,
            ends_at_ms: now_ms + ABSOLUTE_MS,
            created_at_ms: now_ms,
        }
    }

    async fn insert(&self, ended: Option<&str>, row: OperatorSessionRow) -> sqlx::Result<SecretText> {
        let cookie = SecretText::new(hex::encode(self.world.bytes::<32>()));
        let row = OperatorSessionRow { id_hash: self.hash(cookie.expose()), ..row };
        rows::replace(&self.store, ended, &row).await?;
        Ok(cookie)
    }

    fn alive(&self) -> Alive {
        let now_ms = self.world.now_ms();
        Alive { now_ms, idle_since_ms: now_ms - IDLE_MS }
    }

    fn hash(&self, cookie: &str) -> String {
        self.pepper.mac_hex(cookie.as_bytes())
    }
}

impl Kept {
    fn place(self, operator_id: &str) -> Place<'_> {
        let column = match self {
            Self::Offer => "kept_offer",
            Self::Codes => "kept_codes",
            Self::ChannelTest => "kept_channel_test",
        };
        Place { table: "operator_session", row: operator_id, column }
    }
}

impl fmt::Debug for OperatorSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorSessions")
    }
}
