//! How the database's answers are waited for. Processes go on with other work meanwhile; a simulation stands still, so
//! that everything happens on its one thread, in one order, and its clock does not move while a statement runs.
use std::future::Future;

/// How a store waits for its database.
#[derive(Clone, Default)]
pub struct Answers {
    /// The runtime that the connections live on, when nobody else may work meanwhile.
    #[cfg(feature = "testing")]
    inline: Option<tokio::runtime::Handle>,
}

impl Answers {
    /// Answers come within the poll that asked. The connections must have been opened on `connections`' runtime, and it
    /// must not be the one that asks.
    #[cfg(feature = "testing")]
    pub(crate) fn inline(connections: tokio::runtime::Handle) -> Self {
        Self { inline: Some(connections) }
    }

    /// Whether answers come within the poll that asked.
    pub fn are_inline(&self) -> bool {
        #[cfg(feature = "testing")]
        return self.inline.is_some();
        #[cfg(not(feature = "testing"))]
        return false;
    }

    /// What [`crate::on_database!`] makes of a statement.
    pub async fn of<F: Future>(&self, work: F) -> F::Output {
        #[cfg(feature = "testing")]
        if let Some(connections) = &self.inline {
            // What the statement spawns or times (a connection going back to its pool) belongs to the other runtime.
            let _entered = connections.enter();
            // The asking task may have used up its turn, which no runtime could give back to it while it is waited for.
            return futures_executor::block_on(tokio::task::unconstrained(work));
        }
        work.await
    }
}
