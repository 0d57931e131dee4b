//! Turns what the ledger wants told into letters for those who answer for the org.

use bytespike_accounts::orgs::Language;
use bytespike_console::alert::{self, Addressee, AlertEvent};
use bytespike_console::{Letter, locale_of};
use bytespike_store::letter::NewLetter;
use bytespike_store::outbox::{self, Event};
use bytespike_store::sqlx;
use bytespike_ui::Urls;

use crate::core::Core;
use crate::mail::{Outbox, Sealed};

/// Events taken at once.
const AT_ONCE: u32 = 50;
/// What is older than this is no news: it waited for a mail server that was not configured.
const NEWS_MS: i64 = 3 * 24 * 3_600_000;

/// Writes the letters of every event that has none yet; answers how many events there were.
///
/// # Errors
/// The database cannot be read or written.
pub async fn write_letters(core: &Core, outbox: &Outbox, urls: &Urls) -> sqlx::Result<usize> {
    let events = outbox::unmailed(&core.store, AT_ONCE).await?;
    for event in &events {
        let letters = letters(core, event, (outbox, urls)).await?;
        let now_ms = core.world.now_ms();
        let new: Vec<NewLetter<'_>> =
            letters.iter().map(|sealed| NewLetter { id: &sealed.id, sealed: &sealed.text, now_ms }).collect();
        outbox::mail(&core.store, &event.id, &new, now_ms).await?;
    }
    if !events.is_empty() {
        outbox.wake();
    }
    Ok(events.len())
}

async fn letters(core: &Core, event: &Event, (outbox, urls): (&Outbox, &Urls)) -> sqlx::Result<Vec<Sealed>> {
    if core.world.now_ms() - event.created_at_ms > NEWS_MS {
        return Ok(Vec::new());
    }
    let names = core.ledger.names(&event.org_id).await?;
    let about = AlertEvent { kind: &event.kind, subject: &event.subject, payload_json: &event.payload_json };
    let readers: Vec<(String, Language)> = match alert::addressee(about) {
        Addressee::One(to, language) => vec![(to, language)],
        Addressee::Nobody => Vec::new(),
        Addressee::Readers => {
            let readers = outbox::readers(&core.store, &event.id).await?;
            readers.into_iter().map(|reader| (reader.email, Language::from_tag(&reader.language))).collect()
        }
    };
    let written = readers.into_iter().filter_map(|(to, language)| {
        let words = alert::write(about, &names, (locale_of(language), urls))?;
        let letter = Letter { to, subject: words.subject, text: words.text, html: words.html };
        Some(outbox.seal(&letter))
    });
    Ok(written.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_accounts::Accounts;
    use bytespike_accounts::secrets::{Keyring, MasterKey, SealPurpose};
    use bytespike_ledger::Ledger;
    use bytespike_store::world::World;
    use bytespike_store::{Store, letter, on_database};

    const SHARE: &str = r#"{"node":"key:key_1","window":"1d","percent":80,"limit_credits":"5000000.000",
        "used_credits":"4100000.000","resets_at_ms":null}"#;

    async fn run(store: &Store, sql: &'static str) {
        on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).unwrap();
    }

    /// An org with an owner, a billing member who reads Chinese, and two developers, one of whom holds the key.
    async fn org(store: &Store) {
        run(store, "insert into org (id, name, preset, created_at_ms) values ('org_1', 'Loom', 'global', 0)")
            .await;
        run(store, "insert into deployment (id, org_id, name, slug, created_at_ms) values ('dep_1', 'org_1', 'default', 'default', 0)").await;
        run(
            store,
            "insert into person (id, email, email_key, name, language, time_zone, email_verified_at_ms, created_at_ms)
             values ('p1', 'owner@example.com', 'owner@example.com', 'Ada', 'en', 'UTC', 1, 0),
                    ('p2', 'money@example.com', 'money@example.com', '林', 'zh', 'UTC', 1, 0),
                    ('p3', 'holder@example.com', 'holder@example.com', 'Bo', 'en', 'UTC', 1, 0),
                    ('p4', 'other@example.com', 'other@example.com', 'Cy', 'en', 'UTC', 1, 0)",
        )
        .await;
        run(
            store,
            "insert into member (id, org_id, person_id, role, created_at_ms) values
                 ('mem_1', 'org_1', 'p1', 'owner', 0), ('mem_2', 'org_1', 'p2', 'billing', 0),
                 ('mem_3', 'org_1', 'p3', 'developer', 0), ('mem_4', 'org_1', 'p4', 'developer', 0)",
        )
        .await;
        run(
            store,
            "insert into api_key (id, org_id, deployment_id, member_id, name, kind, scopes_json, created_at_ms)
             values ('key_1', 'org_1', 'dep_1', 'mem_3', 'nightly', 'live', '[]', 0)",
        )
        .await;
    }

    #[tokio::test]
    async fn those_who_answer_and_the_keys_holder_are_written_to_once_in_their_languages() {
        let folder = tempfile::tempdir().unwrap();
        let (world, clock) = World::manual(1_795_512_600_000, 3);
        let store =
            Store::connect(&format!("sqlite:{}", folder.path().join("a.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        let keyring = Keyring::from(MasterKey::random(&world));
        let core = Core {
            accounts: Accounts::new(store.clone(), world.clone(), &keyring, 1),
            ledger: Ledger::open(store.clone(), world.clone()).await.unwrap(),
            store: store.clone(),
            world: world.clone(),
            keyring: keyring.into(),
        };
        org(&store).await;
        let told = |id: &'static str, created_at_ms: i64| {
            let store = store.clone();
            async move {
                on_database!(&store, db => sqlx::query(
                    "insert into outbox (id, org_id, kind, subject, payload_json, created_at_ms)
                     values ($1, 'org_1', 'limit_share', 'key:key_1', $2, $3)")
                    .bind(id).bind(SHARE).bind(created_at_ms).execute(db).await.map(drop))
                .unwrap();
            }
        };
        told("evt_1", world.now_ms()).await;
        told("evt_old", world.now_ms() - NEWS_MS - 1).await;
        let seal = core.keyring.seal(SealPurpose::Letter);
        let outbox = Outbox::new(store.clone(), world.clone(), seal);
        let urls = Urls::single("https://byte.example");
        assert_eq!(write_letters(&core, &outbox, &urls).await.unwrap(), 2);
        assert_eq!(write_letters(&core, &outbox, &urls).await.unwrap(), 0, "once");

        clock.advance(1);
        let mut letters = Vec::new();
        while let Some(kept) = letter::take(&store, world.now_ms(), world.now_ms() + 1_000).await.unwrap() {
            letters.push(outbox.open(&kept).expect("opens"));
        }
        letters.sort_by(|a, b| a.to.cmp(&b.to));
        let readers: Vec<&str> = letters.iter().map(|letter| letter.to.as_str()).collect();
        assert_eq!(readers, ["holder@example.com", "money@example.com", "owner@example.com"]);
        assert!(letters[1].text.contains("密钥“nightly”") && letters[1].subject.contains("80%"));
        assert!(letters[2].text.contains("the key nightly") && letters[2].text.contains("$4.10"));
        assert!(letters[2].text.contains("https://byte.example/console/keys/key_1"));
    }
}
