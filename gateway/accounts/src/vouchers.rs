//! Vouchers: codes that operators hand out. Who redeems one is owed credit, which the ledger books once by the voucher's id.
//! A code has 100 random bits and is kept as an HMAC, so only someone who was given it learns how it stands.
mod batches;
mod waiting;

use crate::audit::{Actor, Audit, Event};
use crate::names;
use crate::people::Membership;
use crate::secrets::{MacKey, MacPurpose, SecretText, hand_code};
use crate::throttle::{Rule, Throttle};
use crate::waiting_credits::WaitingCredits;
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::voucher::{self, OwedRow, Taken, VoucherRow, VoucherUse};
use bytespike_store::world::World;
use serde_json::json;

pub use batches::{Batch, MOST_CODES, NewBatch};
pub use waiting::Made;

/// 20 characters of five bits.
const CODE_CHARS: usize = 20;
const MOST_NOTE_CHARS: usize = 200;
const MOST_USES: i64 = 1_000_000;
/// A million dollars: more is a slip of the keyboard.
const MOST_NANO: i64 = 1_000_000_000_000_000;

#[derive(Clone)]
pub struct Vouchers {
    store: Store,
    world: World,
    pepper: MacKey,
    throttle: Throttle,
    audit: Audit,
    /// What may be given without a second operator.
    second: WaitingCredits,
}

/// What a voucher is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVoucher<'a> {
    /// Nano-USD.
    pub amount_nano: i64,
    /// How many orgs may redeem it, each once.
    pub uses: i64,
    /// Until when it can be redeemed.
    pub expires_at_ms: Option<i64>,
    /// How long its credit lasts once it is redeemed.
    pub credit_lasts_ms: Option<i64>,
    /// What it is for; who redeems it sees this.
    pub note: &'a str,
}

/// A voucher as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    pub id: String,
    /// The end of its code, such as `…7QM3`.
    pub hint: String,
    pub amount_nano: i64,
    pub uses: i64,
    pub used: i64,
    pub expires_at_ms: Option<i64>,
    pub credit_lasts_ms: Option<i64>,
    pub note: String,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
}

/// How a voucher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherState {
    Open,
    UsedUp,
    Expired,
    Ended,
}

/// Credit that an org is owed until the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherCredit {
    pub voucher_id: String,
    pub org_id: String,
    pub amount_nano: i64,
    pub note: String,
    pub expires_at_ms: Option<i64>,
}

/// Why a voucher was not made.
#[derive(Debug, thiserror::Error)]
pub enum VoucherError {
    #[error("amount: more than nothing, and at most $1,000,000")]
    Amount,
    #[error("uses: from 1 to 1,000,000")]
    Uses,
    #[error("codes: from 1 to 1,000")]
    Codes,
    #[error("per_org: from 1 to as many as there are codes")]
    PerOrg,
    #[error("it would expire before it is made")]
    Past,
    #[error("note: one line of at most 200 characters that says what it is for")]
    Note,
    #[error("the voucher cannot be stored: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// Why a code gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    #[error("too many codes were tried")]
    TooMany,
    #[error("there is no such code")]
    Unknown,
    #[error("this organisation redeemed it before")]
    AlreadyRedeemed,
    #[error("it was redeemed as often as it may be")]
    UsedUp,
    #[error("this organisation redeemed as many codes of this kind as it may")]
    BatchLimit,
    /// Expired, or ended by an operator.
    #[error("it can no longer be redeemed")]
    Over,
    #[error(transparent)]
    Unavailable(#[from] sqlx::Error),
}

impl Vouchers {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit, second: WaitingCredits) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            pepper: basis.keyring.mac(MacPurpose::Voucher),
            throttle: Throttle::new(basis),
            audit,
            second,
        }
    }

    /// Makes a voucher. Its code is shown this once. Above what one operator gives alone it waits for another.
    pub async fn create(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        new: &NewVoucher<'_>,
    ) -> Result<Made<(Voucher, SecretText)>, VoucherError> {
        let note = checked(new, self.world.now_ms())?;
        let alone = NewBatch { each: new.clone(), codes: 1, per_org: 1 };
        if let Some(waits) = self.wait((origin, actor), &alone, &note).await? {
            return Ok(Made::Waits(waits));
        }
        let (row, code) = self.made(new, &note, None);
        let made = json!({ "amount_nano": row.amount_nano, "uses": row.uses, "note": row.note });
        let event = Event::new("voucher.created", actor).target(&row.id).changed(json!(null), made);
        voucher::insert(&self.store, &row, &self.audit.entry(origin, event)).await?;
        Ok(Made::Now((row.into(), code)))
    }

    /// A voucher to be kept, and its code.
    fn made(&self, new: &NewVoucher<'_>, note: &str, batch_id: Option<&str>) -> (VoucherRow, SecretText) {
        let code = hand_code::make::<CODE_CHARS>(&self.world);
        let plain = hand_code::read::<CODE_CHARS>(code.expose()).unwrap_or_default();
        let row = VoucherRow {
            id: self.world.id("vch"),
            verifier: self.pepper.mac_hex(plain.as_bytes()),
            last_four: plain.chars().skip(CODE_CHARS - 4).collect(),
            amount_nano: new.amount_nano,
            uses: new.uses,
            used: 0,
            expires_at_ms: new.expires_at_ms,
            credit_lasts_ms: new.credit_lasts_ms,
            note: note.to_owned(),
            created_at_ms: self.world.now_ms(),
            ended_at_ms: None,
            batch_id: batch_id.map(str::to_owned),
        };
        (row, code)
    }

    /// Those that were made by themselves, the newest first.
    pub async fn single(&self, limit: u32) -> sqlx::Result<Vec<Voucher>> {
        Ok(voucher::single(&self.store, limit).await?.into_iter().map(Voucher::from).collect())
    }

    /// The newest first; `after` is the last id of the page before.
    pub async fn page(&self, after: Option<&str>, limit: u32) -> sqlx::Result<Vec<Voucher>> {
        Ok(voucher::page(&self.store, after, limit).await?.into_iter().map(Voucher::from).collect())
    }

    pub async fn find(&self, id: &str) -> sqlx::Result<Option<Voucher>> {
        Ok(voucher::find(&self.store, id).await?.map(Voucher::from))
    }

    /// Nobody redeems it from now on; what was redeemed stays. False when there was nothing to end.
    pub async fn end(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        id: &str,
        reason: Option<&str>,
    ) -> sqlx::Result<bool> {
        let event = Event::new("voucher.ended", actor).target(id).detail(json!({ "reason": reason }));
        voucher::end(&self.store, (id, self.world.now_ms()), &self.audit.entry(origin, event)).await
    }

    /// Redeems a code for the member's org. What it gives is owed from here on, whatever happens next.
    pub async fn redeem(
        &self,
        origin: &Origin,
        member: &Membership,
        typed: &str,
    ) -> Result<VoucherCredit, RedeemError> {
        let subjects = [
            (self.throttle.vouchers_of(member.org_id()), Rule::VOUCHERS),
            (self.throttle.vouchers_from(origin.ip), Rule::VOUCHERS_FROM),
        ];
        for (subject, rule) in &subjects {
            if !self.throttle.allows(subject, *rule).await? {
                return Err(RedeemError::TooMany);
            }
        }
        let plain = hand_code::read::<CODE_CHARS>(typed).ok_or(RedeemError::Unknown)?;
        let found = voucher::by_verifier(&self.store, &self.pepper.mac_hex(plain.as_bytes())).await?;
        let credit = self.take(origin, member, &found.ok_or(RedeemError::Unknown)?).await?;
        for (subject, _) in &subjects {
            self.throttle.take_back(subject).await?;
        }
        Ok(credit)
    }

    async fn take(
        &self,
        origin: &Origin,
        member: &Membership,
        found: &VoucherRow,
    ) -> Result<VoucherCredit, RedeemError> {
        let now_ms = self.world.now_ms();
        let wanted = VoucherUse {
            voucher_id: &found.id,
            batch_id: found.batch_id.as_deref(),
            org_id: member.org_id(),
            person_id: member.person_id(),
            now_ms,
            credit_expires_at_ms: found.credit_lasts_ms.map(|lasts_ms| now_ms.saturating_add(lasts_ms)),
        };
        let given = json!({ "amount_nano": found.amount_nano, "note": found.note });
        let event = member.did("voucher.redeemed").target(&found.id).changed(json!(null), given);
        match voucher::take(&self.store, &wanted, &self.audit.entry(origin, event)).await? {
            Taken::Now => Ok(VoucherCredit {
                voucher_id: found.id.clone(),
                org_id: member.org_id().to_owned(),
                amount_nano: found.amount_nano,
                note: found.note.clone(),
                expires_at_ms: wanted.credit_expires_at_ms,
            }),
            Taken::Before => Err(RedeemError::AlreadyRedeemed),
            Taken::BatchLimit => Err(RedeemError::BatchLimit),
            Taken::Not => {
                let now = self.find(&found.id).await?.map(|voucher| voucher.state(now_ms));
                Err(if now == Some(VoucherState::UsedUp) { RedeemError::UsedUp } else { RedeemError::Over })
            }
        }
    }

    /// What redeemed vouchers still owe, the oldest first.
    pub async fn owed(&self, limit: u32) -> sqlx::Result<Vec<VoucherCredit>> {
        Ok(voucher::owed(&self.store, limit).await?.into_iter().map(VoucherCredit::from).collect())
    }

    /// The ledger has it.
    pub async fn booked(&self, credit: &VoucherCredit) -> sqlx::Result<()> {
        let which = (credit.voucher_id.as_str(), credit.org_id.as_str());
        voucher::booked(&self.store, which, self.world.now_ms()).await
    }
}

/// The note as it is kept.
fn checked(new: &NewVoucher<'_>, now_ms: i64) -> Result<String, VoucherError> {
    if !(1..=MOST_NANO).contains(&new.amount_nano) {
        return Err(VoucherError::Amount);
    }
    if !(1..=MOST_USES).contains(&new.uses) {
        return Err(VoucherError::Uses);
    }
    if new.expires_at_ms.is_some_and(|end_ms| end_ms <= now_ms) {
        return Err(VoucherError::Past);
    }
    let note = names::visible(new.note);
    if (1..=MOST_NOTE_CHARS).contains(&note.chars().count()) { Ok(note) } else { Err(VoucherError::Note) }
}

impl Voucher {
    pub fn state(&self, now_ms: i64) -> VoucherState {
        match self.expires_at_ms {
            _ if self.ended_at_ms.is_some() => VoucherState::Ended,
            _ if self.used >= self.uses => VoucherState::UsedUp,
            Some(end_ms) if end_ms <= now_ms => VoucherState::Expired,
            _ => VoucherState::Open,
        }
    }
}

impl VoucherState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::UsedUp => "used_up",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

impl From<VoucherRow> for Voucher {
    fn from(row: VoucherRow) -> Self {
        Self {
            id: row.id,
            hint: format!("…{}", row.last_four),
            amount_nano: row.amount_nano,
            uses: row.uses,
            used: row.used,
            expires_at_ms: row.expires_at_ms,
            credit_lasts_ms: row.credit_lasts_ms,
            note: row.note,
            created_at_ms: row.created_at_ms,
            ended_at_ms: row.ended_at_ms,
        }
    }
}

impl From<OwedRow> for VoucherCredit {
    fn from(row: OwedRow) -> Self {
        Self {
            voucher_id: row.voucher_id,
            org_id: row.org_id,
            amount_nano: row.amount_nano,
            note: row.note,
            expires_at_ms: row.credit_expires_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, on_each, origin, origin_at};
    use bytespike_store::{on_database, sqlx};

    const HOUR_MS: i64 = 3_600_000;

    fn worth(amount_nano: i64, uses: i64) -> NewVoucher<'static> {
        NewVoucher { amount_nano, uses, expires_at_ms: None, credit_lasts_ms: None, note: "a conference" }
    }

    async fn made(bench: &Bench, new: &NewVoucher<'_>) -> (Voucher, SecretText) {
        bench.accounts.vouchers.create((&origin(), Actor::Host), new).await.expect("made").now()
    }

    /// Orgs with a wallet, without the cost of signing each up.
    async fn orgs(bench: &Bench, count: usize) -> Vec<Membership> {
        let mut members = Vec::new();
        for n in 0..count {
            let member = bench.owner(&format!("person{n}@example.com")).await;
            open_wallet(bench, member.org_id()).await;
            members.push(member);
        }
        members
    }

    async fn open_wallet(bench: &Bench, org_id: &str) {
        let sql = "insert into wallet (org_id, created_at_ms) values ($1, 0) on conflict do nothing";
        on_database!(&bench.store, db => sqlx::query(sql).bind(org_id).execute(db).await.map(drop))
            .expect("a wallet");
    }

    #[tokio::test]
    async fn s107_of_64_at_once_exactly_as_many_redeem_it_as_it_has_uses() {
        on_each(async |bench| {
            let (voucher, code) = made(&bench, &worth(5_000, 5)).await;
            let members = orgs(&bench, 8).await;
            // Eight orgs eight times each, from as many networks.
            let tries = (0..64_u8).map(|n| {
                let (vouchers, member) =
                    (bench.accounts.vouchers.clone(), members[usize::from(n % 8)].clone());
                let (code, from) = (code.clone(), origin_at(&format!("192.0.2.{n}")));
                tokio::spawn(async move { vouchers.redeem(&from, &member, code.expose()).await })
            });
            let (mut given, mut refused) = (Vec::new(), 0);
            for tried in futures_util::future::join_all(tries.collect::<Vec<_>>()).await {
                match tried.expect("no panic") {
                    Ok(credit) => given.push(credit),
                    Err(RedeemError::UsedUp | RedeemError::AlreadyRedeemed) => refused += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            let orgs: std::collections::BTreeSet<&str> =
                given.iter().map(|credit| credit.org_id.as_str()).collect();
            assert_eq!((given.len(), orgs.len(), refused), (5, 5, 59));
            let now = bench.accounts.vouchers.find(&voucher.id).await.expect("read").expect("there");
            assert_eq!((now.used, now.state(bench.clock_ms())), (5, VoucherState::UsedUp));
            let owed = bench.accounts.vouchers.owed(100).await.expect("read");
            assert_eq!(owed.len(), 5, "each is owed until it is booked");
            bench.accounts.vouchers.booked(&owed[0]).await.expect("noted");
            assert_eq!(bench.accounts.vouchers.owed(100).await.expect("read").len(), 4);
            bench.accounts.audit.verify().await.expect("read").expect("the log holds");
        })
        .await;
    }

    #[tokio::test]
    async fn s107_what_is_wrong_with_a_code_is_said_to_who_has_it_and_to_nobody_else() {
        on_each(async |bench| {
            let vouchers = &bench.accounts.vouchers;
            let members = orgs(&bench, 2).await;
            let redeem =
                async |member: &Membership, typed: &str| vouchers.redeem(&origin(), member, typed).await;
            let short = NewVoucher {
                expires_at_ms: Some(bench.clock_ms() + HOUR_MS),
                credit_lasts_ms: Some(HOUR_MS),
                ..worth(7_000, 1)
            };
            let (_, code) = made(&bench, &short).await;
            let credit = redeem(&members[0], &code.expose().to_lowercase()).await.expect("given");
            assert_eq!((credit.amount_nano, credit.expires_at_ms), (7_000, Some(bench.clock_ms() + HOUR_MS)));
            assert!(matches!(redeem(&members[0], code.expose()).await, Err(RedeemError::AlreadyRedeemed)));
            assert!(matches!(redeem(&members[1], code.expose()).await, Err(RedeemError::UsedUp)));
            let (_, late) = made(&bench, &short).await;
            let (ended, gone) = made(&bench, &worth(1, 9)).await;
            assert!(vouchers.end((&origin(), Actor::Host), &ended.id, None).await.expect("ended"));
            assert!(!vouchers.end((&origin(), Actor::Host), &ended.id, None).await.expect("asked"));
            bench.clock.advance(HOUR_MS);
            for code in [&late, &gone] {
                assert!(matches!(redeem(&members[1], code.expose()).await, Err(RedeemError::Over)));
            }
            let other = hand_code::make::<CODE_CHARS>(&bench.world);
            for typed in ["", "hello", "https://example.com/x", other.expose(), &code.expose()[..23]] {
                assert!(matches!(redeem(&members[1], typed).await, Err(RedeemError::Unknown)), "{typed}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn s107_ten_wrong_codes_an_hour_and_then_even_a_right_one_waits() {
        on_each(async |bench| {
            let members = orgs(&bench, 1).await;
            let (_, code) = made(&bench, &worth(1, 9)).await;
            let redeem =
                async |typed: &str| bench.accounts.vouchers.redeem(&origin(), &members[0], typed).await;
            for _ in 0..10 {
                assert!(matches!(redeem("wrong").await, Err(RedeemError::Unknown)));
            }
            assert!(matches!(redeem(code.expose()).await, Err(RedeemError::TooMany)));
            bench.clock.advance(HOUR_MS);
            redeem(code.expose()).await.expect("given");
        })
        .await;
    }

    #[tokio::test]
    async fn a_voucher_says_what_it_is_for_and_its_code_is_nowhere_in_the_database() {
        on_each(async |bench| {
            let vouchers = &bench.accounts.vouchers;
            let by = (&origin(), Actor::Host);
            for wrong in [
                worth(0, 1),
                worth(MOST_NANO + 1, 1),
                worth(1, 0),
                NewVoucher { expires_at_ms: Some(bench.clock_ms()), ..worth(1, 1) },
                NewVoucher { note: " \u{200B} ", ..worth(1, 1) },
            ] {
                assert!(vouchers.create(by, &wrong).await.is_err(), "{wrong:?}");
            }
            let (first, code) = made(&bench, &worth(1, 1)).await;
            assert_eq!(first.hint, format!("…{}", &code.expose()[20..]));
            bench.clock.advance(1);
            let (second, _) = made(&bench, &worth(2, 1)).await;
            let page = vouchers.page(None, 1).await.expect("read");
            assert_eq!(page, std::slice::from_ref(&second));
            assert_eq!(vouchers.page(Some(&second.id), 9).await.expect("read"), [first]);
            let plain = code.expose().replace('-', "");
            let rows: Vec<(String, String)> = on_database!(&bench.store, db => sqlx::query_as(
                "select verifier, last_four from voucher").fetch_all(db).await)
            .expect("read");
            assert!(
                rows.iter().all(|(verifier, last_four)| !verifier.contains(&plain) && last_four.len() == 4)
            );
        })
        .await;
    }
}
