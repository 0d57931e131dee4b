//! The part of a copy that is about organisations: where the person belongs, what they hold there, and, of those they own, the
//! books.

use std::pin::pin;

use bytespike_accounts::keys::{AllowList, KeyInfo};
use bytespike_accounts::people::Membership;
use bytespike_accounts::role::Role;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::UsageFilter;
use bytespike_store::{invoice, payment_order, sqlx};
use futures_util::TryStreamExt as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::archive::{Archive, ArchiveError};
use super::sheet::{Sheet, moment};
use super::{DataExporter, PrepareError};
use crate::export::{self, CallTable, Columns};

/// Rows read at once.
const PAGE: i64 = 200;
/// No org has more payments.
const MOST: u32 = 1_000_000;

const KEY_COLUMNS: [&str; 17] = [
    "id",
    "name",
    "note",
    "kind",
    "state",
    "organisation",
    "deployment",
    "derived_from",
    "tags",
    "models",
    "providers",
    "regions",
    "scopes",
    "networks",
    "expires_at",
    "created_at",
    "last_used_at",
];
const ORDER_COLUMNS: [&str; 10] = [
    "id",
    "state",
    "currency",
    "amount_minor",
    "paid_credits",
    "bonus_credits",
    "payment_id",
    "created_at",
    "paid_at",
    "credited_at",
];

impl DataExporter {
    /// Where the person belongs, and what they hold and were told there.
    pub(super) async fn add_places(
        &self,
        archive: &mut Archive<'_>,
        memberships: &[Membership],
    ) -> Result<(), PrepareError> {
        let mut orgs = Sheet::new(&["id", "name", "role", "member_id"]);
        let mut keys = Sheet::new(&KEY_COLUMNS);
        let mut notices = Sheet::new(&["organisation", "at", "kind", "about", "detail", "read_at"]);
        for member in memberships {
            let role = member.role().as_str();
            orgs.push([
                json!(member.org_id()),
                json!(member.org_name()),
                json!(role),
                json!(member.member_id()),
            ]);
            self.keys_of(member, &mut keys).await?;
            self.notices_of(member, &mut notices).await?;
        }
        orgs.add_to(archive, "organisations").await?;
        keys.add_to(archive, "keys").await?;
        Ok(notices.add_to(archive, "notices").await?)
    }

    async fn keys_of(&self, member: &Membership, sheet: &mut Sheet) -> sqlx::Result<()> {
        let mut after = None;
        loop {
            let page = self.accounts.keys.held_by(member, (after.as_ref(), PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.cursor());
            for key in &page {
                sheet.push(key_row(member, key));
            }
        }
    }

    async fn notices_of(&self, member: &Membership, sheet: &mut Sheet) -> sqlx::Result<()> {
        let mut after = None;
        loop {
            let page = self.accounts.notices.of(member, (after.as_ref(), PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some((last.created_at_ms, last.id.clone()));
            for row in page {
                let detail = serde_json::from_str(&row.payload_json).unwrap_or(Value::Null);
                let (told, read) = (moment(Some(row.created_at_ms)), moment(row.read_at_ms));
                sheet.push([json!(member.org_id()), told, json!(row.kind), json!(row.subject), detail, read]);
            }
        }
    }

    /// The books of an org, if the person owns it.
    pub(super) async fn add_org(
        &self,
        archive: &mut Archive<'_>,
        member: &Membership,
    ) -> Result<(), ArchiveError> {
        if member.role() != Role::Owner {
            return Ok(());
        }
        let folder = format!("organisations/{}", member.org_id());
        self.add_calls(archive, member.org_id(), &folder).await?;
        self.add_statements(archive, member.org_id(), &folder).await?;
        self.orders(member.org_id()).await?.add_to(archive, &format!("{folder}/orders")).await?;
        self.add_invoices(archive, member.org_id(), &folder).await
    }

    async fn add_calls(
        &self,
        archive: &mut Archive<'_>,
        org_id: &str,
        folder: &str,
    ) -> Result<(), ArchiveError> {
        let table = CallTable {
            tags: self.accounts.keys.tags(org_id).await?.into(),
            org_id: org_id.to_owned(),
            filter: UsageFilter { to_ms: self.world.now_ms(), ..UsageFilter::default() },
            columns: Columns::Calls,
            zone: TimeZone::UTC,
            for_spreadsheet: true,
        };
        archive.begin(&format!("{folder}/calls.csv"))?;
        let mut pieces = pin!(export::calls(self.ledger.clone(), table));
        while let Some(piece) = pieces.try_next().await? {
            archive.write(&piece).await?;
        }
        Ok(())
    }

    async fn add_statements(
        &self,
        archive: &mut Archive<'_>,
        org_id: &str,
        folder: &str,
    ) -> Result<(), ArchiveError> {
        for line in self.ledger.statements(org_id).await? {
            let Some(closed) = self.ledger.statement(org_id, &line.month).await? else { continue };
            let name = format!("{folder}/statements/{}", line.month);
            archive.add(&format!("{name}.json"), closed.json().as_bytes()).await?;
            if let Some(statement) = closed.read() {
                archive.add(&format!("{name}.csv"), &export::statement(&statement)).await?;
            }
        }
        Ok(())
    }

    async fn orders(&self, org_id: &str) -> sqlx::Result<Sheet> {
        let mut sheet = Sheet::new(&ORDER_COLUMNS);
        for order in payment_order::of_org(&self.store, org_id, MOST).await? {
            sheet.push([
                json!(order.id),
                json!(order.state),
                json!(order.currency),
                json!(order.amount_minor),
                json!(NanoUsd(order.paid_nano).credits()),
                json!(NanoUsd(order.bonus_nano).credits()),
                json!(order.payment_intent_id),
                moment(Some(order.created_at_ms)),
                moment(order.paid_at_ms),
                moment(order.credited_at_ms),
            ]);
        }
        Ok(sheet)
    }

    async fn add_invoices(
        &self,
        archive: &mut Archive<'_>,
        org_id: &str,
        folder: &str,
    ) -> Result<(), ArchiveError> {
        let mut sheet = Sheet::new(&["number", "kind", "order", "currency", "amount_minor", "issued_at"]);
        for row in invoice::of_org(&self.store, (org_id, None), MOST).await? {
            let number = row.printed_number();
            archive.add(&format!("{folder}/invoices/{number}.json"), row.content_json.as_bytes()).await?;
            sheet.push([
                json!(number),
                json!(row.kind),
                json!(row.order_id),
                json!(row.currency),
                json!(row.amount_minor),
                moment(Some(row.issued_at_ms)),
            ]);
        }
        sheet.add_to(archive, &format!("{folder}/invoices")).await
    }
}

/// Name and terms; of the secret not even its last letters.
fn key_row(member: &Membership, key: &KeyInfo) -> [Value; KEY_COLUMNS.len()] {
    let listed = |list: &AllowList| match list {
        AllowList::Any => Value::Null,
        AllowList::Only(names) => json!(names),
    };
    let tags: Vec<&str> = key.terms.tags.names().collect();
    let scopes: Vec<&str> = key.terms.scopes.iter().map(|scope| scope.as_str()).collect();
    [
        json!(key.id),
        json!(key.terms.name),
        json!(key.terms.note),
        json!(key.kind.as_str()),
        json!(key.state.as_str()),
        json!(member.org_id()),
        json!(key.deployment_id),
        json!(key.parent_key_id),
        json!(tags),
        listed(&key.terms.models),
        listed(&key.terms.providers),
        listed(&key.terms.regions),
        json!(scopes),
        json!(key.terms.ips.texts()),
        moment(key.terms.expires_at_ms),
        moment(Some(key.created_at_ms)),
        moment(key.last_used_at_ms),
    ]
}
