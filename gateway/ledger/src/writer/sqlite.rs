//! The writer on SQLite: one thread owns one connection and commits everything that is queued together.
use super::{
    BATCH, Context, Job, Needs, QUEUE, TRIES, Writer, alone, by_org, decide, wallets_by_org, wanted,
};
use crate::batch::{Answer, Changes, Command, Loaded};
use crate::call::Unavailable;
use crate::faults::{Broken, Fault, Moment, pass};
use crate::rows::{LimitRow, LotRow, PinRow, ReservationRow, Row, WalletRow};
use bytespike_store::Store;
use rusqlite::{Connection, ErrorCode, ToSql, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long one statement waits for the other connection that writes.
const BUSY: Duration = Duration::from_secs(2);

/// Opens the connection and starts the thread. It ends when the last sender is dropped.
pub(crate) fn start(store: &Store, context: Context) -> Result<Writer, Unavailable> {
    let connection = connect(store)?;
    let (sender, jobs) = mpsc::channel(QUEUE);
    std::thread::Builder::new()
        .name("ledger-writer".to_owned())
        .spawn(move || run(connection, jobs, &context))
        .map_err(|error| Unavailable(error.to_string()))?;
    Ok(Writer::Lanes(vec![sender]))
}

/// The writer without its thread: each command is a batch of its own.
pub(crate) struct Inline {
    connection: Mutex<Connection>,
    context: Context,
}

/// Opens the connection for whoever asks to use it.
pub(crate) fn inline(store: &Store, context: Context) -> Result<Writer, Unavailable> {
    let connection = Mutex::new(connect(store)?);
    Ok(Writer::Inline(Arc::new(Inline { connection, context })))
}

impl Inline {
    /// Never answers where the process is to die.
    pub async fn ask(&self, command: &Command) -> Result<Answer, Unavailable> {
        match self.commit(command) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    fn commit(&self, command: &Command) -> Option<Result<Answer, Unavailable>> {
        // A transaction that a panic interrupted was rolled back when it was dropped.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        alone(commit(&mut connection, std::slice::from_ref(command), &self.context))
    }
}

fn connect(store: &Store) -> Result<Connection, Unavailable> {
    let path = store.sqlite_path().ok_or_else(|| Unavailable("the store is not SQLite".to_owned()))?;
    open(path).map_err(|error| Unavailable(error.to_string()))
}

fn open(path: PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Takes what is queued and never waits for more.
fn run(mut connection: Connection, mut jobs: mpsc::Receiver<Job>, context: &Context) {
    let mut queued = Vec::with_capacity(BATCH);
    while jobs.blocking_recv_many(&mut queued, BATCH) > 0 {
        let (commands, senders) = wanted(std::mem::take(&mut queued));
        let Some(answers) = serve(&mut connection, &commands, context) else { return };
        for (sender, answer) in senders.into_iter().zip(answers) {
            // A sender that gave up meanwhile finds the outcome by asking again.
            drop(sender.send(answer));
        }
    }
}

/// All commands together; when the database refuses that, each by itself, so that one cannot sink the others.
/// `None` when the process is to die.
fn serve(
    connection: &mut Connection,
    commands: &[Command],
    context: &Context,
) -> Option<Vec<Result<Answer, Unavailable>>> {
    match commit(connection, commands, context) {
        Ok(answers) => return Some(answers.into_iter().map(Ok).collect()),
        Err(broken) if broken.is_death() => return None,
        Err(error) => {
            tracing::error!(%error, commands = commands.len(), "a batch of the ledger was not committed");
        }
    }
    commands.iter().map(|command| alone(commit(connection, std::slice::from_ref(command), context))).collect()
}

/// One transaction for the batch; tried again when the database is busy, so that no command is lost.
fn commit(
    connection: &mut Connection,
    commands: &[Command],
    context: &Context,
) -> Result<Vec<Answer>, Broken<rusqlite::Error>> {
    let mut tries = 1;
    loop {
        match try_commit(connection, commands, context) {
            Err(error) if tries < TRIES && is_busy(&error) => tries += 1,
            done => return done,
        }
    }
}

fn try_commit(
    connection: &mut Connection,
    commands: &[Command],
    context: &Context,
) -> Result<Vec<Answer>, Broken<rusqlite::Error>> {
    let faults = context.faults.as_ref();
    pass(faults, Moment::Begin)?;
    // Money that moved must survive a loss of power; a hold alone need not.
    let durable = commands.iter().any(Command::must_reach_the_disk);
    connection.pragma_update(None, "synchronous", if durable { "full" } else { "normal" })?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let loaded = load(&transaction, commands)?;
    pass(faults, Moment::Loaded)?;
    let (batch, answers) = decide(loaded, commands, context);
    store(&transaction, &batch.loaded, &batch.changes)?;
    pass(faults, Moment::Stored)?;
    transaction.commit()?;
    pass(faults, Moment::Committed)?;
    Ok(answers)
}

fn is_busy(broken: &Broken<rusqlite::Error>) -> bool {
    match broken {
        Broken::Database(error) => {
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
        }
        Broken::Injected(fault) => *fault == Fault::Collide,
    }
}

fn load(connection: &Connection, commands: &[Command]) -> rusqlite::Result<Loaded> {
    let needs = Needs::of(commands);
    let (mut wallets, mut lots): (Vec<WalletRow>, Vec<LotRow>) = (Vec::new(), Vec::new());
    for org_id in &needs.orgs {
        wallets.extend(select(connection, "org_id = ?1", &[org_id])?);
        lots.extend(select::<LotRow>(connection, "org_id = ?1 and remaining_nano > 0", &[org_id])?);
    }
    let mut loaded = Loaded { wallets: wallets_by_org(wallets), lots: by_org(lots), ..Loaded::default() };
    for id in &needs.reservations {
        for row in select::<ReservationRow>(connection, "id = ?1", &[id])? {
            let pins = select::<PinRow>(connection, "reservation_id = ?1", &[id])?;
            loaded.pins.insert(row.id.clone(), pins);
            loaded.reservations.insert(row.id.clone(), row);
        }
    }
    for node in Needs::nodes(commands, loaded.reservations.values()) {
        for row in select::<LimitRow>(connection, "node_id = ?1", &[&node])? {
            loaded.limits.insert((row.node_id.clone(), row.window_kind.clone()), row);
        }
    }
    for (org_id, key) in &needs.credits {
        if let Some(amount) = credited(connection, org_id, key)? {
            loaded.credited.insert((org_id.clone(), key.clone()), amount);
        }
    }
    Ok(loaded)
}

fn select<R: Row>(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> rusqlite::Result<Vec<R>> {
    let mut statement = connection.prepare_cached(&(R::select_where() + condition))?;
    statement.query_map(values, |row| R::read(row))?.collect()
}

/// What an idempotency key booked before: the amount that came into the org's lots.
fn credited(connection: &Connection, org_id: &str, key: &str) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "select sum(e.amount_nano) from journal_tx t join journal_entry e on e.tx_id = t.id and e.org_id is not null
         where t.org_id = ?1 and t.idem_key = ?2",
    )?;
    statement.query_row([org_id, key], |row| row.get(0))
}

/// Writes what changed, in the order that foreign keys ask for.
fn store(connection: &Connection, loaded: &Loaded, changes: &Changes) -> rusqlite::Result<()> {
    let lots: BTreeMap<&str, &LotRow> =
        loaded.lots.values().flatten().map(|lot| (lot.id.as_str(), lot)).collect();
    let lot = |id: &String| lots.get(id.as_str()).copied();
    let (new_lots, old_lots): (Vec<_>, Vec<_>) =
        changes.new_lots.union(&changes.lots).partition(|id| changes.new_lots.contains(*id));
    update(connection, changes.wallets.iter().filter_map(|org_id| loaded.wallets.get(org_id)))?;
    insert(connection, new_lots.into_iter().filter_map(lot))?;
    update(connection, old_lots.into_iter().filter_map(lot))?;
    let reservation = |id: &String| loaded.reservations.get(id);
    let ended_again = changes.resolved.difference(&changes.new_reservations);
    insert(connection, changes.new_reservations.iter().filter_map(reservation))?;
    update(connection, ended_again.filter_map(reservation))?;
    insert(connection, changes.pins.iter())?;
    update(connection, changes.limits.iter().filter_map(|key| loaded.limits.get(key)))?;
    insert(connection, changes.transactions.iter())?;
    insert(connection, changes.entries.iter())?;
    insert(connection, changes.attempts.iter())?;
    insert(connection, changes.absorbed.iter())?;
    insert(connection, changes.receipts.iter())?;
    insert(connection, changes.outbox.iter())
}

fn insert<'a, R: Row + 'a>(
    connection: &Connection,
    rows: impl Iterator<Item = &'a R>,
) -> rusqlite::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let marks: Vec<String> = (1..=R::COLUMNS.len()).map(|at| format!("?{at}")).collect();
    let (table, columns) = (R::TABLE, R::COLUMNS.join(", "));
    let sql = format!("insert into {table} ({columns}) values ({}){}", marks.join(", "), R::AGAIN);
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        statement.execute(row.values().as_slice())?;
    }
    Ok(())
}

/// Writes every column of rows that are there; the transaction has held the only write lock since they were read.
fn update<'a, R: Row + 'a>(
    connection: &Connection,
    rows: impl Iterator<Item = &'a R>,
) -> rusqlite::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let numbered = || R::COLUMNS.iter().zip(1..);
    let set: Vec<String> = numbered()
        .filter(|(name, _)| !R::KEY.contains(name))
        .map(|(name, at)| format!("{name} = ?{at}"))
        .collect();
    let by: Vec<String> = numbered()
        .filter(|(name, _)| R::KEY.contains(name))
        .map(|(name, at)| format!("{name} = ?{at}"))
        .collect();
    let sql = format!("update {} set {} where {}", R::TABLE, set.join(", "), by.join(" and "));
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        statement.execute(row.values().as_slice())?;
    }
    Ok(())
}
