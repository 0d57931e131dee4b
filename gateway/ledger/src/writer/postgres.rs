//! The writer on PostgreSQL: a few tasks, each committing what is queued for its orgs in a fixed number of round trips.
//! Locking the wallets, in order, locks everything else of their orgs: limits, lots and reservations are only ever
//! touched under their wallet's lock, by whichever instance holds it.
use super::{
    BATCH, Context, Job, Needs, QUEUE, TRIES, Writer, alone, by_org, decide, wallets_by_org, wanted,
};
use crate::batch::{Answer, Changes, Command, Loaded};
use crate::call::Unavailable;
use crate::faults::{Broken, Fault, Moment, pass};
use crate::rows::{LimitRow, LotRow, PinRow, ReservationRow, Row, WalletRow};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgPool};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// Workers, and so transactions under way at once. More make a hot wallet slower, fewer make many wallets wait.
const LANES: usize = 4;
/// Wait before a batch that another instance was in the way of is tried again; doubled each time.
const BACK_OFF: Duration = Duration::from_millis(2);

/// Starts the workers. They end when the last sender is dropped.
pub(crate) fn start(pool: &PgPool, context: &Context) -> Writer {
    let lanes = (0..LANES).map(|_| {
        let (sender, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(pool.clone(), jobs, context.clone()));
        sender
    });
    Writer::Lanes(lanes.collect())
}

/// Takes what is queued and never waits for more.
async fn run(pool: PgPool, mut jobs: mpsc::Receiver<Job>, context: Context) {
    let mut queued = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut queued, BATCH).await > 0 {
        let (commands, senders) = wanted(std::mem::take(&mut queued));
        let Some(answers) = serve(&pool, &commands, &context).await else { return };
        for (sender, answer) in senders.into_iter().zip(answers) {
            // A sender that gave up meanwhile finds the outcome by asking again.
            drop(sender.send(answer));
        }
    }
}

/// All commands together; when the database refuses that, each by itself, so that one cannot sink the others.
/// `None` when the process is to die.
async fn serve(
    pool: &PgPool,
    commands: &[Command],
    context: &Context,
) -> Option<Vec<Result<Answer, Unavailable>>> {
    match commit(pool, commands, context).await {
        Ok(answers) => return Some(answers.into_iter().map(Ok).collect()),
        Err(broken) if broken.is_death() => return None,
        Err(error) => {
            tracing::error!(%error, commands = commands.len(), "a batch of the ledger was not committed");
        }
    }
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        answers.push(alone(commit(pool, std::slice::from_ref(command), context).await)?);
    }
    Some(answers)
}

/// One transaction for the batch. Deadlocks and serialization failures are tried again, then every command fails closed.
async fn commit(
    pool: &PgPool,
    commands: &[Command],
    context: &Context,
) -> Result<Vec<Answer>, Broken<sqlx::Error>> {
    let mut wait = BACK_OFF;
    for _ in 1..TRIES {
        match try_commit(pool, commands, context).await {
            Err(error) if is_collision(&error) => {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            done => return done,
        }
    }
    try_commit(pool, commands, context).await
}

async fn try_commit(
    pool: &PgPool,
    commands: &[Command],
    context: &Context,
) -> Result<Vec<Answer>, Broken<sqlx::Error>> {
    let faults = context.faults.as_ref();
    pass(faults, Moment::Begin)?;
    let mut transaction = pool.begin().await?;
    // Money that moved must survive a loss of power; a hold alone need not.
    if !commands.iter().any(Command::must_reach_the_disk) {
        sqlx::query("set local synchronous_commit = off").execute(&mut *transaction).await?;
    }
    let loaded = load(&mut transaction, commands).await?;
    pass(faults, Moment::Loaded)?;
    let (batch, answers) = decide(loaded, commands, context);
    let (loaded, changes) = (batch.loaded, batch.changes);
    store(&mut transaction, &loaded, &changes).await?;
    pass(faults, Moment::Stored)?;
    transaction.commit().await?;
    pass(faults, Moment::Committed)?;
    Ok(answers)
}

/// 40001: could not serialize. 40P01: deadlock.
fn is_collision(broken: &Broken<sqlx::Error>) -> bool {
    let error = match broken {
        Broken::Database(error) => error,
        Broken::Injected(fault) => return *fault == Fault::Collide,
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "40001" || code == "40P01")
}

async fn load(connection: &mut PgConnection, commands: &[Command]) -> sqlx::Result<Loaded> {
    let needs = Needs::of(commands);
    let (orgs, ids) = (list(&needs.orgs), list(&needs.reservations));
    let wallets: Vec<WalletRow> =
        select(connection, "org_id = any($1) order by org_id for update", &orgs).await?;
    let lots: Vec<LotRow> = select(connection, "org_id = any($1) and remaining_nano > 0", &orgs).await?;
    let mut loaded = Loaded { wallets: wallets_by_org(wallets), lots: by_org(lots), ..Loaded::default() };
    let reservations: Vec<ReservationRow> = select(connection, "id = any($1)", &ids).await?;
    if !reservations.is_empty() {
        for pin in select::<PinRow>(connection, "reservation_id = any($1)", &ids).await? {
            loaded.pins.entry(pin.reservation_id.clone()).or_default().push(pin);
        }
    }
    loaded.reservations = reservations.into_iter().map(|row| (row.id.clone(), row)).collect();
    let nodes = list(&Needs::nodes(commands, loaded.reservations.values()));
    let limits: Vec<LimitRow> = select(connection, "node_id = any($1)", &nodes).await?;
    loaded.limits =
        limits.into_iter().map(|row| ((row.node_id.clone(), row.window_kind.clone()), row)).collect();
    for (org_id, key) in &needs.credits {
        if let Some(amount) = credited(connection, org_id, key).await? {
            loaded.credited.insert((org_id.clone(), key.clone()), amount);
        }
    }
    Ok(loaded)
}

fn list(ids: &BTreeSet<String>) -> Vec<String> {
    ids.iter().cloned().collect()
}

async fn select<R>(connection: &mut PgConnection, condition: &str, ids: &[String]) -> sqlx::Result<Vec<R>>
where
    R: Row + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // The text is made of names from the program alone.
    let sql = AssertSqlSafe(R::select_where() + condition);
    sqlx::query_as(sql).bind(ids).fetch_all(connection).await
}

/// What an idempotency key booked before: the amount that came into the org's lots.
async fn credited(connection: &mut PgConnection, org_id: &str, key: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select cast(sum(e.amount_nano) as bigint)
         from journal_tx t join journal_entry e on e.tx_id = t.id and e.org_id is not null
         where t.org_id = $1 and t.idem_key = $2",
    )
    .bind(org_id)
    .bind(key)
    .fetch_one(connection)
    .await
}

/// Writes what changed, one statement a table, in the order that foreign keys ask for.
async fn store(connection: &mut PgConnection, loaded: &Loaded, changes: &Changes) -> sqlx::Result<()> {
    let lots: BTreeMap<&str, &LotRow> =
        loaded.lots.values().flatten().map(|lot| (lot.id.as_str(), lot)).collect();
    let lot = |id: &String| lots.get(id.as_str()).copied();
    let (new_lots, old_lots): (Vec<_>, Vec<_>) =
        changes.new_lots.union(&changes.lots).partition(|id| changes.new_lots.contains(*id));
    update(connection, changes.wallets.iter().filter_map(|org_id| loaded.wallets.get(org_id)).collect())
        .await?;
    insert(connection, new_lots.into_iter().filter_map(lot).collect()).await?;
    update(connection, old_lots.into_iter().filter_map(lot).collect()).await?;
    let reservation = |id: &String| loaded.reservations.get(id);
    let ended = changes.resolved.difference(&changes.new_reservations);
    insert(connection, changes.new_reservations.iter().filter_map(reservation).collect()).await?;
    update(connection, ended.filter_map(reservation).collect()).await?;
    insert(connection, changes.pins.iter().collect()).await?;
    update(connection, changes.limits.iter().filter_map(|key| loaded.limits.get(key)).collect()).await?;
    insert(connection, changes.transactions.iter().collect()).await?;
    insert(connection, changes.entries.iter().collect()).await?;
    insert(connection, changes.attempts.iter().collect()).await?;
    insert(connection, changes.absorbed.iter().collect()).await?;
    insert(connection, changes.receipts.iter().collect()).await?;
    insert(connection, changes.outbox.iter().collect()).await
}

async fn insert<R: Row>(connection: &mut PgConnection, rows: Vec<&R>) -> sqlx::Result<()> {
    let (table, columns) = (R::TABLE, R::COLUMNS.join(", "));
    let sql = format!(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, cast($1 as jsonb)){}",
        R::AGAIN
    );
    write(connection, sql, rows).await
}

/// Writes every column of rows that are there; their wallet has been locked since they were read.
async fn update<R: Row>(connection: &mut PgConnection, rows: Vec<&R>) -> sqlx::Result<()> {
    let table = R::TABLE;
    let set: Vec<String> = R::COLUMNS
        .iter()
        .filter(|name| !R::KEY.contains(name))
        .map(|name| format!("{name} = r.{name}"))
        .collect();
    let by: Vec<String> = R::KEY.iter().map(|name| format!("{table}.{name} = r.{name}")).collect();
    let sql = format!(
        "update {table} set {} from jsonb_populate_recordset(null::{table}, cast($1 as jsonb)) r where {}",
        set.join(", "),
        by.join(" and ")
    );
    write(connection, sql, rows).await
}

async fn write<R: Row>(connection: &mut PgConnection, sql: String, rows: Vec<&R>) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    // The text is made of names from the program alone; the rows are a parameter.
    sqlx::query(AssertSqlSafe(sql)).bind(json).execute(connection).await.map(drop)
}
