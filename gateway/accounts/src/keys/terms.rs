//! What a key allows and what it may at most be given: the shared part of everything on its path.
use super::caller::{AllowList, Scope, scopes_from_stored};
use super::ips::IpRule;
use super::lifetime::Lifetime;
use super::tags::Tags;
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
    pub tags: Tags,
    pub models: AllowList,
    pub ips: IpRule,
    /// Who may answer.
    pub providers: AllowList,
    /// Where what is sent may be kept, as operators say of their channels.
    pub regions: AllowList,
    pub scopes: BTreeSet<Scope>,
    /// What cannot be represented upstream is a 400 instead of a warning.
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
}

/// What every key and node on a path allows together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub models: AllowList,
    pub providers: AllowList,
    pub regions: AllowList,
    pub scopes: BTreeSet<Scope>,
    /// Every list; each has to admit.
    pub ips: Vec<IpRule>,
    pub expires_at_ms: Option<i64>,
    /// How long a new key may live.
    pub lifetime: Option<Lifetime>,
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
    #[error("the provider list names providers that the keys or nodes above do not allow")]
    Providers,
    #[error("the region list names regions that the keys or nodes above do not allow")]
    Regions,
    #[error("the expiry lies after that of a key or node above")]
    Expiry,
}

impl Terms {
    /// As most want a key for calling models.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            note: String::new(),
            tags: Tags::default(),
            models: AllowList::Any,
            ips: IpRule::Any,
            providers: AllowList::Any,
            regions: AllowList::Any,
            scopes: Scope::DEFAULT.into(),
            strict: false,
            expires_at_ms: None,
        }
    }

    /// Field by field, so that a new field does not pass unless it is looked at here.
    pub(super) fn check_within(&self, above: &Allowed) -> Result<(), Wider> {
        let Self {
            name: _,
            note: _,
            tags: _,
            models,
            ips,
            providers,
            regions,
            scopes,
            strict: _,
            expires_at_ms,
        } = self;
        if !models.is_within(&above.models) {
            return Err(Wider::Models);
        }
        if !scopes.is_subset(&above.scopes) {
            return Err(Wider::Scopes);
        }
        if !above.ips.iter().all(|wider| ips.is_within(wider)) {
            return Err(Wider::Ips);
        }
        if !providers.is_within(&above.providers) {
            return Err(Wider::Providers);
        }
        if !regions.is_within(&above.regions) {
            return Err(Wider::Regions);
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
        let mut all = Self { lifetime: Lifetime::of(node_rules), ..Self::by_role(role) };
        for rule in node_rules {
            if let Some(scopes) = &rule.scopes_json {
                all.scopes = &all.scopes & &scopes_from_stored(scopes);
            }
            all.narrow([&rule.models_json, &rule.providers_json, &rule.regions_json]);
            all.bound(rule.ips_json.as_deref(), rule.expires_at_ms);
        }
        for key in path {
            all.scopes = &all.scopes & &scopes_from_stored(&key.scopes_json);
            all.narrow([&key.models_json, &key.providers_json, &key.regions_json]);
            all.bound(key.ips_json.as_deref(), key.expires_at_ms);
        }
        all
    }

    fn by_role(role: Role) -> Self {
        let scopes = Scope::ALL.into_iter().filter(|scope| scope.is_covered_by(role)).collect();
        Self {
            models: AllowList::Any,
            providers: AllowList::Any,
            regions: AllowList::Any,
            scopes,
            ips: Vec::new(),
            expires_at_ms: None,
            lifetime: None,
        }
    }

    /// By lists of models, providers and regions as they are stored.
    fn narrow(&mut self, [models, providers, regions]: [&Option<String>; 3]) {
        self.models.narrow(models.as_deref());
        self.providers.narrow(providers.as_deref());
        self.regions.narrow(regions.as_deref());
    }

    fn bound(&mut self, ips_json: Option<&str>, expires_at_ms: Option<i64>) {
        self.ips.extend(ips_json.map(|json| IpRule::from_stored(Some(json))));
        self.expires_at_ms = self.expires_at_ms.into_iter().chain(expires_at_ms).min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn models(names: &[&str]) -> AllowList {
        AllowList::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn above() -> Allowed {
        Allowed {
            models: models(&["a", "b"]),
            providers: models(&["p"]),
            regions: models(&["eu"]),
            scopes: BTreeSet::from([Scope::Inference, Scope::UsageRead]),
            ips: vec![IpRule::parse(["10.0.0.0/8"]).expect("a network")],
            expires_at_ms: Some(1_000),
            lifetime: None,
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
            (Terms { providers: models(&["p", "q"]), ..fits.clone() }, Wider::Providers),
            (Terms { regions: models(&["us"]), ..fits.clone() }, Wider::Regions),
            (Terms { ips: IpRule::parse(["0.0.0.0/0"]).expect("a network"), ..fits.clone() }, Wider::Ips),
            (Terms { expires_at_ms: Some(1_001), ..fits }, Wider::Expiry),
        ];
        for (terms, what) in wider {
            assert_eq!(terms.check_within(&above()), Err(what));
        }
    }

    fn any_models() -> impl Strategy<Value = AllowList> {
        prop_oneof![
            Just(AllowList::Any),
            proptest::collection::btree_set("[abc]", 0..3).prop_map(AllowList::Only)
        ]
    }

    proptest! {
        /// Whatever the lists are: what passes the check allows nothing that its parent does not.
        #[test]
        fn what_passes_allows_no_more_than_its_parent(own in any_models(), above in any_models(), asked in "[abcd]") {
            let effective = above.clone().and(own.clone());
            prop_assert!(!effective.allows(&asked) || above.allows(&asked));
            if own != AllowList::Any && own.is_within(&above) {
                prop_assert_eq!(effective, own);
            }
        }
    }
}
