//! The writer: takes queued commands in batches, loads what they touch, decides them, stores and commits, then answers.
mod memory;
pub(crate) mod postgres;
pub(crate) mod sqlite;
mod store;

use crate::batch::{Answer, Batch, Command, Lease, Loaded};
use crate::call::Unavailable;
use crate::faults::{Broken, Faults};
use crate::kept::Kept;
use crate::rows::{LimitRow, LotRow, ReservationRow, WalletRow};
use bytespike_store::Store;
use bytespike_store::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Commands taken into one transaction at most.
const BATCH: usize = 256;
/// Commands waiting before senders have to.
const QUEUE: usize = 4_096;
/// How often a batch is tried when the database is busy or another instance was in its way.
const TRIES: u32 = 5;

/// How long an answer is waited for once the writer is at work on the command, whatever its sender's patience.
const AT_WORK: Duration = Duration::from_secs(10);

/// A command and who waits for its answer.
pub(crate) struct Job {
    command: Command,
    /// Told when the writer begins. Nobody hears it any more when the sender gave up before.
    begun: oneshot::Sender<()>,
    answer: oneshot::Sender<Result<Answer, Unavailable>>,
}

/// Sends commands to the writer.
#[derive(Clone)]
pub(crate) enum Writer {
    /// One lane per worker: an org always takes the same one, so that its commands meet.
    Lanes(Vec<mpsc::Sender<Job>>),
    /// Decided and committed by the task that asks, where nothing else may happen meanwhile.
    Inline(Arc<sqlite::Inline>),
}

/// What every worker is given.
#[derive(Clone)]
pub(crate) struct Context {
    pub world: World,
    pub lease: Lease,
    pub faults: Arc<dyn Faults>,
}

impl Writer {
    pub fn start(store: &Store, context: Context) -> Result<Self, Unavailable> {
        match store {
            Store::Sqlite { answers, .. } if answers.are_inline() => sqlite::inline(store, context),
            Store::Sqlite { .. } => sqlite::start(store, context),
            Store::Postgres(pool) => Ok(postgres::start(pool, &context)),
        }
    }

    pub async fn ask(&self, command: Command) -> Result<Answer, Unavailable> {
        self.ask_within(Duration::MAX, command).await
    }

    /// Gives up when the writer has not begun within `patience`: then the command is never done. One that was begun is
    /// waited for, because its sender must not say that nothing happened while it is being committed.
    pub async fn ask_within(&self, patience: Duration, command: Command) -> Result<Answer, Unavailable> {
        let lanes = match self {
            Self::Lanes(lanes) => lanes,
            Self::Inline(inline) => {
                return timeout(patience, inline.ask(&command)).await.map_err(|_| late(patience))?;
            }
        };
        let lane = lane(lanes, command.org_id());
        let ((begun, mut begins), (answer, answered)) = (oneshot::channel(), oneshot::channel());
        let begins_in_time = async {
            lane.send(Job { command, begun, answer }).await.map_err(|_| stopped())?;
            (&mut begins).await.map_err(|_| stopped())
        };
        match timeout(patience, begins_in_time).await {
            Ok(begun) => begun?,
            Err(_) => {
                begins.close();
                begins.try_recv().map_err(|_| late(patience))?;
            }
        }
        timeout(AT_WORK, answered).await.map_err(|_| late(AT_WORK))?.map_err(|_| stopped())?
    }
}

fn late(patience: Duration) -> Unavailable {
    Unavailable(format!("it did not answer within {} s", patience.as_secs()))
}

fn lane<'a>(lanes: &'a [mpsc::Sender<Job>], org_id: &str) -> &'a mpsc::Sender<Job> {
    let hash =
        org_id.bytes().fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
    &lanes[hash % lanes.len()]
}

fn stopped() -> Unavailable {
    Unavailable("its writer has stopped".to_owned())
}

/// Begins the commands whose senders still wait; the others gave up, and what nobody waits for is not done.
fn begin(jobs: Vec<Job>) -> (Vec<Command>, Vec<oneshot::Sender<Result<Answer, Unavailable>>>) {
    let wanted = |Job { command, begun, answer }| begun.send(()).is_ok().then_some((command, answer));
    jobs.into_iter().filter_map(wanted).unzip()
}

/// What a batch of commands has to load, apart from what the reservations name.
struct Needs {
    /// Sorted: locks are taken in this order everywhere.
    orgs: BTreeSet<String>,
    reservations: BTreeSet<String>,
    /// Org and idempotency key.
    credits: BTreeSet<(String, String)>,
    claims: BTreeSet<(String, String)>,
}

impl Needs {
    fn of(commands: &[Command]) -> Self {
        let credit = |command: &Command| match command {
            Command::Credit(credit, _) => Some((credit.org_id.clone(), credit.idempotency_key.clone())),
            Command::Debit(debit, _) => Some((debit.org_id.clone(), debit.idempotency_key.clone())),
            _ => None,
        };
        let claim = |command: &Command| match command {
            Command::Claim(claim) => Some((claim.org_id.clone(), claim.idempotency_key.clone())),
            _ => None,
        };
        Self {
            orgs: commands.iter().map(|command| command.org_id().to_owned()).collect(),
            reservations: commands.iter().filter_map(|c| c.reservation_id().map(str::to_owned)).collect(),
            credits: commands.iter().filter_map(credit).collect(),
            claims: commands.iter().filter_map(claim).collect(),
        }
    }

    /// The limit nodes of holds to come, and of the commands' reservations that are there already.
    fn nodes(&self, commands: &[Command], loaded: &Loaded) -> BTreeSet<String> {
        let holds = commands.iter().filter_map(|command| match command {
            Command::Hold(request) => Some(request.payer.nodes()),
            _ => None,
        });
        let known = self.reservations.iter().filter_map(|id| loaded.reservations.get(id));
        holds.chain(known.map(|row| row.nodes())).flatten().map(|node| node.as_str().to_owned()).collect()
    }
}

fn lots_by_org(rows: Vec<LotRow>) -> BTreeMap<String, Vec<Kept<LotRow>>> {
    let mut lots: BTreeMap<String, Vec<Kept<LotRow>>> = BTreeMap::new();
    for row in rows {
        lots.entry(row.org_id.clone()).or_default().push(Kept::loaded(row));
    }
    lots.values_mut().for_each(|lots| crate::lots::sort(lots));
    lots
}

fn limits_by_node(rows: Vec<LimitRow>) -> BTreeMap<String, Vec<Kept<LimitRow>>> {
    let mut limits: BTreeMap<String, Vec<Kept<LimitRow>>> = BTreeMap::new();
    for row in rows {
        limits.entry(row.node_id.clone()).or_default().push(Kept::loaded(row));
    }
    limits.values_mut().for_each(|limits| limits.sort_by_key(|limit| limit.window()));
    limits
}

fn wallets_by_org(rows: Vec<WalletRow>) -> BTreeMap<String, Kept<WalletRow>> {
    rows.into_iter().map(|row| (row.org_id.clone(), Kept::loaded(row))).collect()
}

fn reservations_by_id(rows: Vec<ReservationRow>) -> BTreeMap<String, Kept<ReservationRow>> {
    rows.into_iter().map(|row| (row.id.clone(), Kept::loaded(row))).collect()
}

fn decide<'a>(loaded: Loaded, commands: &[Command], context: &'a Context) -> (Batch<'a>, Vec<Answer>) {
    let mut batch = Batch::new(loaded, &context.world, &context.lease);
    let answers = commands.iter().map(|command| batch.apply(command)).collect();
    (batch, answers)
}

/// The answer of a batch of one; `None` when the process is to die.
fn alone<E: std::fmt::Display>(
    committed: Result<Vec<Answer>, Broken<E>>,
) -> Option<Result<Answer, Unavailable>> {
    match committed {
        Ok(mut answers) => {
            Some(answers.pop().ok_or_else(|| Unavailable("its writer decided nothing".to_owned())))
        }
        Err(broken) if broken.is_death() => None,
        Err(broken) => Some(Err(Unavailable(broken.to_string()))),
    }
}
