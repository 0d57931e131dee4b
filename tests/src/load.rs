//! Calls beside whatever a test does, in both dialects, whole and streamed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::product::{CLAUDE, GPT};
use crate::speaker::SPEAKERS;
use crate::stage::Stage;

const CALLERS: usize = 6;

/// Calls that run until they are told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    callers: tokio::task::JoinSet<()>,
}

impl Load {
    /// Returns once each has been answered.
    pub async fn start(stage: &Stage) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let mut callers = tokio::task::JoinSet::new();
        for n in 0..CALLERS {
            let speaker = SPEAKERS[n % 2];
            let call = stage.call(speaker, &speaker.ask([CLAUDE, GPT][n / 2 % 2], n % 3 == 0));
            let (stop, answered) = (stop.clone(), answered.clone());
            callers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = call.clone().send().await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while answered.load(Ordering::Relaxed) < CALLERS {
            tokio::task::yield_now().await;
        }
        Self { stop, callers }
    }

    /// # Panics
    /// When one of the calls was not answered.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.callers.join_all().await;
    }
}
