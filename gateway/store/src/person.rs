//! People: who can sign in, and how they want to be spoken to.
use crate::audit_event::{Appends as _, Entry};
use crate::identity::{self, Identity};
use crate::{Store, on_database};
use serde_json::json;

/// One person. The address has been verified when `email_verified_at_ms` is set.
#[derive(Clone, sqlx::FromRow)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub name: String,
    pub language: String,
    pub time_zone: String,
    /// `language`, `comma_point`, `point_comma` or `space_comma`
    pub number_format: String,
    /// Argon2id in PHC form; `None` for someone who signs in another way.
    pub password_hash: Option<String>,
    pub state: String,
    pub email_verified_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

/// A person with everything that a new account consists of. Written in one transaction or not at all.
pub struct NewAccount<'a> {
    pub person: Person,
    pub email_key: &'a str,
    pub org_id: &'a str,
    pub org_name: &'a str,
    pub preset: &'a str,
    pub deployment_id: &'a str,
    pub member_id: &'a str,
    /// An operator has to let the person in: until then the account is disabled.
    pub waits: bool,
    /// The account elsewhere that signs the person in.
    pub identity: Option<&'a Identity>,
}

/// Creates person, org, `default` deployment and owner. False, and nothing written, if the address is taken.
pub async fn insert_account(store: &Store, account: &NewAccount<'_>, entry: &Entry) -> sqlx::Result<bool> {
    let NewAccount { person, .. } = account;
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into person (id, email, email_key, name, language, time_zone, password_hash, email_verified_at_ms, created_at_ms, state)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (email_key) do nothing")
            .bind(&person.id).bind(&person.email).bind(account.email_key).bind(&person.name)
            .bind(&person.language).bind(&person.time_zone).bind(&person.password_hash)
            .bind(person.email_verified_at_ms).bind(person.created_at_ms)
            .bind(if account.waits { "disabled" } else { "active" })
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        if account.waits {
            sqlx::query("insert into sign_up_request (person_id, asked_at_ms) values ($1, $2)")
                .bind(&person.id).bind(person.created_at_ms).execute(&mut *tx).await?;
        }
        sqlx::query("insert into org (id, name, preset, created_at_ms) values ($1, $2, $3, $4)")
            .bind(account.org_id).bind(account.org_name).bind(account.preset).bind(person.created_at_ms)
            .execute(&mut *tx).await?;
        sqlx::query("insert into deployment (id, org_id, name, slug, created_at_ms) values ($1, $2, 'default', 'default', $3)")
            .bind(account.deployment_id).bind(account.org_id).bind(person.created_at_ms)
            .execute(&mut *tx).await?;
        sqlx::query("insert into member (id, org_id, person_id, role, created_at_ms) values ($1, $2, $3, 'owner', $4)")
            .bind(account.member_id).bind(account.org_id).bind(&person.id).bind(person.created_at_ms)
            .execute(&mut *tx).await?;
        if let Some(identity) = account.identity {
            identity::put!(&mut *tx, identity);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

pub async fn find_by_email(store: &Store, email_key: &str) -> sqlx::Result<Option<Person>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, email, name, language, time_zone, number_format, password_hash, state, email_verified_at_ms, created_at_ms
         from person where email_key = $1")
        .bind(email_key).fetch_optional(db).await)
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<Person>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, email, name, language, time_zone, number_format, password_hash, state, email_verified_at_ms, created_at_ms
         from person where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// A second sign-up before the address was verified: the newest password and language count.
pub async fn restart_sign_up(
    store: &Store,
    id: &str,
    language: &str,
    password_hash: &str,
) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update person set language = $2, password_hash = $3 where id = $1 and email_verified_at_ms is null")
        .bind(id).bind(language).bind(password_hash).execute(db).await.map(drop))
}

/// What a link that was sent to the person's address proves, and does once.
#[derive(Clone, Copy)]
pub struct UsedLink<'a> {
    pub person_id: &'a str,
    /// As in `one_time_token`.
    pub kind: &'a str,
    pub token_hash: &'a str,
    pub now_ms: i64,
}

/// Uses a link up, inside a transaction; whether it would work still. It was read in the person's mailbox, so it proves the
/// address.
macro_rules! use_link {
    ($tx:expr, $link:expr) => {{
        let taken = sqlx::query(
            "delete from one_time_token where kind = $1 and token_hash = $2 and subject_id = $3 and expires_at_ms > $4")
            .bind($link.kind).bind($link.token_hash).bind($link.person_id).bind($link.now_ms)
            .execute(&mut *$tx).await?.rows_affected();
        if taken == 1 {
            sqlx::query("update person set email_verified_at_ms = coalesce(email_verified_at_ms, $2) where id = $1")
                .bind($link.person_id).bind($link.now_ms).execute(&mut *$tx).await?;
        }
        taken == 1
    }};
}

/// The address is proven. False, and nothing written, when the link is dead.
pub async fn verify(store: &Store, link: UsedLink<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        if !use_link!(tx, link) {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// The same password under newer parameters. Does nothing if the password was changed meanwhile.
pub async fn replace_hash(store: &Store, id: &str, old_hash: &str, new_hash: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update person set password_hash = $3 where id = $1 and password_hash = $2")
        .bind(id).bind(old_hash).bind(new_hash).execute(db).await.map(drop))
}

/// Sets the password inside a transaction, ends the person's sessions but one, and every reset link.
macro_rules! put_password {
    ($tx:expr, ($id:expr, $hash:expr), $keep_session_hash:expr) => {
        sqlx::query("update person set password_hash = $2 where id = $1")
            .bind($id)
            .bind($hash)
            .execute(&mut *$tx)
            .await?;
        sqlx::query("delete from session where person_id = $1 and id_hash <> $2")
            .bind($id)
            .bind($keep_session_hash)
            .execute(&mut *$tx)
            .await?;
        sqlx::query("delete from one_time_token where kind = 'reset_password' and subject_id = $1")
            .bind($id)
            .execute(&mut *$tx)
            .await?;
    };
}

/// A new password. Ends the person's sessions but `keep_session_hash`, and every reset link.
pub async fn set_password(
    store: &Store,
    (id, password_hash): (&str, &str),
    keep_session_hash: &str,
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        put_password!(tx, (id, password_hash), keep_session_hash);
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// A new password by a link, which proves the address too. Ends every session. False, and nothing written, when it is dead.
pub async fn reset_password(
    store: &Store,
    link: UsedLink<'_>,
    password_hash: &str,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        if !use_link!(tx, link) {
            return Ok(false);
        }
        put_password!(tx, (link.person_id, password_hash), "");
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// How a person is called and spoken to.
#[derive(Clone, Copy)]
pub struct ProfileRow<'a> {
    pub name: &'a str,
    pub language: &'a str,
    pub time_zone: &'a str,
    pub number_format: &'a str,
}

pub async fn set_profile(
    store: &Store,
    id: &str,
    profile: ProfileRow<'_>,
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let (name, language, time_zone, number_format): (String, String, String, String) = sqlx::query_as(
            "update person set name = name where id = $1 returning name, language, time_zone, number_format")
            .bind(id).fetch_one(&mut *tx).await?;
        sqlx::query("update person set name = $2, language = $3, time_zone = $4, number_format = $5 where id = $1")
            .bind(id).bind(profile.name).bind(profile.language).bind(profile.time_zone).bind(profile.number_format)
            .execute(&mut *tx).await?;
        let before = json!({
            "name": name, "language": language, "time_zone": time_zone, "number_format": number_format,
        });
        tx.append(&entry.before(before)).await?;
        tx.commit().await
    })
}

/// Stops the person: sessions end, and keys they hold stop at every instance within a second.
pub async fn disable(store: &Store, id: &str, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update person set state = 'disabled' where id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query("delete from session where person_id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}
