//! Two processes on one PostgreSQL, no sticky sessions: 128 clients on one wallet, each call at either of them. The wallet
//! and every limit are exact to the nano, and what a client was told was charged is what the books say.

use std::collections::BTreeMap;

use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::database::{Kind, number, rows};
use bytespike_tests::http::Call;
use bytespike_tests::invariants;
use bytespike_tests::person::Person;
use bytespike_tests::product::{Product, Setup};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::nano;
use bytespike_tests::upstream::{Upstream, scenes};
use bytespike_tests::{PATIENCE, scale};

const CLIENTS: usize = 128;
/// A price that is no whole number of nano-USD a token.
const ODD: &str = "scripted-odd";
const ODD_GPT: &str = "scripted-odd-gpt";

/// Two gateways, and keys in them.
struct Pair {
    first: Product,
    second: Product,
    person: Person,
    _upstream: Upstream,
}

/// What all clients of a key were told.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    landed: i64,
    charged_nano: i64,
    refused: i64,
}

impl Pair {
    async fn start(trial_credits: u64) -> Self {
        let upstream = Upstream::start(scenes::play).await;
        let setup = Setup::scripted(&upstream.url())
            .on(Kind::Postgres)
            .trial_grant(trial_credits)
            .model(ODD, "1.234567")
            .model(ODD_GPT, "0.765433")
            .channel("anthropic", &upstream.url(), &[ODD])
            .channel("openai-chat", &format!("{}/v1", upstream.url()), &[ODD_GPT]);
        let first = setup.start().await;
        let mut person = Person::new(&first, "someone@example.com");
        person.sign_up().await;
        let second = setup.start_beside(&first).await;
        Self { first, second, person, _upstream: upstream }
    }

    /// Every client asks `calls` times, at one gateway and the other in turn, whichever key is its own.
    async fn load(&self, keys: &[String], calls: usize) -> BTreeMap<String, Told> {
        let mut clients = tokio::task::JoinSet::new();
        for n in 0..CLIENTS {
            let bases = [self.first.url.clone(), self.second.url.clone()];
            clients.spawn(client(n, bases, keys[n % keys.len()].clone(), calls));
        }
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for (key, more) in clients.join_all().await {
            let sum = told.entry(key).or_default();
            sum.add(more);
        }
        // What the last of them gave back is used up as well.
        for key in keys {
            let sum = told.entry(key.clone()).or_default();
            while ask(&self.second.url, key, (Speaker::OpenAi, ODD_GPT, false), sum).await {}
        }
        told
    }
}

impl Told {
    fn add(&mut self, more: Self) {
        self.landed += more.landed;
        self.charged_nano += more.charged_nano;
        self.refused += more.refused;
    }
}

async fn client(n: usize, bases: [String; 2], key: String, calls: usize) -> (String, Told) {
    let mut told = Told::default();
    for call in 0..calls {
        let what =
            (SPEAKERS[(n + call) % 2], [ODD, ODD_GPT][(n / 4 + call) % 2], (n / 2 + call).is_multiple_of(3));
        ask(&bases[(n + call) % 2], &key, what, &mut told).await;
    }
    (key, told)
}

/// One call; whether it was answered, and not refused for want of credit.
async fn ask(
    base: &str,
    key: &str,
    (speaker, model, stream): (Speaker, &str, bool),
    told: &mut Told,
) -> bool {
    let mut body = speaker.ask(model, stream);
    if speaker == Speaker::OpenAi && stream {
        body["stream_options"] = serde_json::json!({"include_usage": true});
    }
    let answer = speaker.call(base, key, &body).send().await;
    match answer.status {
        200 => {
            let usage =
                if stream { speaker.last_usage(&answer.events()) } else { answer.json()["usage"].clone() };
            // Where the ledger took too long the answer says nothing, and its receipt says what became of it.
            let charged_nano = match usage["cost_credits"].is_string() {
                true => nano(&usage["cost_credits"]),
                false => charged_in_the_end(base, key, answer.header("x-receipt-id")).await,
            };
            told.landed += i64::from(charged_nano > 0);
            told.charged_nano += charged_nano;
            true
        }
        402 | 429 => {
            told.refused += 1;
            false
        }
        status => panic!("{status}: {}", answer.text()),
    }
}

/// What the receipt says, once it is there.
async fn charged_in_the_end(base: &str, key: &str, id: &str) -> i64 {
    let started = std::time::Instant::now();
    loop {
        let call = Call::get(format!("{base}/v1/receipts/{id}")).header("x-api-key", key);
        let answer = call.send().await;
        if answer.status == 200 {
            return nano(&answer.json()["charged"]["credits"]);
        }
        assert!(started.elapsed() < 2 * PATIENCE, "{id} is not resolved: {}", answer.text());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// What every one of these tests ends with: the books are right, nothing is held, and no settlement was lost.
async fn check_books(store: &Store, told: &BTreeMap<String, Told>) {
    invariants::hold(store).await;
    let sum = |of: fn(&Told) -> i64| told.values().map(of).sum::<i64>();
    assert_eq!(
        number(store, "select count(*) from reservation where state = 'settled'").await,
        sum(|told| told.landed)
    );
    let charged = "select cast(coalesce(sum(charged_nano), 0) as bigint) from reservation";
    assert_eq!(number(store, charged).await, sum(|told| told.charged_nano), "told and booked");
    assert_eq!(number(store, "select cast(sum(held_nano) as bigint) from wallet").await, 0);
    let both = "select count(distinct owner) from reservation";
    assert_eq!(number(store, both).await, 2, "both gateways took holds");
}

#[tokio::test]
async fn two_gateways_overspend_no_wallet_and_lose_no_settlement() {
    let mut pair = Pair::start(4_500).await;
    let calls = scale("calls of each of 128 clients of two gateways on one wallet", 4, 60);
    let keys = [pair.person.create_key("a", &[]).await, pair.person.create_key("b", &[]).await];
    let told = pair.load(&keys, calls).await;
    let store = pair.first.database.connect().await;
    check_books(&store, &told).await;
    assert!(told.values().all(|told| told.refused > 0), "the wallet was used up: {told:?}");
    let left = number(&store, "select posted_nano from wallet").await;
    let given = number(&store, "select cast(sum(amount_nano) as bigint) from journal_entry where account = 'bonus' and amount_nano > 0").await;
    assert_eq!(given - left, told.values().map(|told| told.charged_nano).sum::<i64>());
    // Less is left than the cheapest call holds.
    let least = number(&store, "select min(held_nano) from reservation").await;
    assert!((0..least).contains(&left), "{left} is left, and a call holds {least}");
    store.close().await;
}

#[tokio::test]
async fn two_gateways_keep_every_keys_limits_and_windows_exact_to_the_nano() {
    let mut pair = Pair::start(1_000_000).await;
    let calls = scale("calls of each of 128 clients of two gateways with limits", 4, 40);
    let limits: [&[(&str, &str)]; 4] = [
        &[("limit_lifetime", "0.0011")],
        &[("limit_1d", "0.0013")],
        &[("limit_5h", "0.0009"), ("limit_7d", "0.0014")],
        &[("limit_month", "0.0012"), ("limit_lifetime", "0.0017")],
    ];
    let mut keys = Vec::new();
    for (n, fields) in limits.iter().enumerate() {
        keys.push(pair.person.create_key(&format!("key {n}"), fields).await);
    }
    let told = pair.load(&keys, calls).await;
    let store = pair.first.database.connect().await;
    check_books(&store, &told).await;
    check_limits(&store, &told).await;
    store.close().await;
}

/// Each limit's counter is what the clients of its key were told, it was never passed, and what is left holds no call.
async fn check_limits(store: &Store, told: &BTreeMap<String, Told>) {
    let limits = rows(
        store,
        "select substr(l.node_id, 5), l.window_kind, l.limit_nano, l.used_nano, l.held_nano,
                (select min(r.held_nano) from reservation r where r.key_id = substr(l.node_id, 5))
         from spend_limit l where l.node_id like 'key:%' order by l.node_id, l.window_kind",
    )
    .await;
    assert_eq!(limits.len(), 6, "{limits:?}");
    let charged: Vec<i64> = told.values().map(|told| told.charged_nano).collect();
    let mut nearest: BTreeMap<&str, i64> = BTreeMap::new();
    for limit in &limits {
        let [limit_nano, used_nano, held_nano, least] =
            [2, 3, 4, 5].map(|at| limit[at].parse::<i64>().unwrap());
        assert_eq!(held_nano, 0, "{limit:?}");
        assert!(used_nano <= limit_nano, "{limit:?}");
        assert!(charged.contains(&used_nano), "no key's clients were told {used_nano}: {limit:?} {told:?}");
        let room = nearest.entry(&limit[0]).or_insert(i64::MAX);
        *room = (*room).min((limit_nano - used_nano) - least);
    }
    assert!(nearest.values().all(|room| *room < 0), "a call would still have fitted: {nearest:?}");
}

#[tokio::test]
async fn two_gateways_hold_the_keys_of_one_parent_to_its_limit() {
    let mut pair = Pair::start(1_000_000).await;
    let calls = scale("calls of each of 128 clients of two gateways under one parent key", 3, 30);
    let parent =
        pair.person.create_key("parent", &[("limit_lifetime", "0.004"), ("limit_1d", "0.003")]).await;
    let mut keys = Vec::new();
    for n in 0..8 {
        keys.push(pair.person.create_key(&format!("child {n}"), &[]).await);
    }
    let store = pair.first.database.connect().await;
    // Deriving keys has no page yet; the tree of keys and its limits have their tables.
    let derive = "update api_key set depth = 1, parent_key_id = (select id from api_key where name = 'parent') where name like 'child %'";
    on_database!(&store, db => sqlx::query(derive).execute(db).await.map(drop)).unwrap();
    let changed = "update change_counter set changes = changes + 1 where name = 'rights'";
    on_database!(&store, db => sqlx::query(changed).execute(db).await.map(drop)).unwrap();
    let told = pair.load(&keys, calls).await;
    assert!(!told.contains_key(&parent));
    check_books(&store, &told).await;
    let used = number(&store, "select min(used_nano) from spend_limit where node_id like 'key:%'").await;
    assert_eq!(
        used,
        told.values().map(|told| told.charged_nano).sum::<i64>(),
        "the parent counts its children"
    );
    let least = number(&store, "select min(held_nano) from reservation").await;
    assert!(
        (3_000_000 - least..=3_000_000).contains(&used),
        "{used} of 3000000 is used, and a call holds {least}"
    );
    assert_eq!(number(&store, "select count(*) from spend_limit where used_nano > limit_nano").await, 0);
    store.close().await;
}
