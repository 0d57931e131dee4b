//! The writer on PostgreSQL: a few tasks, each committing what is queued for its orgs in a fixed number of round trips.
//! Locking the wallets, in order, locks everything else of their orgs: limits, lots and reservations are only ever
//! touched under their wallet's lock, by whichever instance holds it.
use super::store::{Tables, store};
use super::{
    BATCH, Context, Job, Needs, QUEUE, TRIES, Writer, alone, begin, decide, limits_by_node, lots_by_org,
    reservations_by_id, wallets_by_org,
};
use crate::batch::{Answer, Command, Loaded};
use crate::call::Unavailable;
use crate::faults::{Broken, Fault, Moment, pass};
use crate::rows::{Kind, PinRow, ReservationRow, Row};
use bytespike_store::audit_event::Appends as _;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, FromRow, PgConnection, PgPool};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// Workers, and so transactions under way at once. More make a hot wallet slower, fewer make many wallets wait.
const LANES: usize = 4;
/// Wait before a batch that another instance was in the way of is tried again; doubled each time.
const BACK_OFF: Duration = Duration::from_millis(2);

/// How a transaction begins. Every row is reached by its key, whatever the planner believes about a table that grows
/// faster than its statistics; and every statement is planned once.
const BEGIN: &str = "begin; set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan; \
                     set local synchronous_commit = off";
const BEGIN_DURABLE: &str =
    "begin; set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan";

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
        let (commands, senders) = begin(std::mem::take(&mut queued));
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
    // Money that moved must survive a loss of power; a hold alone need not.
    let durable = commands.iter().any(Command::must_reach_the_disk);
    let mut transaction = pool.begin_with(if durable { BEGIN_DURABLE } else { BEGIN }).await?;
    let loaded = load(&mut transaction, commands).await?;
    pass(faults, Moment::Loaded)?;
    let (batch, answers) = decide(loaded, commands, context);
    let mut statement = Statement::default();
    store(&mut statement, &batch.loaded, &batch.changes)?;
    let events = batch.changes.events;
    drop(batch.loaded);
    statement.execute(&mut transaction).await?;
    for event in &events {
        transaction.append(event).await?;
    }
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
    let wallets = select(connection, "org_id = any($1) order by org_id for update", &orgs).await?;
    let lots = select(connection, "org_id = any($1) and remaining_nano > 0", &orgs).await?;
    let mut loaded =
        Loaded { wallets: wallets_by_org(wallets), lots: lots_by_org(lots), ..Loaded::default() };
    let reservations: Vec<ReservationRow> = select(connection, "id = any($1)", &ids).await?;
    if !reservations.is_empty() {
        for pin in select::<PinRow>(connection, "reservation_id = any($1)", &ids).await? {
            loaded.pins.entry(pin.reservation_id.clone()).or_default().push(pin);
        }
    }
    loaded.reservations = reservations_by_id(reservations);
    let nodes = list(&needs.nodes(commands, &loaded));
    loaded.limits = limits_by_node(select(connection, "node_id = any($1)", &nodes).await?);
    for (org_id, key) in &needs.credits {
        if let Some(amount) = credited(connection, org_id, key).await? {
            loaded.credited.insert((org_id.clone(), key.clone()), amount);
        }
    }
    for (org_id, key) in &needs.claims {
        if let Some(amounts) = claimed(connection, org_id, key).await? {
            loaded.claimed.insert((org_id.clone(), key.clone()), amounts);
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

/// What an idempotency key booked before: the amount that came into the org's lots, or left them.
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

/// What an idempotency key claimed before.
async fn claimed(connection: &mut PgConnection, org_id: &str, key: &str) -> sqlx::Result<Option<(i64, i64)>> {
    sqlx::query_as("select amount_nano, bonus_nano from claim where org_id = $1 and idem_key = $2")
        .bind(org_id)
        .bind(key)
        .fetch_optional(connection)
        .await
}

/// Everything a batch writes as one statement: a part for each table, the rows as an array for each column.
#[derive(Default)]
struct Statement {
    parts: Vec<String>,
    arguments: PgArguments,
}

impl Tables for Statement {
    type Error = sqlx::Error;

    fn insert<'r, R: Row + 'r>(&mut self, rows: impl Iterator<Item = &'r R>) -> sqlx::Result<()> {
        let rows: Vec<R::Cells<'r>> = rows.map(Row::cells).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let arrays = self.arrays::<R>(&rows, 0..R::COLUMNS.len())?;
        let (table, columns) = (R::TABLE, R::COLUMNS.join(", "));
        self.parts
            .push(format!("insert into {table} ({columns}) select * from unnest({arrays}){}", R::AGAIN));
        Ok(())
    }

    fn update<'r, R: Row + 'r>(&mut self, rows: impl Iterator<Item = &'r R>) -> sqlx::Result<()> {
        let rows: Vec<R::Cells<'r>> = rows.map(Row::cells).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let arrays = self.arrays::<R>(&rows, R::key().chain(R::changing()).map(|(at, _)| at))?;
        let names: Vec<&str> = R::key().chain(R::changing()).map(|(_, name)| name).collect();
        let set: Vec<String> = R::changing().map(|(_, name)| format!("{name} = r.{name}")).collect();
        let by: Vec<String> = R::key().map(|(_, name)| format!("{}.{name} = r.{name}", R::TABLE)).collect();
        self.parts.push(format!(
            "update {} set {} from unnest({arrays}) r ({}) where {}",
            R::TABLE,
            set.join(", "),
            names.join(", "),
            by.join(" and ")
        ));
        Ok(())
    }
}

impl Statement {
    /// Binds these columns of the rows, and names the parameters with their types.
    fn arrays<R: Row>(
        &mut self,
        rows: &[R::Cells<'_>],
        columns: impl Iterator<Item = usize>,
    ) -> sqlx::Result<String> {
        let mut names = Vec::new();
        for at in columns {
            let cells = rows.iter().map(|row| row.as_ref()[at]);
            let (added, name) = match R::KINDS[at] {
                Kind::Text => (self.arguments.add(cells.map(|cell| cell.text()).collect::<Vec<_>>()), "text"),
                Kind::Integer => {
                    (self.arguments.add(cells.map(|cell| cell.integer()).collect::<Vec<_>>()), "bigint")
                }
                Kind::Flag => {
                    (self.arguments.add(cells.map(|cell| cell.flag()).collect::<Vec<_>>()), "boolean")
                }
            };
            added.map_err(sqlx::Error::Encode)?;
            names.push(format!("${}::{name}[]", self.arguments.len()));
        }
        Ok(names.join(", "))
    }

    /// The parts see the tables as they were before, so none may depend on another.
    async fn execute(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let parts: Vec<String> =
            self.parts.iter().enumerate().map(|(number, part)| format!("p{number} as ({part})")).collect();
        // The text is made of names from the program alone; the rows are parameters.
        let sql = AssertSqlSafe(format!("with {} select 1", parts.join(", ")));
        sqlx::query_with(sql, self.arguments).execute(connection).await.map(drop)
    }
}
