//! From each database into each, row by row the same.
use super::*;
use crate::testing::{on_postgres, on_sqlite};
use crate::{Store, on_database};
use std::io::Read as _;

/// An org with a key and a key derived from it, which refers to a row that may come later; a float nobody else has.
const ROWS: [&str; 6] = [
    "insert into org (id, name, preset, created_at_ms) values ('org_1', 'Ünï \"quoted\" 组织', 'global', 9223372036854775807)",
    "insert into deployment (id, org_id, name, slug, created_at_ms) values ('dep_1', 'org_1', 'd', 'd', 1)",
    "insert into member (id, org_id, service_name, role, created_at_ms) values ('mem_1', 'org_1', 's', 'owner', 1)",
    "insert into api_key (id, org_id, deployment_id, member_id, name, kind, scopes_json, created_at_ms)
     values ('key_z', 'org_1', 'dep_1', 'mem_1', 'root', 'live', '[]', 1)",
    "insert into api_key (id, org_id, deployment_id, member_id, parent_key_id, depth, name, kind, scopes_json, strict, created_at_ms)
     values ('key_a', 'org_1', 'dep_1', 'mem_1', 'key_z', 1, 'leaf', 'live', '[]', true, 2)",
    "update change_counter set changes = 42 where name = 'rights'",
];

async fn filled(store: &Store) {
    for sql in ROWS {
        on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).expect(sql);
    }
}

async fn backup_of(store: &Store) -> Vec<u8> {
    write(store, Vec::new(), 7).await.expect("a backup").0
}

/// The lines of a backup, each table's rows sorted, without the header and the end.
fn lines(backup: &[u8]) -> Vec<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(backup).read_to_string(&mut text).expect("gzip");
    let mut table = String::new();
    let lines = text.lines().map(|line| {
        if line.starts_with("{\"table\"") {
            line.clone_into(&mut table);
        }
        format!("{table} {line}")
    });
    let mut lines: Vec<String> = lines.skip(1).collect();
    lines.pop();
    lines.sort();
    lines
}

async fn emptied(store: &Store) {
    match store {
        Store::Sqlite { write, .. } => {
            let names: Vec<String> = sqlx::query_scalar(
                "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
            )
            .fetch_all(write)
            .await
            .expect("names");
            sqlx::query("pragma foreign_keys = off").execute(write).await.expect("off");
            for name in names {
                let sql = format!("drop table \"{name}\"");
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(write).await.expect("dropped");
            }
            sqlx::query("pragma foreign_keys = on").execute(write).await.expect("on");
        }
        Store::Postgres(pool) => {
            let schema: String =
                sqlx::query_scalar("select current_schema()").fetch_one(pool).await.expect("a schema");
            let sql = format!("drop schema {schema} cascade; create schema {schema}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("emptied");
        }
    }
}

#[tokio::test]
async fn every_row_travels_from_each_database_into_each() {
    let mut backups = Vec::new();
    let taken = std::sync::Mutex::new(&mut backups);
    let take = async |store: Store| {
        filled(&store).await;
        let backup = backup_of(&store).await;
        taken.lock().expect("not poisoned").push(backup);
    };
    on_sqlite(&take).await;
    on_postgres(&take).await;
    assert_eq!(lines(&backups[0]), lines(&backups[1]), "the databases differ");
    let restored = async |store: Store| {
        for backup in &backups {
            let refused = restore(&store, || Ok(backup.as_slice())).await;
            assert!(matches!(refused, Err(BackupError::NotEmpty(_))), "{refused:?}");
            emptied(&store).await;
            let contents = restore(&store, || Ok(backup.as_slice())).await.expect("restored");
            assert_eq!(contents.made_at_ms, 7);
            assert_eq!(lines(&backup_of(&store).await), lines(backup));
            // References are checked at once again.
            let orphan = on_database!(&store, db => sqlx::query(
                "insert into deployment (id, org_id, name, slug, created_at_ms) values ('x', 'nobody', 'd', 'd', 1)")
                .execute(db).await.map(drop));
            assert!(orphan.is_err());
        }
    };
    on_sqlite(&restored).await;
    on_postgres(&restored).await;
}

#[tokio::test]
async fn what_is_damaged_cut_or_newer_is_refused_before_anything_is_written() {
    on_sqlite(async |store| {
        filled(&store).await;
        let backup = backup_of(&store).await;
        emptied(&store).await;
        let mut text = String::new();
        flate2::read::GzDecoder::new(backup.as_slice()).read_to_string(&mut text).expect("gzip");
        let packed = |text: &str| {
            use std::io::Write as _;
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(text.as_bytes()).expect("packed");
            out.finish().expect("packed")
        };
        let changed = packed(&text.replace("\"leaf\"", "\"lead\""));
        let shortened = packed(&text[..text.len() / 2]);
        let without_end = packed(text.trim_end().rsplit_once('\n').expect("lines").0);
        let newer = packed(&text.replacen("\"migrations\":[1,", "\"migrations\":[1,999999,", 1));
        for bad in [&backup[..backup.len() / 2], &changed, &shortened, &without_end, &newer, b"hello", b""] {
            let refused = restore(&store, || Ok(bad)).await;
            assert!(refused.is_err(), "{} bytes were restored", bad.len());
            let tables: i64 = on_database!(&store, db => sqlx::query_scalar(
                "select count(*) from sqlite_master where name not like 'sqlite%'").fetch_one(db).await)
            .expect("counted");
            assert_eq!(tables, 0, "{refused:?}");
        }
    })
    .await;
}
