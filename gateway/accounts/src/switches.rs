//! Switches: what operators turn off, or decide about sign-ups, while the installation runs. Every process keeps them in
//! memory and reads them anew when a counter in the database moves.
use crate::audit::{Actor, Audit, Event};
use crate::email::EmailAddress;
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::switch::{self, SwitchRow};
use bytespike_store::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

const SIGN_UP: &str = "sign_up";
const OFF: &str = "off";
/// Domains that sign-up can be limited to.
const MOST_DOMAINS: usize = 50;

/// What can be turned off. Everything is on until an operator says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Paying in.
    TopUps,
    /// Redeeming vouchers.
    Vouchers,
    /// Charging saved cards when a balance is low.
    Recharge,
    /// Connecting programs: Sign in with ByteSpike, codes for devices.
    Programs,
    /// Signing in with another provider.
    Providers,
    /// The Test button of models.
    ModelTests,
    NewKeys,
}

/// Who may create an account. Whoever was invited into an org may, unless nobody may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignUpPolicy {
    Open,
    /// Anybody may ask, and an operator lets them in.
    Approval,
    /// Only whoever was invited into an org.
    Invited,
    /// Only addresses of these domains, in lower case.
    Domains(Vec<String>),
    Closed,
}

/// How an address comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    AtOnce,
    AfterApproval,
}

/// Why an address does not come in. Depends on the address and its invitations alone, never on whether it has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    #[error("new accounts cannot be created here")]
    Closed,
    #[error(
        "only whoever was invited can create an account here, with the address that the invitation was sent to"
    )]
    NotInvited,
    #[error("accounts are created here for addresses of certain domains only")]
    Domain,
}

/// A switch as operators look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// An operator's id.
    pub by: String,
    pub at_ms: i64,
}

/// What is switched, and what the configuration says where nothing is.
#[derive(Debug)]
struct Set {
    configured: SignUpPolicy,
    rows: BTreeMap<String, SwitchRow>,
}

/// Clones share everything.
#[derive(Clone)]
pub struct Switches {
    store: Store,
    world: World,
    audit: Audit,
    set: Arc<RwLock<Set>>,
}

/// Why a policy was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    #[error("domains: 1 to {MOST_DOMAINS} names such as example.com are wanted")]
    Domains,
    #[error("switches cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Switches {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        let set = Set { configured: SignUpPolicy::Open, rows: BTreeMap::new() };
        let (store, world) = (basis.store.clone(), basis.world.clone());
        Self { store, world, audit, set: Arc::new(RwLock::new(set)) }
    }

    /// What holds for sign-ups where no operator decided.
    pub fn configure(&self, policy: SignUpPolicy) {
        self.set.write().unwrap_or_else(PoisonError::into_inner).configured = policy;
    }

    /// Takes over what the database says now.
    pub async fn read_again(&self) -> sqlx::Result<()> {
        let rows = switch::all(&self.store).await?.into_iter().map(|row| (row.name.clone(), row));
        let rows = rows.collect();
        self.set.write().unwrap_or_else(PoisonError::into_inner).rows = rows;
        Ok(())
    }

    #[must_use]
    pub fn is_on(&self, feature: Feature) -> bool {
        self.read(|set| set.rows.get(feature.as_str()).is_none_or(|row| row.value != OFF))
    }

    #[must_use]
    pub fn sign_up(&self) -> SignUpPolicy {
        let stored = |set: &Set| set.rows.get(SIGN_UP).and_then(|row| SignUpPolicy::of_stored(&row.value));
        self.read(|set| stored(set).unwrap_or_else(|| set.configured.clone()))
    }

    /// What holds for sign-ups without a decision of operators.
    #[must_use]
    pub fn configured_sign_up(&self) -> SignUpPolicy {
        self.read(|set| set.configured.clone())
    }

    /// Who decided about sign-ups, if not the configuration.
    #[must_use]
    pub fn sign_up_changed(&self) -> Option<Changed> {
        self.changed(SIGN_UP)
    }

    /// Who touched the switch last.
    #[must_use]
    pub fn feature_changed(&self, feature: Feature) -> Option<Changed> {
        self.changed(feature.as_str())
    }

    /// Counts in this process at once, and within two seconds in every other.
    pub async fn set_feature(
        &self,
        (origin, operator_id): (&Origin, &str),
        (feature, is_on): (Feature, bool),
    ) -> sqlx::Result<()> {
        let value = if is_on { "on" } else { OFF };
        self.put((origin, operator_id), (feature.as_str(), value.to_owned())).await
    }

    /// The policy for sign-ups; without one, what the configuration says.
    pub async fn set_sign_up(
        &self,
        by: (&Origin, &str),
        policy: Option<&SignUpPolicy>,
    ) -> Result<(), SwitchError> {
        let stored = policy.map(SignUpPolicy::stored).unwrap_or_default();
        // A list that does not read back as it was written could let nobody in.
        if policy.is_some_and(|policy| SignUpPolicy::of_stored(&stored).as_ref() != Some(policy)) {
            return Err(SwitchError::Domains);
        }
        Ok(self.put(by, (SIGN_UP, stored)).await?)
    }

    /// A number that operators set under a name.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.read(|set| set.rows.get(name).and_then(|row| row.value.parse().ok()))
    }

    /// Who set what stands under a name.
    pub(crate) fn named(&self, name: &str) -> Option<Changed> {
        self.changed(name)
    }

    /// Sets what stands under a name; nothing for as the configuration says.
    pub(crate) async fn set_named(&self, by: (&Origin, &str), value: (&str, String)) -> sqlx::Result<()> {
        self.put(by, value).await
    }

    /// How an address comes in that nobody has an account with yet.
    pub(crate) async fn admit(&self, email: &EmailAddress) -> sqlx::Result<Result<Admission, NotAdmitted>> {
        let policy = self.sign_up();
        match policy {
            SignUpPolicy::Open => return Ok(Ok(Admission::AtOnce)),
            SignUpPolicy::Closed => return Ok(Err(NotAdmitted::Closed)),
            _ => {}
        }
        let now_ms = self.world.now_ms();
        if bytespike_store::invitation::is_waiting_for(&self.store, &email.key(), now_ms).await? {
            return Ok(Ok(Admission::AtOnce));
        }
        Ok(match policy {
            SignUpPolicy::Approval => Ok(Admission::AfterApproval),
            SignUpPolicy::Domains(domains) => {
                let key = email.key();
                let domain = key.rsplit('@').next().unwrap_or_default();
                if domains.iter().any(|one| one == domain) {
                    Ok(Admission::AtOnce)
                } else {
                    Err(NotAdmitted::Domain)
                }
            }
            SignUpPolicy::Open | SignUpPolicy::Invited | SignUpPolicy::Closed => Err(NotAdmitted::NotInvited),
        })
    }

    async fn put(&self, (origin, by): (&Origin, &str), (name, value): (&str, String)) -> sqlx::Result<()> {
        let row = SwitchRow {
            name: name.to_owned(),
            value,
            changed_by: by.to_owned(),
            changed_at_ms: self.world.now_ms(),
        };
        let event = Event::new("switch.changed", Actor::Operator(by));
        switch::put(&self.store, &row, &self.audit.entry(origin, event)).await?;
        self.read_again().await
    }

    fn changed(&self, name: &str) -> Option<Changed> {
        let changed = |row: &SwitchRow| Changed { by: row.changed_by.clone(), at_ms: row.changed_at_ms };
        self.read(|set| set.rows.get(name).map(changed))
    }

    fn read<T>(&self, look: impl FnOnce(&Set) -> T) -> T {
        look(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Feature {
    pub const ALL: [Self; 7] = [
        Self::TopUps,
        Self::Vouchers,
        Self::Recharge,
        Self::NewKeys,
        Self::Programs,
        Self::Providers,
        Self::ModelTests,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopUps => "top_ups",
            Self::Vouchers => "vouchers",
            Self::Recharge => "recharge",
            Self::Programs => "programs",
            Self::Providers => "providers",
            Self::ModelTests => "model_tests",
            Self::NewKeys => "new_keys",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.as_str() == text)
    }
}

impl SignUpPolicy {
    /// From a word and, for domains, the list as it was typed: names behind blanks, commas or lines.
    #[must_use]
    pub fn parse(word: &str, domains: &str) -> Option<Self> {
        let split = domains.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '、'));
        let names = split.map(|name| name.trim_start_matches('@').to_ascii_lowercase());
        Some(match word {
            "open" => Self::Open,
            "approval" => Self::Approval,
            "invited" => Self::Invited,
            "domains" => Self::Domains(names.filter(|name| !name.is_empty()).collect()),
            "closed" => Self::Closed,
            _ => return None,
        })
    }

    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Invited => "invited",
            Self::Domains(_) => "domains",
            Self::Closed => "closed",
        }
    }

    fn stored(&self) -> String {
        match self {
            Self::Domains(domains) => format!("domains {}", domains.join(" ")),
            other => other.word().to_owned(),
        }
    }

    fn of_stored(text: &str) -> Option<Self> {
        let (word, domains) = text.split_once(' ').unwrap_or((text, ""));
        let policy = Self::parse(word, domains)?;
        match &policy {
            Self::Domains(names) if names.is_empty() || names.len() > MOST_DOMAINS => None,
            Self::Domains(names) if !names.iter().all(|name| is_domain(name)) => None,
            _ => Some(policy),
        }
    }
}

/// Such as `example.com`: labels of letters, digits and dashes, at least two.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::MailKind;
    use crate::orgs::Language;
    use crate::people::{SignUp, SignUpError, VerifyError};
    use crate::testing::{Bench, PASSWORD, on_each, origin};

    async fn sign_up(bench: &Bench, email: &str) -> Result<Option<crate::mail::Mail>, SignUpError> {
        let form = SignUp { email, password: PASSWORD, name: None, language: Language::En, next: None };
        bench.accounts.people.sign_up(&origin(), form).await
    }

    async fn decide(bench: &Bench, policy: SignUpPolicy) {
        let by = (&origin(), "opr_1");
        bench.accounts.switches.set_sign_up(by, Some(&policy)).await.expect("taken");
    }

    #[tokio::test]
    async fn who_may_sign_up_is_what_operators_decided_and_else_what_the_configuration_says() {
        on_each(async |bench| {
            let switches = &bench.accounts.switches;
            switches.configure(SignUpPolicy::Closed);
            let refused = |policy: NotAdmitted| move |error: &SignUpError| matches!(error, SignUpError::NotAdmitted(why) if *why == policy);
            assert!(sign_up(&bench, "a@example.com").await.is_err_and(|e| refused(NotAdmitted::Closed)(&e)));
            decide(&bench, SignUpPolicy::parse("domains", " Example.com, @b.example ").expect("a policy")).await;
            assert!(sign_up(&bench, "a@EXAMPLE.com").await.is_ok());
            assert!(sign_up(&bench, "a@sub.example.com").await.is_err_and(|e| refused(NotAdmitted::Domain)(&e)));
            decide(&bench, SignUpPolicy::Invited).await;
            // The same for an address that has an account.
            for email in ["a@example.com", "new@example.com"] {
                assert!(sign_up(&bench, email).await.is_err_and(|e| refused(NotAdmitted::NotInvited)(&e)));
            }
            let wrong = SignUpPolicy::Domains(vec!["no domain".to_owned()]);
            assert!(matches!(switches.set_sign_up((&origin(), "opr_1"), Some(&wrong)).await, Err(SwitchError::Domains)));
            switches.set_sign_up((&origin(), "opr_1"), None).await.expect("taken back");
            assert_eq!((switches.sign_up(), switches.sign_up_changed()), (SignUpPolicy::Closed, None));
        })
        .await;
    }

    #[tokio::test]
    async fn a_switch_counts_in_another_process_once_it_reads_again_and_the_log_has_both_values() {
        on_each(async |bench| {
            let other = bench.other_instance();
            let switches = &bench.accounts.switches;
            switches.set_feature((&origin(), "opr_1"), (Feature::NewKeys, false)).await.expect("off");
            assert!(!switches.is_on(Feature::NewKeys) && switches.is_on(Feature::TopUps));
            assert!(other.switches.is_on(Feature::NewKeys));
            other.switches.read_again().await.expect("read");
            assert!(!other.switches.is_on(Feature::NewKeys));
            switches.set_feature((&origin(), "opr_2"), (Feature::NewKeys, true)).await.expect("on");
            assert_eq!(
                switches.feature_changed(Feature::NewKeys).map(|changed| changed.by),
                Some("opr_2".to_owned())
            );
            let log = bench
                .accounts
                .audit
                .of_all(None, &crate::audit::AuditFilter::default(), 9)
                .await
                .expect("read");
            let last = log.iter().find(|row| row.event == "switch.changed").expect("an event");
            assert!(
                last.detail_json.contains("\"off\"") && last.detail_json.contains("\"on\""),
                "{}",
                last.detail_json
            );
        })
        .await;
    }

    #[tokio::test]
    async fn who_waits_for_approval_spends_nothing_and_is_let_in_or_ended_once() {
        on_each(async |bench| {
            let people = &bench.accounts.people;
            decide(&bench, SignUpPolicy::Approval).await;
            for email in ["in@example.com", "out@example.com"] {
                let mail = sign_up(&bench, email).await.expect("taken").expect("a letter");
                let MailKind::VerifyEmail { token, .. } = mail.kind else { panic!("a confirmation") };
                assert!(
                    people.waiting(9).await.expect("read").iter().all(|one| one.email != email),
                    "not proven yet"
                );
                let proven = people.verify_email(&origin(), token.expose()).await;
                assert!(matches!(proven, Err(VerifyError::Waits)), "{proven:?}");
                assert!(people.sign_in(&origin(), email, PASSWORD).await.is_err());
                bench.clock.advance(1);
            }
            assert!(people.trials_due(9).await.expect("read").is_empty(), "nothing is owed yet");
            let waiting = people.waiting(9).await.expect("read");
            let emails: Vec<&str> = waiting.iter().map(|one| one.email.as_str()).collect();
            assert_eq!(emails, ["in@example.com", "out@example.com"]);
            let by = (&origin(), "opr_1");
            let (first, second) = (&waiting[0].person_id, &waiting[1].person_id);
            assert!(
                !people.let_in(&origin(), Actor::Operator("opr_1"), first).await.expect("asked"),
                "one way only"
            );
            let (mail, trial) = people.approve(by, first).await.expect("decided").expect("somebody waited");
            assert!(matches!(mail.expect("a letter").kind, MailKind::SignUpApproved) && trial.is_owed);
            assert!(people.approve(by, first).await.expect("asked").is_none(), "once");
            assert!(people.sign_in(&origin(), "in@example.com", PASSWORD).await.is_ok());
            let mail =
                people.refuse_sign_up(by, (second, "no room")).await.expect("decided").expect("waited");
            assert!(matches!(mail.expect("a letter").kind, MailKind::SignUpRefused { .. }));
            bench.accounts.sweep().await.expect("swept");
            let gone = people.overseen(second).await.expect("read").expect("a row");
            assert!(gone.has_ended(), "nothing that names them is kept");
            decide(&bench, SignUpPolicy::Open).await;
            assert!(sign_up(&bench, "out@example.com").await.expect("taken").is_some(), "they may try again");
            bench.accounts.audit.verify().await.expect("read").expect("the log holds");
        })
        .await;
    }
}
