//! Whether a running call's key still stands: asked once a second, and a question under way is not forgotten because
//! bytes came first, or a fast stream would never hear its answer.

use std::sync::Arc;
use std::time::Duration;

use bytespike_accounts::keys::{Caller, KeyRefusal};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

use super::caller::Presented;
use crate::Gateway;

/// How often a running call asks.
const RIGHTS_EVERY: Duration = Duration::from_secs(1);

/// The key of a running call.
pub struct Rights {
    presented: Arc<Presented>,
    gateway: Gateway,
    ask_at: Instant,
    asking: Option<BoxFuture<'static, Result<Arc<Caller>, KeyRefusal>>>,
}

impl Rights {
    #[must_use]
    pub fn new(presented: Presented, gateway: Gateway) -> Self {
        let ask_at = Instant::now() + RIGHTS_EVERY;
        Self { presented: Arc::new(presented), gateway, ask_at, asking: None }
    }

    /// Returns once the key is taken away. One that expires or is deleted lets its running calls finish, and so does a
    /// database that does not answer. Dropping the returned future loses nothing.
    pub async fn gone(&mut self) {
        loop {
            if self.asking.is_none() {
                sleep_until(self.ask_at).await;
            }
            let (presented, gateway) = (&self.presented, &self.gateway);
            let asking = self.asking.get_or_insert_with(|| {
                let (presented, gateway) = (presented.clone(), gateway.clone());
                Box::pin(async move { presented.still_valid(&gateway).await })
            });
            let answer = asking.await;
            self.asking = None;
            self.ask_at = Instant::now() + RIGHTS_EVERY;
            match answer {
                Ok(_) | Err(KeyRefusal::Unavailable(_) | KeyRefusal::Expired | KeyRefusal::Deleted) => {}
                Err(_) => return,
            }
        }
    }
}
