//! Starts the binary and reads what it says.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Nothing here takes this long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running `bytespike`, killed when dropped.
pub struct Process {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Runs `bytespike` with these arguments in `folder`, with no configuration but `environment`.
    pub fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bytespike"));
        command.args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        Self { child, stdout }
    }

    /// Asks it to end, as a deployment does.
    pub async fn terminate(&self) {
        let id = self.child.id().expect("a running process").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "SIGTERM was not sent");
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("the process ends in time").expect("the process can be waited for")
    }

    /// The rest of the first line that contains `mark`, behind it.
    pub async fn line_after(&mut self, mark: &str) -> String {
        let find = async {
            while let Some(line) = self.stdout.next_line().await.expect("its output is text") {
                if let Some((_, rest)) = line.split_once(mark) {
                    return rest.trim().to_owned();
                }
            }
            panic!("the process ended without printing {mark:?}");
        };
        tokio::time::timeout(PATIENCE, find).await.unwrap_or_else(|_| panic!("waited in vain for {mark:?}"))
    }
}

/// An HTTP client; its requests fail instead of hanging.
pub fn client() -> reqwest::Client {
    // Installed once per test process; later calls find it there.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().timeout(PATIENCE).build().expect("a client")
}
