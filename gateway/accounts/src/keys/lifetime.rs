//! How long a key may live: the shortest of what the nodes above it say, counted from when it is made. It binds whoever makes
//! a key or moves its end; a key that was there before keeps the end it has.
use super::terms::Allowed;
use bytespike_store::node_rule::NodeRuleRow;

const DAY_MS: i64 = 24 * 3_600_000;
/// The longest that a rule may say: a hundred years.
pub const MOST_LIFETIME_DAYS: i64 = 36_500;

/// The shortest lifetime on the way, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// `org:…`, `dep:…` or `mem:…`
    pub node: String,
    pub days: i64,
}

/// A key would live too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "keys below {} live {days} days at most; this one has to end on {} or earlier",
    named(node),
    date_of(*latest_ms)
)]
pub struct TooLong {
    /// `org:…`, `dep:…` or `mem:…`
    pub node: String,
    pub days: i64,
    /// The last moment at which the key may end.
    pub latest_ms: i64,
}

impl Lifetime {
    /// The shortest of the rules; of two alike, that of the node nearest to the org.
    pub(super) fn of(rules: &[NodeRuleRow]) -> Option<Self> {
        let rules = rules.iter().filter_map(|rule| Some((rule.max_lifetime_days?, rule)));
        let order = |node: &str| ["org:", "dep:", "mem:"].iter().position(|kind| node.starts_with(kind));
        let (days, rule) = rules.min_by_key(|(days, rule)| (*days, order(&rule.node_id)))?;
        Some(Self { node: rule.node_id.clone(), days })
    }

    /// The last moment at which a key made at `made_at_ms` may end.
    pub fn latest_ms(&self, made_at_ms: i64) -> i64 {
        made_at_ms.saturating_add(self.days.saturating_mul(DAY_MS))
    }
}

impl Allowed {
    /// Whether a key made at `made_at_ms` may have this end, `None` being as long as the keys above.
    pub fn check_lifetime(&self, ends_at_ms: Option<i64>, made_at_ms: i64) -> Result<(), TooLong> {
        let Some(lifetime) = &self.lifetime else { return Ok(()) };
        let latest_ms = lifetime.latest_ms(made_at_ms);
        match ends_at_ms.into_iter().chain(self.expires_at_ms).min() {
            Some(end) if end <= latest_ms => Ok(()),
            _ => Err(TooLong { node: lifetime.node.clone(), days: lifetime.days, latest_ms }),
        }
    }
}

/// The kind of a node, in words.
fn named(node: &str) -> &'static str {
    match node.split_once(':') {
        Some(("dep", _)) => "this deployment",
        Some(("mem", _)) => "this member",
        _ => "the organisation",
    }
}

/// The moment as RFC 3339 has it; a day would leave open in which zone.
fn date_of(at_ms: i64) -> String {
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1_000)) else {
        return "a day long past".to_owned();
    };
    format!("{}T{:02}:{:02}:{:02}Z", at.date(), at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use crate::Origin;
    use crate::keys::{AllowList, CreatedKey, KeyError, NewKey, Terms};
    use crate::node_rules::NodeRule;
    use crate::people::Membership;
    use crate::testing::{Bench, on_each, origin};

    const DAY_MS: i64 = super::DAY_MS;

    async fn rule(bench: &Bench, owner: &Membership, node: &str, days: Option<i64>) {
        let rule = NodeRule { max_lifetime_days: days, ..NodeRule::default() };
        let by: (&Origin, _) = (&origin(), crate::audit::Actor::Person(owner.person_id()));
        bench.accounts.node_rules.set(by, (owner.org_id(), node), &rule).await.expect("set");
    }

    async fn made(
        bench: &Bench,
        owner: &Membership,
        parent: Option<&str>,
        days: Option<i64>,
    ) -> Result<CreatedKey, KeyError> {
        let expires_at_ms = days.map(|days| bench.clock_ms() + days * DAY_MS);
        let new = NewKey::with(Terms { expires_at_ms, ..Terms::named("k") });
        let new = NewKey { parent_key_id: parent.map(str::to_owned), ..new };
        bench.accounts.keys.create(&origin(), owner, new).await
    }

    #[tokio::test]
    async fn the_shortest_lifetime_on_the_way_bounds_every_new_end() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let keys = &bench.accounts.keys;
            let endless = made(&bench, &owner, None, None).await.expect("before there was a rule");
            let (org, member) = (format!("org:{}", owner.org_id()), format!("mem:{}", owner.member_id()));
            rule(&bench, &owner, &org, Some(90)).await;
            rule(&bench, &owner, &member, Some(30)).await;
            for days in [None, Some(31)] {
                let refused = made(&bench, &owner, None, days).await.expect_err("too long");
                let KeyError::LivesTooLong(why) = &refused else { panic!("{refused}") };
                let latest_ms = bench.clock_ms() + 30 * DAY_MS;
                assert_eq!((why.node.as_str(), why.days, why.latest_ms), (member.as_str(), 30, latest_ms));
                assert!(refused.to_string().contains("this member live 30 days at most"), "{refused}");
            }
            let key = made(&bench, &owner, None, Some(30)).await.expect("made");
            // A key without an end of its own ends with the key above it.
            made(&bench, &owner, Some(&key.id), None).await.expect("derived");
            made(&bench, &owner, Some(&endless.id), None).await.expect_err("the one above has no end");

            bench.clock.advance(10 * DAY_MS);
            let change = async |id: &str, days: Option<i64>, name: &str| {
                let expires_at_ms = days.map(|days| bench.clock_ms() + days * DAY_MS);
                let terms = Terms { expires_at_ms, ..Terms::named(name) };
                keys.change(&origin(), &owner, (id, terms)).await
            };
            change(&key.id, Some(20), "k").await.expect("to the day it may live to");
            let late = change(&key.id, Some(21), "k").await;
            assert!(matches!(late, Err(KeyError::LivesTooLong(_))), "it counts from when it was made");
            change(&endless.id, None, "renamed").await.expect("an end that stays is no change");
            let narrowed =
                Terms { models: AllowList::Only(["a".to_owned()].into()), ..Terms::named("renamed") };
            keys.change(&origin(), &owner, (&endless.id, narrowed)).await.expect("nor are other terms");
            rule(&bench, &owner, &member, None).await;
            made(&bench, &owner, None, Some(90)).await.expect("within what the org says");
        })
        .await;
    }
}
