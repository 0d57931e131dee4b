//! What somebody should be told. The ledger writes it with what makes it true; here it is turned into letters, once.
use crate::letter::NewLetter;
use crate::{Store, on_database};

/// Wants something told, inside the transaction of what makes it true.
macro_rules! put {
    ($db:expr, $event:expr) => {
        sqlx::query(
            "insert into outbox (id, org_id, kind, subject, payload_json, created_at_ms) values ($1, $2, $3, $4, $5, $6)")
            .bind(&$event.id).bind(&$event.org_id).bind(&$event.kind).bind(&$event.subject).bind(&$event.payload_json)
            .bind($event.created_at_ms).execute($db).await?
    };
}
pub(crate) use put;

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    pub id: String,
    pub org_id: String,
    pub kind: String,
    /// A limit node such as `key:…`, or `org:…`.
    pub subject: String,
    pub payload_json: String,
    pub created_at_ms: i64,
}

/// Who is told of it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Reader {
    pub email: String,
    pub language: String,
    pub time_zone: String,
}

/// The oldest events that no letter was written for.
pub async fn unmailed(store: &Store, limit: u32) -> sqlx::Result<Vec<Event>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, kind, subject, payload_json, created_at_ms from outbox
         where mailed_at_ms is null order by created_at_ms, id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// Whom of an org an event `o` is for, by its `member`: whoever answers for the org or its money, whoever is the member or
/// holds the key that it is about. That a key ends soon is its holder's business, or, of a service account's, that of
/// those who answer for the org.
macro_rules! audience {
    () => {
        "(o.subject = 'mem:' || member.id
          or exists (select 1 from api_key k where k.id = substr(o.subject, 5) and k.member_id = member.id)
          or (member.role in ('owner', 'admin', 'billing')
              and (o.kind <> 'key_expiring'
                   or exists (select 1 from api_key k join member h on h.id = k.member_id
                              where k.id = substr(o.subject, 5) and h.person_id is null))))"
    };
}
pub(crate) use audience;

/// Everyone whom the event is for.
pub async fn readers(store: &Store, event_id: &str) -> sqlx::Result<Vec<Reader>> {
    on_database!(read store, db => sqlx::query_as(concat!(
        "select distinct person.email, person.language, person.time_zone
         from outbox o join member on member.org_id = o.org_id join person on person.id = member.person_id
         where o.id = $1 and member.state = 'active' and person.state = 'active'
           and person.email_verified_at_ms is not null and ", audience!(), "
         order by person.email"))
        .bind(event_id).fetch_all(db).await)
}

/// Keeps the event's letters, unless another process has done so; answers whether this one did.
pub async fn mail(
    store: &Store,
    event_id: &str,
    letters: &[NewLetter<'_>],
    now_ms: i64,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let mine = sqlx::query("update outbox set mailed_at_ms = $2 where id = $1 and mailed_at_ms is null")
            .bind(event_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if mine == 0 {
            return Ok(false);
        }
        for letter in letters {
            sqlx::query("insert into letter (id, outbox_id, sealed, due_at_ms, created_at_ms) values ($1, $2, $3, $4, $4)")
                .bind(letter.id).bind(event_id).bind(letter.sealed).bind(letter.now_ms).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
}
