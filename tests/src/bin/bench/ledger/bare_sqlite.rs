//! The bare variant on SQLite: one thread, one transaction for what is queued.

use super::bare::{BATCH, CHARGE, HOLD, Job, QUEUE, Step};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use tokio::sync::mpsc;

pub fn start(path: &Path) -> mpsc::Sender<Job> {
    let mut connection = Connection::open(path).expect("the database opens");
    let (sender, mut jobs) = mpsc::channel(QUEUE);
    std::thread::spawn(move || {
        let mut queued = Vec::with_capacity(BATCH);
        while jobs.blocking_recv_many(&mut queued, BATCH) > 0 {
            commit(&mut connection, std::mem::take(&mut queued)).expect("a batch is committed");
        }
    });
    sender
}

fn commit(connection: &mut Connection, jobs: Vec<Job>) -> rusqlite::Result<()> {
    let durable = jobs.iter().any(|job| matches!(job.step, Step::Settle { .. }));
    connection.pragma_update(None, "synchronous", if durable { "full" } else { "normal" })?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push((take(&transaction, &job.step)?, job.done));
    }
    transaction.commit()?;
    for (done, sender) in answers {
        // A client that is gone does not care.
        sender.send(done).ok();
    }
    Ok(())
}

fn take(connection: &Connection, step: &Step) -> rusqlite::Result<bool> {
    let run = |sql, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(values);
    match step {
        Step::Hold { id, wallet_id } => {
            let held = run(
                "update wallet set held = held + ?2 where id = ?1 and posted - held >= ?2",
                &[wallet_id, &HOLD],
            )?;
            run("insert into reservation values (?1, ?2, 'held', ?3, null)", &[id, wallet_id, &HOLD])?;
            Ok(held == 1)
        }
        Step::Settle { id, wallet_id, journal_id } => {
            let settled = run(
                "update reservation set state = 'settled', charged = ?2 where id = ?1 and state = 'held'",
                &[id, &CHARGE],
            )?;
            run(
                "update wallet set held = held - ?2, posted = posted - ?3 where id = ?1",
                &[wallet_id, &HOLD, &CHARGE],
            )?;
            run("insert into journal values (?1, ?2, ?3, ?4)", &[journal_id, id, wallet_id, &-CHARGE])?;
            Ok(settled == 1)
        }
    }
}
