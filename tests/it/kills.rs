//! SIGKILL in the middle of load, again and again: whatever moment it hits, the next start finds everything right.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytespike_store::world::{Random as _, SeededRandom};
use bytespike_tests::database::{Kind, number};
use bytespike_tests::http::Call;
use bytespike_tests::invariants;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::{Stage, check_receipt, nano};
use bytespike_tests::{PATIENCE, scale, setting};

const CLIENTS: usize = 16;
const KEYS: usize = 3;
/// Between the start of the load and the kill, milliseconds.
const LOAD_MS: std::ops::Range<u64> = 30..700;
const SCENES: [&str; 4] = ["scene:text", "scene:tools", "scene:break", "scene:status-529"];

#[tokio::test]
async fn killed_again_and_again_under_load_on_sqlite_it_keeps_every_receipt_and_charges_nothing_twice() {
    kill_again_and_again(Kind::Sqlite).await;
}

#[tokio::test]
async fn killed_again_and_again_under_load_on_postgres_it_keeps_every_receipt_and_charges_nothing_twice() {
    kill_again_and_again(Kind::Postgres).await;
}

/// A receipt as a client has seen it: whose key reads it, what its call said it cost, and its bytes.
#[derive(Debug, Clone)]
struct Seen {
    key: String,
    told_nano: Option<i64>,
    body: Option<Vec<u8>>,
}

type AllSeen = Arc<Mutex<BTreeMap<String, Seen>>>;

#[expect(clippy::print_stdout, reason = "a seed that was random is printed")]
async fn kill_again_and_again(database: Kind) {
    let kills = scale(&format!("SIGKILL under load on {database:?}"), 4, 200);
    let seed = setting("TEST_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(20_261_125);
    println!("TEST_SEED={seed}, {kills} kills on {database:?}");
    let dice = Arc::new(SeededRandom::new(seed));
    let mut stage = Stage::with(|setup| setup.on(database).trial_grant(500_000_000)).await;
    let mut keys = vec![stage.key.clone()];
    for n in 1..KEYS {
        keys.push(stage.person.create_key(&format!("key {n}"), &[("limit_lifetime", "100")]).await);
    }
    let seen = AllSeen::default();
    for kill in 1..=kills {
        load_and_kill(&mut stage, (&keys, &dice), &seen).await;
        stage.product.start_again().await;
        check_books(&stage, database, kill == kills).await;
        check_receipts(&stage, &seen, if kill == kills { usize::MAX } else { 40 }).await;
    }
    let told = seen.lock().unwrap().values().filter(|seen| seen.told_nano.is_some()).count();
    println!("{told} charges were told to clients and stood");
    assert!(told > 0, "no call landed between the kills");
}

/// Clients ask without pause until the process is gone.
async fn load_and_kill(stage: &mut Stage, (keys, dice): (&[String], &Arc<SeededRandom>), seen: &AllSeen) {
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..CLIENTS {
        let (base, key) = (stage.product.url.clone(), keys[n % keys.len()].clone());
        clients.spawn(ask_until_gone(base, key, dice.clone(), seen.clone()));
    }
    let after_ms = LOAD_MS.start + below(dice, LOAD_MS.end - LOAD_MS.start);
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    stage.product.kill().await;
    let ended = tokio::time::timeout(PATIENCE, clients.join_all()).await;
    assert!(ended.is_ok(), "a client waits for a process that is gone");
}

async fn ask_until_gone(base: String, key: String, dice: Arc<SeededRandom>, seen: AllSeen) {
    loop {
        let speaker = SPEAKERS[pick(&dice, 2)];
        let mut body = speaker.ask([CLAUDE, GPT][pick(&dice, 2)], pick(&dice, 3) > 0);
        body["messages"][0]["content"] = SCENES[pick(&dice, SCENES.len())].into();
        if speaker == Speaker::OpenAi && body["stream"] == true {
            body["stream_options"] = serde_json::json!({"include_usage": true});
        }
        let Ok(stream) = speaker.call(&base, &key, &body).try_stream().await else { return };
        let Some(id) = stream.headers.get("x-receipt-id").and_then(|id| id.to_str().ok()).map(str::to_owned)
        else {
            continue;
        };
        let streamed = body["stream"] == true;
        let (answer, in_order) = stream.rest_or_cut().await;
        let told_nano = match (streamed, answer.status) {
            // What was written before the cut was said all the same.
            (true, 200) => told(&speaker.last_usage(&whole_events(&answer.body))),
            (false, 200) if in_order => told(&answer.json()["usage"]),
            _ => None,
        };
        seen.lock().unwrap().insert(id.clone(), Seen { key: key.clone(), told_nano, body: None });
        if !in_order {
            return;
        }
        // Some look at the receipt at once.
        if pick(&dice, 3) == 0 {
            let Ok(answer) = read_receipt(&base, &key, &id).await else { return };
            if let Some(seen) = seen.lock().unwrap().get_mut(&id) {
                seen.body = answer;
            }
        }
    }
}

fn told(usage: &serde_json::Value) -> Option<i64> {
    usage["cost_credits"].is_string().then(|| nano(&usage["cost_credits"]))
}

/// The events of a stream up to where it was cut.
fn whole_events(bytes: &[u8]) -> Vec<bytespike_tests::sse::Event> {
    let end = bytes.windows(2).rposition(|window| window == b"\n\n").map_or(0, |at| at + 2);
    bytespike_tests::sse::events(&bytes[..end])
}

/// The receipt's bytes, or nothing where it is not written (any more: a hold that was lost with its process).
async fn read_receipt(base: &str, key: &str, id: &str) -> Result<Option<Vec<u8>>, String> {
    let call = Call::get(format!("{base}/v1/receipts/{id}")).header("x-api-key", key);
    let (answer, in_order) = call.try_stream().await?.rest_or_cut().await;
    match (answer.status, in_order) {
        (200, true) => Ok(Some(answer.body)),
        (404, true) => Ok(None),
        (status, _) => Err(format!("{status}: {}", answer.text())),
    }
}

/// The promises by SQL. Holds of a dead process stand on a shared database until it is seen to be dead.
async fn check_books(stage: &Stage, database: Kind, is_last: bool) {
    let store = stage.product.database.connect().await;
    invariants::hold(&store).await;
    let held = "select count(*) from reservation where state = 'held'";
    if database == Kind::Sqlite {
        assert_eq!(number(&store, held).await, 0, "a start leaves nothing held");
    }
    if is_last {
        let started = std::time::Instant::now();
        while number(&store, held).await > 0 {
            assert!(started.elapsed() < 2 * PATIENCE, "holds of killed processes are still there");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(number(&store, "select cast(sum(held_nano) as bigint) from wallet").await, 0);
        invariants::hold(&store).await;
    }
    store.close().await;
}

/// What clients were told stands, and what they have read is the same, byte for byte. The newest first.
async fn check_receipts(stage: &Stage, seen: &AllSeen, most: usize) {
    let all: Vec<(String, Seen)> =
        seen.lock().unwrap().iter().rev().take(most).map(|(id, seen)| (id.clone(), seen.clone())).collect();
    for (id, before) in all {
        let body = read_receipt(&stage.product.url, &before.key, &id).await.expect("a receipt can be read");
        if let (Some(before), Some(now)) = (&before.body, &body) {
            assert_eq!(String::from_utf8_lossy(before), String::from_utf8_lossy(now), "{id} has changed");
        }
        assert!(before.body.is_none() || body.is_some(), "{id} was there and is gone");
        let Some(body) = body else {
            assert_eq!(before.told_nano, None, "{id} was charged and has no receipt");
            continue;
        };
        let receipt: serde_json::Value = serde_json::from_slice(&body).expect("a receipt is JSON");
        check_receipt(&receipt);
        if let Some(told_nano) = before.told_nano {
            assert_eq!(
                nano(&receipt["charged"]["credits"]),
                told_nano,
                "{id} is charged as its call said: {receipt}"
            );
        }
        seen.lock().unwrap().insert(id, Seen { body: Some(body), ..before });
    }
}

fn below(dice: &SeededRandom, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    dice.fill(&mut bytes);
    u64::from_le_bytes(bytes) % bound
}

fn pick(dice: &SeededRandom, length: usize) -> usize {
    usize::try_from(below(dice, length as u64)).unwrap_or(0)
}
