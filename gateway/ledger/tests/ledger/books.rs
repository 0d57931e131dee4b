//! Price books: published once, in order, as body and as rows, and read back as they were.
use crate::support::{START_MS, desk};
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{BookOptions, Catalog, Component, Markup, Overrides, PriceBook};
use bytespike_ledger::{BooksError, Draft, Ledger};
use bytespike_store::testing::on_each_database;
use bytespike_store::{Store, on_database, sqlx};

fn draft(overrides: serde_json::Value) -> Draft {
    let catalog = Catalog::embedded().expect("reads");
    let overrides: Overrides = serde_json::from_value(overrides).expect("overrides");
    let options = BookOptions {
        markup: Markup::LIST_PRICE,
        fx: FxRate::new("2026-10-14", "7.00", "a test").expect("a rate"),
        extra: Vec::new(),
        overrides: overrides.clone(),
        at_ms: START_MS,
    };
    Draft {
        book: PriceBook::build(&catalog, &options).expect("builds"),
        overrides,
        note: "a test".to_owned(),
        observed: catalog.fx_observations,
    }
}

fn plain() -> Draft {
    draft(serde_json::json!({}))
}

fn dearer() -> Draft {
    draft(serde_json::json!({"markup": {"models": {"claude-sonnet-5-5": "2"}}}))
}

async fn version_in_force(ledger: &Ledger) -> i64 {
    ledger.prices_in_force().await.expect("reads").expect("is published").publication.version
}

async fn count(store: &Store, sql: &'static str) -> i64 {
    on_database!(read store, db => sqlx::query_scalar(sql).fetch_one(db).await).expect("counts")
}

#[tokio::test]
async fn a_change_is_a_new_version_and_the_same_content_is_none() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        assert!(desk.ledger.prices_in_force().await.expect("reads").is_none());
        let versions = [
            desk.ledger.publish(plain()).await.expect("is published").version,
            desk.ledger.publish(plain()).await.expect("is published").version,
            desk.ledger.publish(dearer()).await.expect("is published").version,
        ];
        assert_eq!(versions, [1, 1, 2]);
        assert_eq!(version_in_force(&desk.ledger).await, 2);
        let in_force = desk.ledger.prices_in_force().await.expect("reads").expect("is published");
        assert_eq!(
            (&*in_force.book, in_force.overrides),
            (&dearer().book.with_version(2), dearer().overrides)
        );
        desk.ledger.publish(plain()).await.expect("is published again");
        let history: Vec<i64> =
            desk.ledger.publications(10).await.expect("reads").iter().map(|p| p.version).collect();
        assert_eq!(history, [1, 2, 1], "a book that was in force before keeps its version");
        assert_eq!(count(&desk.store, "select changes from change_counter where name = 'prices'").await, 3);
    })
    .await;
}

#[tokio::test]
async fn every_price_is_a_row_beside_its_list_price() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        let book = desk.ledger.publish(plain()).await.expect("is published");
        let rows = i64::try_from(book.models().map(|model| model.prices.len()).sum::<usize>()).expect("fits");
        assert_eq!(count(&desk.store, "select count(*) from price where version = 1").await, rows);
        let (usd, list, currency): (i64, i64, String) = on_database!(read &desk.store, db => sqlx::query_as(
            "select usd_pico, list_pico, currency from price where model = 'glm-5.3' and component = 'input'")
            .fetch_one(db).await)
        .expect("reads");
        assert_eq!((usd, list, currency.as_str()), (1_142_858, 8_000_000, "CNY"));
        assert_eq!(
            count(&desk.store, "select count(*) from fx_rate").await,
            3,
            "each observed rate, the one in use among them"
        );
        assert_eq!(count(&desk.store, "select count(*) from price_holiday").await, 13);
    })
    .await;
}

#[tokio::test]
async fn what_was_published_cannot_be_changed_and_a_changed_row_is_noticed() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        desk.ledger.publish(plain()).await.expect("is published");
        for sql in ["update price set usd_pico = 0", "delete from price", "update price_publication set note = ''"] {
            let refused = on_database!(&desk.store, db => sqlx::query(sql).execute(db).await.map(drop));
            assert!(refused.is_err(), "{sql}");
        }
        on_database!(&desk.store, db => sqlx::query(
            "insert into price (version, model, seq, component, unit, usd_pico, currency, list_pico, source, source_date, verification)
             values (1, 'glm-5.3', 99, 'input', 'token', 1, 'USD', 1, '', '', 'official')").execute(db).await.map(drop))
            .expect("a row more can be written by hand");
        let refused = desk.ledger.price_book(1).await.expect_err("is noticed");
        assert!(matches!(refused, BooksError::Rows(1)), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn processes_that_publish_at_once_agree() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        let mut tasks = tokio::task::JoinSet::new();
        for round in 0..8 {
            let ledger = desk.ledger.clone();
            tasks.spawn(async move {
                let draft = if round % 2 == 0 { plain() } else { dearer() };
                let hash = draft.book.hash.clone();
                (hash, ledger.publish(draft).await.expect("is published").version)
            });
        }
        let mut versions = std::collections::BTreeMap::new();
        while let Some(done) = tasks.join_next().await {
            let (hash, version) = done.expect("ran");
            assert_eq!(*versions.entry(hash).or_insert(version), version, "one book, one version");
        }
        assert_eq!(versions.len(), 2);
        let rows = count(&desk.store, "select count(*) from price where version = 1").await;
        assert_eq!(rows, count(&desk.store, "select count(*) from price where version = 2").await);
        desk.ledger.price_book(1).await.expect("its rows fit");
    })
    .await;
}

#[tokio::test]
async fn a_chosen_rate_has_one_value() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        let chosen = |rate: &str| {
            draft(serde_json::json!({"fx": {"date": "2026-11-20", "usd_cny": rate, "source": "bank"}}))
        };
        let book = desk.ledger.publish(chosen("7.2")).await.expect("is published");
        let price = book.find("glm-5.3").and_then(|model| model.price(Component::Input, 0, START_MS));
        assert_eq!(price.map(|price| price.usd_pico.0), Some(1_111_112));
        desk.ledger.publish(chosen("7.3")).await.expect("another rate of that day has another name");
        assert_eq!(
            desk.ledger.newest_rate().await.expect("reads").map(|rate| rate.usd_cny_micro),
            Some(7_300_000)
        );
    })
    .await;
}
