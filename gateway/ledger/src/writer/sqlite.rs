//! The writer on SQLite: one thread owns one connection and commits everything that is queued together.
use super::memory::Memory;
use super::store::{Tables, store};
use super::{
    BATCH, Context, Job, Needs, QUEUE, TRIES, Writer, alone, begin, decide, limits_by_node, lots_by_org,
    reservations_by_id, wallets_by_org,
};
use crate::batch::{Answer, Command, Loaded};
use crate::call::Unavailable;
use crate::faults::{Broken, Fault, Moment, pass};
use crate::rows::{LimitRow, PinRow, Row};
use bytespike_store::Store;
use bytespike_store::audit_event::Entry;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Statement, TransactionBehavior};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long one statement waits for the other connection that writes.
const BUSY: Duration = Duration::from_secs(2);
/// What the writer's connection keeps in memory.
const CACHE_KIB: i64 = 32 * 1_024;
/// How much the log grows (16 MiB) before it is copied into the database.
const CHECKPOINT_PAGES: i64 = 4_000;

/// The writer's connection, and what it remembers of the database.
struct Database {
    connection: Connection,
    memory: Memory,
}

/// Opens the connection and starts the thread. It ends when the last sender is dropped.
pub(crate) fn start(store: &Store, context: Context) -> Result<Writer, Unavailable> {
    let database = connect(store)?;
    let (sender, jobs) = mpsc::channel(QUEUE);
    std::thread::Builder::new()
        .name("ledger-writer".to_owned())
        .spawn(move || run(database, jobs, &context))
        .map_err(|error| Unavailable(error.to_string()))?;
    Ok(Writer::Lanes(vec![sender]))
}

/// The writer without its thread: each command is a batch of its own.
pub(crate) struct Inline {
    database: Mutex<Database>,
    context: Context,
}

/// Opens the connection for whoever asks to use it.
pub(crate) fn inline(store: &Store, context: Context) -> Result<Writer, Unavailable> {
    let database = Mutex::new(connect(store)?);
    Ok(Writer::Inline(Arc::new(Inline { database, context })))
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
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        alone(commit(&mut database, std::slice::from_ref(command), &self.context))
    }
}

fn connect(store: &Store) -> Result<Database, Unavailable> {
    let path = store.sqlite_path().ok_or_else(|| Unavailable("the store is not SQLite".to_owned()))?;
    let connection = open(path).map_err(|error| Unavailable(error.to_string()))?;
    Ok(Database { connection, memory: Memory::default() })
}

fn open(path: PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    // Nothing deletes what a row of the ledger refers to, and a batch writes parents first.
    connection.pragma_update(None, "foreign_keys", false)?;
    // A batch changes more pages than the default holds, and most of them again in the next one.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Takes what is queued and never waits for more.
fn run(mut database: Database, mut jobs: mpsc::Receiver<Job>, context: &Context) {
    let mut queued = Vec::with_capacity(BATCH);
    while jobs.blocking_recv_many(&mut queued, BATCH) > 0 {
        let (commands, senders) = begin(std::mem::take(&mut queued));
        let Some(answers) = serve(&mut database, &commands, context) else { return };
        for (sender, answer) in senders.into_iter().zip(answers) {
            // A sender that gave up meanwhile finds the outcome by asking again.
            drop(sender.send(answer));
        }
    }
}

/// All commands together; when the database refuses that, each by itself, so that one cannot sink the others.
/// `None` when the process is to die.
fn serve(
    database: &mut Database,
    commands: &[Command],
    context: &Context,
) -> Option<Vec<Result<Answer, Unavailable>>> {
    match commit(database, commands, context) {
        Ok(answers) => return Some(answers.into_iter().map(Ok).collect()),
        Err(broken) if broken.is_death() => return None,
        Err(error) => {
            tracing::error!(%error, commands = commands.len(), "a batch of the ledger was not committed");
        }
    }
    commands.iter().map(|command| alone(commit(database, std::slice::from_ref(command), context))).collect()
}

/// One transaction for the batch; tried again when the database is busy, so that no command is lost.
fn commit(
    database: &mut Database,
    commands: &[Command],
    context: &Context,
) -> Result<Vec<Answer>, Broken<rusqlite::Error>> {
    let mut tries = 1;
    loop {
        match try_commit(database, commands, context) {
            Err(error) if tries < TRIES && is_busy(&error) => tries += 1,
            done => return done,
        }
    }
}

fn try_commit(
    database: &mut Database,
    commands: &[Command],
    context: &Context,
) -> Result<Vec<Answer>, Broken<rusqlite::Error>> {
    let faults = context.faults.as_ref();
    pass(faults, Moment::Begin)?;
    // Money that moved must survive a loss of power; a hold alone need not.
    let durable = commands.iter().any(Command::must_reach_the_disk);
    let Database { connection, memory } = database;
    connection.pragma_update(None, "synchronous", if durable { "full" } else { "normal" })?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The write lock is ours: nobody can write any more until this transaction ends.
    let mut loaded = memory.recall(data_version(&transaction)?);
    load(&transaction, commands, &mut loaded)?;
    pass(faults, Moment::Loaded)?;
    let (batch, answers) = decide(loaded, commands, context);
    store(&mut Direct(&transaction), &batch.loaded, &batch.changes)?;
    for event in &batch.changes.events {
        append(&transaction, event)?;
    }
    pass(faults, Moment::Stored)?;
    transaction.commit()?;
    pass(faults, Moment::Committed)?;
    memory.keep(batch.loaded);
    Ok(answers)
}

/// As [`bytespike_store::audit_event::Appends`] does it on the other connection.
fn append(connection: &Connection, event: &Entry) -> rusqlite::Result<()> {
    let (seq, previous): (i64, String) = connection
        .prepare_cached("update audit_head set seq = seq + 1 where name = 'audit' returning seq, hash")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let row = event.linked(seq, &previous);
    connection
        .prepare_cached(
            "insert into audit_event (seq, at_ms, event, actor, org_id, target, ip, user_agent, request_id, detail_json, hash)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(rusqlite::params![
            row.seq,
            row.at_ms,
            row.event,
            row.actor,
            row.org_id,
            row.target,
            row.ip,
            row.user_agent,
            row.request_id,
            row.detail_json,
            row.hash
        ])?;
    connection
        .prepare_cached("update audit_head set hash = ?1 where name = 'audit'")?
        .execute([&row.hash])
        .map(drop)
}

fn is_busy(broken: &Broken<rusqlite::Error>) -> bool {
    match broken {
        Broken::Database(error) => {
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
        }
        Broken::Injected(fault) => *fault == Fault::Collide,
    }
}

/// Changes whenever another connection has written.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("pragma data_version")?.query_row([], |row| row.get(0))
}

/// Reads what the commands touch and is not there yet.
fn load(connection: &Connection, commands: &[Command], loaded: &mut Loaded) -> rusqlite::Result<()> {
    let needs = Needs::of(commands);
    let orgs: Vec<&String> = needs.orgs.iter().filter(|id| !loaded.wallets.contains_key(*id)).collect();
    loaded.wallets.extend(wallets_by_org(select(connection, "org_id = ?1", &orgs)?));
    loaded.lots.extend(lots_by_org(select(connection, "org_id = ?1 and remaining_nano > 0", &orgs)?));
    let ids: Vec<&String> =
        needs.reservations.iter().filter(|id| !loaded.reservations.contains_key(*id)).collect();
    let found = reservations_by_id(select(connection, "id = ?1", &ids)?);
    for pin in select::<PinRow>(connection, "reservation_id = ?1", &found.keys().collect::<Vec<_>>())? {
        loaded.pins.entry(pin.reservation_id.clone()).or_default().push(pin);
    }
    loaded.reservations.extend(found);
    let nodes = needs.nodes(commands, loaded);
    let nodes: Vec<&String> = nodes.iter().filter(|id| !loaded.limits.contains_key(*id)).collect();
    let found = limits_by_node(select::<LimitRow>(connection, "node_id = ?1", &nodes)?);
    // A node without limits is known to have none.
    loaded.limits.extend(nodes.into_iter().map(|node| (node.clone(), Vec::new())));
    loaded.limits.extend(found);
    for (org_id, key) in &needs.credits {
        if let Some(amount) = credited(connection, org_id, key)? {
            loaded.credited.insert((org_id.clone(), key.clone()), amount);
        }
    }
    for (org_id, key) in &needs.claims {
        if let Some(amounts) = claimed(connection, org_id, key)? {
            loaded.claimed.insert((org_id.clone(), key.clone()), amounts);
        }
    }
    Ok(())
}

/// The rows of each id, one id after another.
fn select<R: Row>(connection: &Connection, condition: &str, ids: &[&String]) -> rusqlite::Result<Vec<R>> {
    let mut found = Vec::new();
    if ids.is_empty() {
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

/// What an idempotency key booked before: the amount that came into the org's lots, or left them.
fn credited(connection: &Connection, org_id: &str, key: &str) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "select sum(e.amount_nano) from journal_tx t join journal_entry e on e.tx_id = t.id and e.org_id is not null
         where t.org_id = ?1 and t.idem_key = ?2",
    )?;
    statement.query_row([org_id, key], |row| row.get(0))
}

/// What an idempotency key claimed before.
fn claimed(connection: &Connection, org_id: &str, key: &str) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut statement = connection
        .prepare_cached("select amount_nano, bonus_nano from claim where org_id = ?1 and idem_key = ?2")?;
    statement.query_row([org_id, key], |row| Ok((row.get(0)?, row.get(1)?))).optional()
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
