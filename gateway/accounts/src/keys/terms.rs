//! What a key allows and what it may at most be given: the shared part of everything on its path.
use super::caller::{ModelRule, Scope, scopes_from_stored};
use super::ips::IpRule;
use crate::role::Role;
use bytespike_store::api_key_credential::PathRow;
use bytespike_store::node_rule::NodeRuleRow;
use std::collections::BTreeSet;

/// The terms of a key, which whoever makes or changes it chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub name: String,
    /// For people; at most 500 characters.
    pub note: String,
    pub models: ModelRule,
    pub ips: IpRule,
    pub scopes: BTreeSet<Scope>,
    /// What cannot be represented upstream is a 400 instead of a warning.
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
}

/// What every key and node on a path allows together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub models: ModelRule,
    pub scopes: BTreeSet<Scope>,
    /// Every list; each has to admit.
    pub ips: Vec<IpRule>,
    pub expires_at_ms: Option<i64>,
}

/// A term that goes beyond what the parent allows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wider {
    #[error("the model list names models that the keys or nodes above do not allow")]
    Models,
    #[error("the scopes go beyond those of the keys or nodes above, or of the holder's role")]
    Scopes,
    #[error("the network list goes beyond those of the keys or nodes above")]
    Ips,
    #[error("the expiry lies after that of a key or node above")]
    Expiry,
}

impl Terms {
    /// As most want a key for calling models.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            note: String::new(),
            models: ModelRule::Any,
            ips: IpRule::Any,
            scopes: Scope::DEFAULT.into(),
            strict: false,
            expires_at_ms: None,
        }
    }

    /// Field by field, so that a new field does not pass unless it is looked at here.
    pub(super) fn check_within(&self, above: &Allowed) -> Result<(), Wider> {
        let Self { name: _, note: _, models, ips, scopes, strict: _, expires_at_ms } = self;
        if !models.is_within(&above.models) {
            return Err(Wider::Models);
        }
        if !scopes.is_subset(&above.scopes) {
            return Err(Wider::Scopes);
        }
        if !above.ips.iter().all(|wider| ips.is_within(wider)) {
            return Err(Wider::Ips);
        }
        match (expires_at_ms, above.expires_at_ms) {
            (Some(end), Some(last)) if *end > last => Err(Wider::Expiry),
            _ => Ok(()),
        }
    }
}

impl Allowed {
    /// The path may be empty: what the nodes alone allow to a key of this role's holder.
    pub(super) fn of(path: &[PathRow], node_rules: &[NodeRuleRow], role: Role) -> Self {
        let mut all = Self::by_role(role);
        for rule in node_rules {
            all.models = all.models.and(ModelRule::from_stored(rule.models_json.as_deref()));
            if let Some(scopes) = &rule.scopes_json {
                all.scopes = &all.scopes & &scopes_from_stored(scopes);
            }
            all.narrow(rule.ips_json.as_deref(), rule.expires_at_ms);
        }
        for key in path {
            all.models = all.models.and(ModelRule::from_stored(key.models_json.as_deref()));
            all.scopes = &all.scopes & &scopes_from_stored(&key.scopes_json);
            all.narrow(key.ips_json.as_deref(), key.expires_at_ms);
        }
        all
    }

    fn by_role(role: Role) -> Self {
        let scopes = Scope::ALL.into_iter().filter(|scope| scope.is_covered_by(role)).collect();
        Self { models: ModelRule::Any, scopes, ips: Vec::new(), expires_at_ms: None }
    }

    fn narrow(&mut self, ips_json: Option<&str>, expires_at_ms: Option<i64>) {
        self.ips.extend(ips_json.map(|json| IpRule::from_stored(Some(json))));
        self.expires_at_ms = self.expires_at_ms.into_iter().chain(expires_at_ms).min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn models(names: &[&str]) -> ModelRule {
        ModelRule::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn above() -> Allowed {
        Allowed {
            models: models(&["a", "b"]),
            scopes: BTreeSet::from([Scope::Inference, Scope::UsageRead]),
            ips: vec![IpRule::parse(["10.0.0.0/8"]).expect("a network")],
            expires_at_ms: Some(1_000),
        }
    }

    #[test]
    fn a_child_wider_in_any_field_is_refused() {
        let fits = Terms {
            models: models(&["a"]),
            ips: IpRule::parse(["10.1.0.0/16"]).expect("a network"),
            expires_at_ms: Some(1_000),
            ..Terms::named("child")
        };
        assert_eq!(fits.check_within(&above()), Ok(()));
        assert_eq!(Terms::named("inherits all").check_within(&above()), Ok(()));
        let wider = [
            (Terms { models: models(&["a", "c"]), ..fits.clone() }, Wider::Models),
            (Terms { scopes: BTreeSet::from([Scope::KeysDerive]), ..fits.clone() }, Wider::Scopes),
            (Terms { ips: IpRule::parse(["0.0.0.0/0"]).expect("a network"), ..fits.clone() }, Wider::Ips),
            (Terms { expires_at_ms: Some(1_001), ..fits }, Wider::Expiry),
        ];
        for (terms, what) in wider {
            assert_eq!(terms.check_within(&above()), Err(what));
        }
    }

    fn any_models() -> impl Strategy<Value = ModelRule> {
        prop_oneof![
            Just(ModelRule::Any),
            proptest::collection::btree_set("[abc]", 0..3).prop_map(ModelRule::Only)
        ]
    }

    proptest! {
        /// Whatever the lists are: what passes the check allows nothing that its parent does not.
        #[test]
        fn what_passes_allows_no_more_than_its_parent(own in any_models(), above in any_models(), asked in "[abcd]") {
            let effective = above.clone().and(own.clone());
            prop_assert!(!effective.allows(&asked) || above.allows(&asked));
            if own != ModelRule::Any && own.is_within(&above) {
                prop_assert_eq!(effective, own);
            }
        }
    }
}
