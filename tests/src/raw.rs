//! A client that writes the bytes it is told to, for requests that no HTTP library would send.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::PATIENCE;
use crate::canary;
use crate::product::Product;

/// A connection to the product.
pub struct Raw {
    stream: TcpStream,
    /// The beginning of what was written: it says where the answer comes from.
    asked: Vec<u8>,
}

impl Raw {
    /// Connects and says nothing yet.
    pub async fn to(product: &Product) -> Self {
        let address = product.url.strip_prefix("http://").expect("a plain address");
        let stream = TcpStream::connect(address).await.expect("the product listens");
        Self { stream, asked: Vec::new() }
    }

    /// Whether the bytes could still be written.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        self.asked.extend(bytes.iter().take(200usize.saturating_sub(self.asked.len())));
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Everything the product sends until it closes the connection, as text.
    ///
    /// # Panics
    /// When it does not close it.
    pub async fn until_closed(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes_until_closed().await).into_owned()
    }

    /// As [`Self::until_closed`], as bytes.
    ///
    /// # Panics
    /// When it does not close it.
    pub async fn bytes_until_closed(&mut self) -> Vec<u8> {
        let mut received = Vec::new();
        loop {
            let mut piece = vec![0; 16 << 10];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut piece)).await;
            match read.unwrap_or_else(|_| panic!("not closed after {:?}", String::from_utf8_lossy(&received)))
            {
                Ok(0) => break,
                Ok(count) => received.extend_from_slice(&piece[..count]),
                // A reset is a close too.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error}"),
            }
        }
        canary::check(&self.place(), &received);
        received
    }

    /// Method and path of the first request, such as `POST /v1/messages`.
    fn place(&self) -> String {
        let asked = String::from_utf8_lossy(&self.asked);
        let mut words = asked.split([' ', '?']);
        format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    /// The head of the next answer, without its body.
    pub async fn head(&mut self) -> String {
        let mut received = Vec::new();
        while !received.windows(4).any(|four| four == b"\r\n\r\n") {
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut received)).await;
            let count = read.expect("an answer in time").expect("a readable connection");
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&received));
        }
        let text = String::from_utf8_lossy(&received);
        text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
    }
}

/// Sends the bytes on a connection of their own and reads until the product closes it.
pub async fn exchange(product: &Product, bytes: impl AsRef<[u8]>) -> String {
    let mut raw = Raw::to(product).await;
    let _ = raw.write(bytes.as_ref()).await;
    raw.until_closed().await
}

/// The status of the first answer in what came back; 0 when there was none.
#[must_use]
pub fn status(answer: &str) -> u16 {
    let first = answer.strip_prefix("HTTP/1.1 ").or_else(|| answer.strip_prefix("HTTP/1.0 "));
    first.and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}
