//! The writer on SQLite: one thread owns one connection and commits everything that is queued together.
use super::store::{Tables, store};
use super::{
    BATCH, Context, Job, Needs, QUEUE, TRIES, Writer, alone, decide, limits_by_node, lots_by_org,
    reservations_by_id, wallets_by_org, wanted,
};
use crate::batch::{Answer, Command, Loaded};
use crate::call::Unavailable;
use crate::faults::{Broken, Fault, Moment, pass};
use crate::rows::{LimitRow, PinRow, Row};
use bytespike_store::Store;
use rusqlite::{Connection, ErrorCode, Statement, TransactionBehavior};
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
    store(&mut Direct(&transaction), &batch.loaded, &batch.changes)?;
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
    let reservations = select(connection, "id = ?1", &needs.reservations)?;
    let mut loaded = Loaded {
        wallets: wallets_by_org(select(connection, "org_id = ?1", &needs.orgs)?),
        lots: lots_by_org(select(connection, "org_id = ?1 and remaining_nano > 0", &needs.orgs)?),
        reservations: reservations_by_id(reservations),
        ..Loaded::default()
    };
    for pin in select::<PinRow>(connection, "reservation_id = ?1", loaded.reservations.keys())? {
        loaded.pins.entry(pin.reservation_id.clone()).or_default().push(pin);
    }
    let nodes = Needs::nodes(commands, loaded.reservations.values());
    loaded.limits = limits_by_node(select::<LimitRow>(connection, "node_id = ?1", &nodes)?);
    for (org_id, key) in &needs.credits {
        if let Some(amount) = credited(connection, org_id, key)? {
            loaded.credited.insert((org_id.clone(), key.clone()), amount);
        }
    }
    Ok(loaded)
}

/// The rows of each id, one id after another.
fn select<'i, R: Row>(
    connection: &Connection,
    condition: &str,
    ids: impl IntoIterator<Item = &'i String>,
) -> rusqlite::Result<Vec<R>> {
    let mut ids = ids.into_iter().peekable();
    let mut found = Vec::new();
    if ids.peek().is_none() {
        return Ok(found);
    }
    let mut statement = connection.prepare_cached(&(R::select_where() + condition))?;
    for id in ids {
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            found.push(R::read(row)?);
        }
    }
    Ok(found)
}

/// What an idempotency key booked before: the amount that came into the org's lots.
fn credited(connection: &Connection, org_id: &str, key: &str) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "select sum(e.amount_nano) from journal_tx t join journal_entry e on e.tx_id = t.id and e.org_id is not null
         where t.org_id = ?1 and t.idem_key = ?2",
    )?;
    statement.query_row([org_id, key], |row| row.get(0))
}

/// Writes row by row, with statements that stay prepared.
struct Direct<'c>(&'c Connection);

impl Tables for Direct<'_> {
    type Error = rusqlite::Error;

    fn insert<'r, R: Row + 'r>(&mut self, rows: impl Iterator<Item = &'r R>) -> rusqlite::Result<()> {
        self.write::<R>(rows, insert_sql::<R>, |_| true)
    }

    fn update<'r, R: Row + 'r>(&mut self, rows: impl Iterator<Item = &'r R>) -> rusqlite::Result<()> {
        let bound = |name: &str| !R::FIXED.contains(&name) || R::KEY.contains(&name);
        self.write::<R>(rows, update_sql::<R>, bound)
    }
}

impl Direct<'_> {
    /// A parameter is numbered like its column; those that the statement does not name are not bound.
    fn write<'r, R: Row + 'r>(
        &self,
        rows: impl Iterator<Item = &'r R>,
        sql: fn() -> String,
        bound: impl Fn(&str) -> bool,
    ) -> rusqlite::Result<()> {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let columns: Vec<usize> = (0..R::COLUMNS.len()).filter(|at| bound(R::COLUMNS[*at])).collect();
        let mut statement = self.0.prepare_cached(&sql())?;
        rows.try_for_each(|row| execute(&mut statement, row, &columns))
    }
}

fn execute<R: Row>(statement: &mut Statement<'_>, row: &R, columns: &[usize]) -> rusqlite::Result<()> {
    let cells = row.cells();
    for at in columns {
        statement.raw_bind_parameter(at + 1, cells.as_ref()[*at])?;
    }
    statement.raw_execute().map(drop)
}

fn insert_sql<R: Row>() -> String {
    let marks: Vec<String> = (1..=R::COLUMNS.len()).map(|at| format!("?{at}")).collect();
    format!("insert into {} ({}) values ({}){}", R::TABLE, R::COLUMNS.join(", "), marks.join(", "), R::AGAIN)
}

fn update_sql<R: Row>() -> String {
    let equal = |(at, name): (usize, &str)| format!("{name} = ?{}", at + 1);
    let set: Vec<String> = R::changing().map(equal).collect();
    let by: Vec<String> = R::key().map(equal).collect();
    format!("update {} set {} where {}", R::TABLE, set.join(", "), by.join(" and "))
}
