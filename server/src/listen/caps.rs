//! How many connections may be open, in all and from one client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Counts open connections and admits no more than may be.
pub struct Caps {
    max: usize,
    max_per_client: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// An admitted connection; dropping it makes room.
pub struct Place {
    caps: Arc<Caps>,
    client: IpAddr,
}

impl Caps {
    pub fn new(max: usize, max_per_client: usize) -> Self {
        Self { max, max_per_client, open: Mutex::default() }
    }

    /// A place for a connection from `ip`, if there is one.
    pub fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<Place> {
        let client = client_of(ip);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = open.by_client.get(&client).copied().unwrap_or(0);
        if open.total >= self.max || of_client >= self.max_per_client {
            return None;
        }
        open.total += 1;
        open.by_client.insert(client, of_client + 1);
        metrics::gauge!("bytespike_connections_open").increment(1);
        Some(Place { caps: self.clone(), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        match open.by_client.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.by_client.remove(&self.client)),
        }
        metrics::gauge!("bytespike_connections_open").decrement(1);
    }
}

/// One client: an IPv4 address, or the /64 an IPv6 customer usually has to themselves.
fn client_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

/// Tells a client that came too many that it should come back later. Reads a little of what it sent first: closing
/// with unread bytes would reset the connection before the client has read the answer.
pub async fn refuse(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
        content-type: text/plain; charset=utf-8\r\ncontent-length: 22\r\n\r\ntoo many connections.\n";
    let polite = async {
        let mut sent = [0; 4096];
        let _so_much = stream.read(&mut sent).await?;
        stream.write_all(ANSWER).await?;
        stream.shutdown().await
    };
    // The client may be gone or silent; either way it is done with.
    drop(tokio::time::timeout(Duration::from_secs(1), polite).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s66_a_client_is_an_ipv4_address_or_an_ipv6_slash_64() {
        let caps = Arc::new(Caps::new(4, 1));
        let admit = |text: &str| caps.admit(text.parse().unwrap());
        let first = admit("10.0.0.1");
        assert!(first.is_some() && admit("10.0.0.1").is_none() && admit("::ffff:10.0.0.1").is_none());
        let _other = admit("10.0.0.2").unwrap();
        let _six = admit("2001:db8::1").unwrap();
        assert!(admit("2001:db8::ffff").is_none());
        let _seven = admit("2001:db8:0:1::1").unwrap();
        assert!(admit("10.0.0.9").is_none(), "the fifth of four");
        drop(first);
        assert!(admit("10.0.0.1").is_some());
    }
}
