//! The product under test: the real binary in a folder of its own, on a database of its own, behind a port of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use bytespike_store::{on_database, sqlx};

use crate::PATIENCE;
use crate::canary;
use crate::database::{Database, Kind};
use crate::http::Call;

/// How the product is set up. `Default` is a plain one on SQLite without any channel.
#[derive(Debug, Clone)]
pub struct Setup {
    database: Kind,
    trial_grant_credits: u64,
    settings: String,
    models: String,
    channels: String,
    upstream_url: String,
    by_name: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            database: Kind::Sqlite,
            trial_grant_credits: 1_000_000,
            settings: String::new(),
            models: String::new(),
            channels: String::new(),
            upstream_url: String::new(),
            by_name: false,
        }
    }
}

/// A model that costs one credit a token, so that money is easy to read, behind an Anthropic-shaped provider.
pub const CLAUDE: &str = "scripted-claude";
/// The same behind an OpenAI-shaped provider.
pub const GPT: &str = "scripted-gpt";
/// Behind an Anthropic-shaped provider, at a price that no test can pay.
pub const COSTLY: &str = "scripted-costly";

/// Products under test say all they know, so that a secret in a line that nobody turns on is found too.
const LOG: &str = "[log]\nlevel = \"debug,sqlx=info,hyper=info,hyper_util=info,reqwest=info,rustls=info\"\n";

impl Setup {
    /// Two models on one provider that speaks both dialects, and a costly third.
    #[must_use]
    pub fn scripted(upstream_url: &str) -> Self {
        let setup = Self { upstream_url: upstream_url.to_owned(), ..Self::default() };
        setup
            .model(CLAUDE, "1.00")
            .model(GPT, "1.00")
            .model(COSTLY, "1000000.00")
            .channel("anthropic", upstream_url, &[CLAUDE, COSTLY])
            .channel("openai-chat", &format!("{upstream_url}/v1"), &[GPT])
    }

    /// Where the scripted provider listens.
    #[must_use]
    pub fn upstream_url(&self) -> String {
        self.upstream_url.clone()
    }

    #[must_use]
    pub fn on(mut self, database: Kind) -> Self {
        self.database = database;
        self
    }

    /// Credits of a new organisation.
    #[must_use]
    pub fn trial_grant(mut self, credits: u64) -> Self {
        self.trial_grant_credits = credits;
        self
    }

    /// Lines of configuration: those of `[server]` first, then other sections with their headers; `[accounts]` is taken.
    #[must_use]
    pub fn settings(mut self, toml: &str) -> Self {
        writeln!(self.settings, "{toml}").expect("writing to a string");
        self
    }

    /// Reached as `localhost` instead of by its address: browsers have passkeys for names alone.
    #[must_use]
    pub fn by_name(mut self) -> Self {
        self.by_name = true;
        self
    }

    /// A model at one price for everything, in USD per million tokens, which is credits per token.
    #[must_use]
    pub fn model(mut self, id: &str, usd_per_million: &str) -> Self {
        let p = usd_per_million;
        write!(self.models, "\n[[models]]\nid = \"{id}\"\nprovider = \"scripted\"\nprotocols = [\"anthropic\", \"openai-chat\"]\n\
            context_window_tokens = 200000\nmax_output_tokens = 32000\n\
            capabilities = {{ tools = true, vision = true, thinking = true, caching = true }}\n\
            usd_per_million_tokens = {{ input = \"{p}\", output = \"{p}\", cache_read = \"{p}\", cache_write_5m = \"{p}\", cache_write_1h = \"{p}\" }}\n")
            .expect("writing to a string");
        self
    }

    /// A channel to the scripted provider.
    #[must_use]
    pub fn channel(mut self, dialect: &str, base_url: &str, models: &[&str]) -> Self {
        let id = format!("{dialect}-{}", self.channels.matches("[[channels]]").count() + 1);
        let key = canary::UPSTREAM_KEY;
        write!(
            self.channels,
            "\n[[channels]]\nid = \"{id}\"\nprovider = \"scripted\"\ndialect = \"{dialect}\"\n\
            base_url = \"{base_url}\"\napi_key = \"{key}\"\nmodels = {models:?}\n"
        )
        .expect("writing to a string");
        self
    }

    /// Starts the product and returns once it is ready.
    pub async fn start(&self) -> Product {
        let folder = TempDir::new().expect("a temporary folder");
        let database = Arc::new(Database::fresh(self.database, folder.path()));
        self.start_in(folder, database).await
    }

    /// Starts another process on the database of one that runs.
    pub async fn start_beside(&self, first: &Product) -> Product {
        let folder = TempDir::new().expect("a temporary folder");
        self.start_in(folder, first.database.clone()).await
    }

    async fn start_in(&self, folder: TempDir, database: Arc<Database>) -> Product {
        let listen = free_address();
        let log = if self.settings.contains("[log]") { "" } else { LOG };
        let url = if self.by_name {
            format!("http://localhost:{}", listen.port())
        } else {
            format!("http://{listen}")
        };
        let named = if self.by_name { format!("[urls]\npublic = \"{url}\"\n") } else { String::new() };
        let config = format!(
            "{named}[database]\nurl = \"{}\"\n{log}[accounts]\ntrial_grant_credits = {}\n[server]\nlisten = \"{listen}\"\n{}\n{}\n{}",
            database.url(),
            self.trial_grant_credits,
            self.settings,
            self.models,
            self.channels
        );
        std::fs::write(folder.path().join("bytespike.toml"), config).expect("the folder can be written to");
        let process = Process::start(
            folder.path(),
            &["serve"],
            &[("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY)],
        );
        let mut product = Product { url, database, folder, process };
        product.ready().await;
        product
    }
}

/// A running product. It is killed when dropped, and its log is searched for secrets.
pub struct Product {
    /// `http://127.0.0.1:port`
    pub url: String,
    pub database: Arc<Database>,
    folder: TempDir,
    process: Process,
}

impl Product {
    /// As if every session had proven itself long ago.
    pub async fn age_every_session(&self) {
        let store = self.database.connect().await;
        let changed = on_database!(&store, db => sqlx::query(
            "update session set data_json = replace(data_json, '\"confirmed_at_ms\":', '\"confirmed_at_ms\":0,\"was\":')")
            .execute(db).await.map(|done| done.rows_affected()));
        assert!(changed.expect("changed") > 0);
        store.close().await;
    }

    /// Ends the process at once, as a power cut would.
    pub async fn kill(&mut self) {
        self.process.child.kill().await.expect("the process can be killed");
    }

    /// Asks the process to end, as a deployment does.
    pub async fn terminate(&self) {
        let pid = self.process.child.id().expect("a running process").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "SIGTERM was not sent");
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.process.child.wait()).await;
        ended.expect("the process ends in time").expect("the process can be waited for")
    }

    /// Starts again on the same folder, port and database, and returns once it is ready.
    pub async fn start_again(&mut self) {
        self.start_again_with(&[("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY)]).await;
    }

    /// As [`Product::start_again`], in another environment.
    pub async fn start_again_with(&mut self, environment: &[(&str, &str)]) {
        self.process = Process::start(self.folder.path(), &["serve"], environment);
        self.ready().await;
    }

    /// Runs a command of the product beside the running one, with its configuration and these settings, to its end.
    /// Says whether it succeeded and what it printed.
    pub async fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY).envs(environment.iter().copied());
        let ended = tokio::time::timeout(PATIENCE, command.output()).await;
        let ended = ended.expect("the command ends in time").expect("the command runs");
        let said = [ended.stdout, ended.stderr].concat();
        canary::check("what a command printed", &said);
        (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Where the product keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the product's folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("the folder can be written to");
    }

    /// Runs another command of the binary in the same folder, beside the running product.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Ran {
        use tokio::io::AsyncWriteExt as _;
        let mut child = Command::new(binary())
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the product's binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that reads nothing may have closed it already.
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
        let done = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let done = done.expect("the command ends in time").expect("the command can be waited for");
        let output =
            [done.stdout, done.stderr].map(|part| String::from_utf8_lossy(&part).into_owned()).concat();
        canary::check("a command's output", output.as_bytes());
        Ran { success: done.status.success(), output }
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id().expect("a running process")
    }

    /// A URL below the product's own.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What the product has logged and printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until the product has printed what is wanted, and returns the whole output.
    pub async fn printed(&mut self, wanted: &str) -> String {
        self.process.printed(wanted).await
    }

    /// Returns once the product says that it is ready; fails with its log when it ends instead.
    async fn ready(&mut self) {
        let started = Instant::now();
        loop {
            if let Ok(answer) = Call::get(self.at("/readyz")).try_stream().await
                && answer.status == 200
            {
                return;
            }
            if let Ok(Some(status)) = self.process.child.try_wait() {
                panic!("the product ended with {status} before it was ready:\n{}", self.log());
            }
            assert!(started.elapsed() < PATIENCE, "the product is not ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A command that has ended, and all it printed.
#[derive(Debug)]
pub struct Ran {
    pub success: bool,
    pub output: String,
}

/// A process of the product's binary with its output in a file.
pub struct Process {
    child: Child,
    log: PathBuf,
}

/// How long a product under test reads on for a client that has gone: a test that waits for the provider to notice should
/// not have to wait half a minute.
const DRAIN_MS: &str = "200";

impl Process {
    /// Starts the binary in a folder with nothing in the environment but what is given.
    #[must_use]
    pub fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let log = folder.join("log.txt");
        let output = std::fs::File::options().create(true).append(true).open(&log).expect("a log file");
        let child = pinned(&binary())
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("BYTESPIKE_GATEWAY__DRAIN_MS", DRAIN_MS)
            .envs(environment.iter().copied())
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle of the log"))
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .expect("the product's binary starts");
        Self { child, log }
    }

    /// What it has logged and printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the process has printed what is wanted, and returns the whole output.
    pub async fn printed(&mut self, wanted: &str) -> String {
        let started = Instant::now();
        while !self.log().contains(wanted) {
            let ended = self.child.try_wait().expect("the process can be asked");
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "{wanted:?} was not printed:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.log()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            canary::check("the log", self.log().as_bytes());
        }
    }
}

/// The command, on the processor that `tests/bench` keeps for it.
fn pinned(binary: &Path) -> Command {
    let Some(processor) = crate::setting("BENCH_PIN") else { return Command::new(binary) };
    let mut command = Command::new("taskset");
    command.args(["-c", &*processor]).arg(binary);
    command
}

/// The binary that was built beside the running test.
#[must_use]
pub fn binary() -> PathBuf {
    let here = std::env::current_exe().expect("the path of this test");
    let found = here.ancestors().map(|folder| folder.join("bytespike")).find(|path| path.is_file());
    found.expect("build the product first: cargo build --workspace --bins")
}

/// An address on loopback that was free a moment ago.
fn free_address() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound address")
}
