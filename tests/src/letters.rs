//! A mail server under the test's control: it takes every letter and keeps it as it came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::gate::Counter;
use crate::product::Setup;

/// It stops when dropped.
pub struct Letters {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    arrived: Counter,
    listening: JoinHandle<()>,
}

impl Letters {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (taken, arrived) = (Arc::new(Mutex::new(Vec::new())), Counter::default());
        let (shared, counter) = (taken.clone(), arrived.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), counter.clone()));
            }
        });
        Self { address, taken, arrived, listening }
    }

    /// A product that sends its letters here.
    #[must_use]
    pub fn wire(&self, setup: Setup) -> Setup {
        setup.settings(&format!(
            "[mail]\nsmtp_host = \"127.0.0.1\"\nsmtp_port = {}\nsmtp_security = \"none\"\nfrom = \"ByteSpike <post@example.com>\"",
            self.address.port()
        ))
    }

    /// The first letter to this address whose head and body hold the text, once it has come.
    pub async fn to(&self, address: &str, text: &str) -> String {
        let is_it = |letter: &&String| letter.contains(&format!("To: {address}")) && letter.contains(text);
        loop {
            let seen = self.arrived.now();
            if let Some(letter) = self.all().iter().find(is_it) {
                return letter.clone();
            }
            self.arrived.at_least(seen + 1).await;
        }
    }

    /// Every letter so far.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.taken.lock().expect("never poisoned").clone()
    }
}

impl Drop for Letters {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// As much of RFC 5321 as a client needs to hand over a letter.
async fn serve(stream: TcpStream, taken: Arc<Mutex<Vec<String>>>, arrived: Counter) -> Option<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    writing.write_all(b"220 ready\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await.ok()?;
                let mut letter = String::new();
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    letter.push_str(&line);
                    letter.push('\n');
                }
                taken.lock().expect("never poisoned").push(letter);
                arrived.bump();
                b"250 taken\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        writing.write_all(answer).await.ok()?;
    }
    Some(())
}
