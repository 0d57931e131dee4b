//! Whatever the tree of keys and its limits are, and whatever is done to them in whatever order: no node spends more than
//! its limit, and no key does what a key above it may not.

use bytespike_store::world::{Random as _, SeededRandom};
use bytespike_tests::database::{BOTH, Kind, rows};
use bytespike_tests::keys::{ask, derive, manager, with_limits};
use bytespike_tests::limits::{admin, try_set};
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano_header};
use bytespike_tests::{invariants, scale, setting};
use serde_json::{Value, json};

const CREDIT_NANO: i64 = 1_000;
/// What one call of these tests is charged.
const CHARGE_NANO: i64 = 17 * CREDIT_NANO;

/// 128 callers on sixteen keys below one, each until it is refused: together they stop exactly where one after the other
/// would, on the last call that fits under the limit of the key above them.
#[tokio::test]
async fn a_hundred_and_twenty_eight_callers_on_subkeys_stop_exactly_at_their_parents_limit() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let manager = manager(&mut stage).await;
        let hold = hold_nano(&stage, CLAUDE).await;
        // Room for exactly 40 calls: the fortieth is held with 39 charged before it, and a forty-first finds too little.
        let limit = 39 * CHARGE_NANO + hold;
        let (parent, _) =
            derive(&stage, &manager, &with_limits("parent", &[("lifetime", &credits(limit))])).await;
        let mut secrets = Vec::new();
        for n in 0..16 {
            let body = json!({"name": format!("child {n}"), "parent": parent});
            secrets.push(derive(&stage, &manager, &body).await.1);
        }
        let mut callers = tokio::task::JoinSet::new();
        for n in 0..128 {
            let (url, key) = (stage.product.url.clone(), secrets[n % secrets.len()].clone());
            callers.spawn(async move {
                // Calls that landed, and those of which a busy machine could not say what became of them.
                let (mut landed, mut unheard) = (0_i64, 0_i64);
                loop {
                    let call = Speaker::Anthropic.call(&url, &key, &Speaker::Anthropic.ask(CLAUDE, false));
                    let answer = call.send().await;
                    match answer.status {
                        200 if nano_header(&answer, "x-credits-charged") == CHARGE_NANO => landed += 1,
                        402 => return (landed, unheard),
                        200 | 503 => unheard += 1,
                        other => panic!("neither landed nor out of credit: {other}"),
                    }
                }
            });
        }
        let (mut landed, mut unheard) = (0, 0);
        for (own, own_unheard) in callers.join_all().await {
            (landed, unheard) = (landed + own, unheard + own_unheard);
        }
        // Holds of calls that ran at once may have kept the last ones out; one caller alone takes what is left.
        loop {
            match call(&stage, &secrets[0], CLAUDE).await {
                200 => landed += 1,
                402 => break,
                other => {
                    assert_eq!(other, 503);
                    unheard += 1;
                }
            }
        }
        let store = stage.product.database.connect().await;
        let parents = rows(&store, "select node_id, used_nano, held_nano, limit_nano from spend_limit").await;
        let used = 40 * CHARGE_NANO;
        let wanted = [format!("key:{parent}"), used.to_string(), "0".to_owned(), limit.to_string()];
        assert_eq!(parents, [wanted], "on {database:?}");
        assert!(
            landed <= 40 && 40 <= landed + unheard,
            "{landed} landed, {unheard} unheard of, {database:?}"
        );
        invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn no_sequence_of_calls_and_changes_lets_a_child_do_what_its_parent_may_not() {
    for database in BOTH {
        let seed = setting("TEST_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126);
        let steps = scale(&format!("steps on random key trees, {database:?}"), 120, 2_000);
        tell_seed(seed, steps, database);
        Forest::plant(database, seed).await.live(steps).await;
    }
}

#[expect(clippy::print_stdout, reason = "a seed that was random is printed")]
fn tell_seed(seed: u64, steps: usize, database: Kind) {
    println!("TEST_SEED={seed}, {steps} steps on {database:?}");
}

/// The product, and what we say it should do.
struct Forest {
    stage: Stage,
    /// Manages keys; in no tree.
    manager: String,
    /// Sets limits; in no tree.
    admin: String,
    /// Every key ever made, parents before children.
    keys: Vec<Tracked>,
    /// What a call of each model holds at most.
    holds: [(&'static str, i64); 2],
    random: SeededRandom,
}

/// A key as it should be.
struct Tracked {
    id: String,
    secret: String,
    parent: Option<usize>,
    depth: usize,
    models: Option<Vec<&'static str>>,
    active: bool,
    ended: bool,
    limit_nano: Option<i64>,
    /// Of calls made since the limit was set is all the ledger counts; before it, what it read.
    used_nano: i64,
}

/// Why a call should be refused, or that it should not.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Lands,
    KeyRefused,
    ModelRefused,
    OutOfCredit,
}

impl Forest {
    async fn plant(database: Kind, seed: u64) -> Self {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let (manager, admin) = (manager(&mut stage).await, admin(&mut stage).await);
        let holds = [(CLAUDE, hold_nano(&stage, CLAUDE).await), (GPT, hold_nano(&stage, GPT).await)];
        Self { stage, manager, admin, keys: Vec::new(), holds, random: SeededRandom::new(seed) }
    }

    fn pick(&self, below: usize) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % u64::try_from(below).unwrap()).unwrap()
    }

    fn path(&self, at: usize) -> Vec<usize> {
        let mut path = vec![at];
        while let Some(parent) = self.keys[*path.last().unwrap()].parent {
            path.push(parent);
        }
        path
    }

    fn expected(&self, at: usize, (model, hold): (&'static str, i64)) -> Expected {
        let path = self.path(at);
        if path.iter().any(|at| !self.keys[*at].active || self.keys[*at].ended) {
            return Expected::KeyRefused;
        }
        if path.iter().any(|at| self.keys[*at].models.as_ref().is_some_and(|list| !list.contains(&model))) {
            return Expected::ModelRefused;
        }
        let is_full = |at: &usize| {
            let key = &self.keys[*at];
            key.limit_nano.is_some_and(|limit| key.used_nano + hold > limit)
        };
        if path.iter().any(is_full) { Expected::OutOfCredit } else { Expected::Lands }
    }

    async fn live(mut self, steps: usize) {
        for step in 0..steps {
            match self.pick(10) {
                0 | 1 if self.keys.len() < 60 => self.make().await,
                2 => self.set_models().await,
                3 => self.set_limit().await,
                4 => self.switch().await,
                5 if step % 7 == 0 => self.end().await,
                _ => self.call().await,
            }
        }
        self.check_books().await;
    }

    async fn call(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let (at, priced) = (self.pick(self.keys.len()), self.holds[self.pick(2)]);
        let expected = self.expected(at, priced);
        let status = call(&self.stage, &self.keys[at].secret, priced.0).await;
        let got = match status {
            200 => Expected::Lands,
            401 => Expected::KeyRefused,
            402 => Expected::OutOfCredit,
            403 => Expected::ModelRefused,
            other => panic!("status {other}"),
        };
        assert_eq!(got, expected, "key {at} asked for {}", priced.0);
        if got == Expected::Lands {
            for above in self.path(at) {
                // Rule 0: allow(child) implies allow(every ancestor).
                assert_eq!(self.expected(above, priced), Expected::Lands, "{above} above {at}");
                self.keys[above].used_nano += CHARGE_NANO;
            }
        }
    }

    async fn make(&mut self) {
        let parent = (!self.keys.is_empty() && self.pick(4) > 0).then(|| self.pick(self.keys.len()));
        let depth = parent.map_or(0, |at| self.keys[at].depth + 1);
        let (models, limit_nano) = (self.some_models(), self.some_limit());
        let limits: Vec<Value> = limit_nano
            .iter()
            .map(|limit| json!({"limit": "lifetime", "limit_credits": credits(*limit)}))
            .collect();
        let body = json!({
            "name": format!("key {}", self.keys.len()),
            "parent": parent.map(|at| self.keys[at].id.clone()),
            "models": models,
            "limits": limits,
        });
        let made = ask(&self.stage, &self.manager, ("POST", ""), Some(&body)).await;
        let above = parent.map(|at| self.path(at)).unwrap_or_default();
        let is_ended = above.iter().any(|at| self.keys[*at].ended);
        let fits =
            depth <= 3 && self.models_fit(&above, models.as_deref()) && self.limit_fits(&above, limit_nano);
        // Of two reasons against it, either may be told.
        let expected: &[u16] = match (is_ended, fits) {
            (false, true) => &[201],
            (false, false) => &[422],
            (true, true) => &[404],
            (true, false) => &[404, 422],
        };
        assert!(expected.contains(&made.status), "{expected:?} for {body}: {}", made.text());
        if made.status != 201 {
            return;
        }
        let made = made.json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        self.keys.push(Tracked {
            id: text("id"),
            secret: text("key"),
            parent,
            depth,
            models,
            active: true,
            ended: false,
            limit_nano,
            used_nano: 0,
        });
    }

    async fn set_models(&mut self) {
        let Some(at) = self.one_that_is_open() else { return };
        let models = self.some_models();
        let path = format!("/{}", self.keys[at].id);
        let changed =
            ask(&self.stage, &self.manager, ("PATCH", &path), Some(&json!({"models": models}))).await;
        // A key that keeps its list is not asked whether it still fits what was narrowed above.
        let keeps = models == self.keys[at].models;
        let fits = keeps || self.models_fit(&self.path(at)[1..], models.as_deref());
        assert_eq!(changed.status, if fits { 200 } else { 422 }, "{}", changed.text());
        if fits {
            self.keys[at].models = models;
        }
    }

    async fn set_limit(&mut self) {
        let Some(at) = self.one_that_is_open() else { return };
        let Some(limit_nano) = self.some_limit() else { return };
        let path = format!("key:{}/lifetime", self.keys[at].id);
        let body = json!({"limit_credits": credits(limit_nano)});
        let set = try_set(&self.stage, &self.admin, &path, &body).await;
        if self.path(at).iter().any(|above| self.keys[*above].ended) {
            assert_eq!(set.status, 404, "nothing below an ended key has limits: {}", set.text());
            return;
        }
        let fits = self.limit_fits(&self.path(at)[1..], Some(limit_nano));
        assert_eq!(set.status, if fits { 200 } else { 422 }, "{}", set.text());
        if fits {
            self.keys[at].limit_nano = Some(limit_nano);
        }
    }

    async fn switch(&mut self) {
        let Some(at) = self.one_that_is_open() else { return };
        let wanted = if self.keys[at].active { "disabled" } else { "active" };
        let path = format!("/{}", self.keys[at].id);
        let switched =
            ask(&self.stage, &self.manager, ("PATCH", &path), Some(&json!({"state": wanted}))).await;
        let _ = switched.expect_status(200);
        self.keys[at].active = !self.keys[at].active;
    }

    async fn end(&mut self) {
        let Some(at) = self.one_that_is_open() else { return };
        let path = format!("/{}", self.keys[at].id);
        let ended = ask(&self.stage, &self.manager, ("DELETE", &path), None).await;
        assert_eq!(ended.status, 204, "{}", ended.text());
        self.keys[at].ended = true;
    }

    fn one_that_is_open(&self) -> Option<usize> {
        let open: Vec<usize> = (0..self.keys.len()).filter(|at| !self.keys[*at].ended).collect();
        (!open.is_empty()).then(|| open[self.pick(open.len())])
    }

    fn some_models(&self) -> Option<Vec<&'static str>> {
        match self.pick(4) {
            0 => Some(vec![CLAUDE]),
            1 => Some(vec![CLAUDE, GPT]),
            _ => None,
        }
    }

    fn some_limit(&self) -> Option<i64> {
        let rooms: [i64; 5] = [0, 1, 2, 5, 20];
        let room = rooms[self.pick(rooms.len())];
        (self.pick(3) > 0).then(|| room * CHARGE_NANO + self.holds[0].1)
    }

    /// A list of its own is within every list above it.
    fn models_fit(&self, above: &[usize], models: Option<&[&'static str]>) -> bool {
        let Some(models) = models else { return true };
        let lists = above.iter().filter_map(|at| self.keys[*at].models.as_ref());
        lists.into_iter().all(|list| models.iter().all(|model| list.contains(model)))
    }

    /// Nodes of ended keys are gone, and what stood on them with them.
    fn limit_fits(&self, above: &[usize], limit_nano: Option<i64>) -> bool {
        let Some(limit_nano) = limit_nano else { return true };
        above.iter().filter_map(|at| self.keys[*at].limit_nano).all(|most| limit_nano <= most)
    }

    /// What the ledger counted is what we counted, and its own rules hold.
    async fn check_books(self) {
        let store = self.stage.product.database.connect().await;
        let counted = rows(&store, "select node_id, used_nano, limit_nano from spend_limit").await;
        for row in counted {
            let key = self.keys.iter().find(|key| format!("key:{}", key.id) == row[0]).unwrap();
            assert_eq!(
                row[1..],
                [key.used_nano.to_string(), key.limit_nano.unwrap().to_string()],
                "{}",
                row[0]
            );
        }
        invariants::hold_under_lowered_limits(&store).await;
        store.close().await;
    }
}

/// The status of one call.
async fn call(stage: &Stage, key: &str, model: &str) -> u16 {
    let speaker = if model == CLAUDE { Speaker::Anthropic } else { Speaker::OpenAi };
    speaker.call(&stage.product.url, key, &speaker.ask(model, false)).send().await.status
}

/// What a call of the model holds.
async fn hold_nano(stage: &Stage, model: &str) -> i64 {
    let speaker = if model == CLAUDE { Speaker::Anthropic } else { Speaker::OpenAi };
    let landed = stage.ask(speaker, &speaker.ask(model, false)).await.expect_status(200);
    assert_eq!(nano_header(&landed, "x-credits-charged"), CHARGE_NANO);
    nano_header(&landed, "x-credits-held")
}

fn credits(nano: i64) -> String {
    format!("{}.{:03}", nano / CREDIT_NANO, nano % CREDIT_NANO)
}

/// A limit anywhere above binds, and the API and the page name it.
#[tokio::test]
async fn every_key_of_a_chain_is_bound_by_the_tightest_limit_above_it_and_says_so() {
    let mut stage = Stage::new().await;
    let manager = manager(&mut stage).await;
    let (top, _) = derive(&stage, &manager, &with_limits("top", &[("month", "500")])).await;
    let mut at = top.clone();
    for (name, limit) in [("middle", Some("400")), ("leaf", None)] {
        let mut body =
            limit.map_or_else(|| json!({"name": name}), |limit| with_limits(name, &[("month", limit)]));
        body["parent"] = json!(at);
        at = derive(&stage, &manager, &body).await.0;
    }
    let list = ask(&stage, &manager, ("GET", ""), None).await.expect_status(200).json();
    let bound = |name: &str| {
        let keys = list["data"].as_array().unwrap();
        keys.iter().find(|key| key["name"] == name).unwrap()["binding"].clone()
    };
    assert_eq!(bound("top")["node"], format!("key:{top}"));
    assert_eq!(bound("leaf"), bound("middle"), "a leaf without limits is bound by what is above it");
    assert_eq!(bound("leaf")["limit_credits"], "400.000");
    let page = stage.person.open("/console/keys").await.expect_status(200).text();
    for text in ["tree-1", "tree-2", "middle"] {
        assert!(page.contains(text), "{text} on the page of keys");
    }
}
