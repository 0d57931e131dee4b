//! Prepares the copies of their data that people asked for, one at a time in each process, and writes to them when one is ready.

use std::time::Duration;

use bytespike_accounts::mail::{Mail, Notice};
use bytespike_accounts::people::Membership;
use bytespike_console::written;
use bytespike_gateway::data_export::{DataExporter, SealedLetter};
use bytespike_ui::Urls;

use crate::jobs::Work;
use crate::mail::Outbox;

/// Prepares what waits, for as long as it is polled. A copy that is being prepared when this ends is begun anew elsewhere.
pub async fn prepare(work: Work, every: Duration) {
    let core = &work.core;
    let exporter = DataExporter {
        store: core.store.clone(),
        world: core.world.clone(),
        accounts: core.accounts.clone(),
        ledger: core.ledger.clone(),
    };
    let letter = |member: &Membership, until_ms: i64| letter(work.letters.as_ref()?, member, until_ms);
    let mut due = tokio::time::interval(every);
    loop {
        due.tick().await;
        match exporter.prepare_next(letter).await {
            Ok(false) => {}
            Ok(true) => {
                if let Some((outbox, _)) = &work.letters {
                    outbox.wake();
                }
            }
            Err(error) => tracing::warn!(%error, "copies of data could not be prepared; it is tried again"),
        }
    }
}

fn letter((outbox, urls): &(Outbox, Urls), member: &Membership, until_ms: i64) -> Option<SealedLetter> {
    let notice = Notice::DataReady { until_ms, time_zone: member.time_zone().to_owned() };
    let mail = Mail::notice(member, notice)?;
    let sealed = outbox.seal(&written(&mail, urls).0);
    Some(SealedLetter { id: sealed.id, sealed: sealed.text })
}
