//! Argon2id in a bounded pool: a flood of sign-ins waits in a short queue or is told to come back, and the memory
//! in use stays at workers × 19 MiB.
use super::policy::Password;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use bytespike_store::world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// The least that the OWASP password storage sheet recommends for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const QUEUE: usize = 64;

/// Hashes and checks passwords. Clones share one pool.
#[derive(Clone)]
pub struct Hasher(Arc<Pool>);

struct Pool {
    world: World,
    workers: Arc<Semaphore>,
    /// Running and waiting together.
    places: Semaphore,
    /// Checked in place of a hash that does not exist, so that an unknown account costs the same.
    dummy: String,
    verifications: AtomicU64,
}

/// Too many passwords are being hashed; try again in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is busy checking passwords; try again in a moment")]
pub struct Busy;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    /// `newer_hash` is set when the stored hash was made with weaker parameters and should be replaced.
    Right {
        newer_hash: Option<String>,
    },
}

impl Hasher {
    pub fn new(world: World, workers: usize) -> Self {
        let workers = workers.max(1);
        let dummy = hash(b"no account has this password", &world.bytes());
        Self(Arc::new(Pool {
            world,
            workers: Arc::new(Semaphore::new(workers)),
            places: Semaphore::new(workers + QUEUE),
            dummy,
            verifications: AtomicU64::new(0),
        }))
    }

    /// The password's hash in PHC form, with its parameters and a fresh salt.
    pub async fn hash(&self, password: Password) -> Result<String, Busy> {
        let salt = self.0.world.bytes();
        self.run(move || hash(password.as_bytes(), &salt)).await
    }

    /// Checks a password against a stored hash. Without one, the work is done all the same and the answer is no.
    pub async fn verify(&self, password: Password, stored: Option<&str>) -> Result<Verdict, Busy> {
        self.0.verifications.fetch_add(1, Ordering::Relaxed);
        let exists = stored.is_some();
        let stored = stored.unwrap_or(&self.0.dummy).to_owned();
        let salt = self.0.world.bytes();
        self.run(move || {
            let matches = matches(password.as_bytes(), &stored);
            if !(matches && exists) {
                return Verdict::Wrong;
            }
            Verdict::Right { newer_hash: is_weaker(&stored).then(|| hash(password.as_bytes(), &salt)) }
        })
        .await
    }

    /// How many checks were made, those for unknown accounts included.
    pub fn verifications(&self) -> u64 {
        self.0.verifications.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _place = self.0.places.try_acquire().map_err(|_| Busy)?;
        let worker = self.0.workers.clone().acquire_owned().await.map_err(|_| Busy)?;
        // The permit moves into the work: a caller that goes away does not free a worker that is still hashing.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(worker);
            result
        });
        done.await.map_err(|_| Busy)
    }
}

fn argon2() -> Argon2<'static> {
    let Ok(params) = Params::new(MEMORY_KIB, PASSES, LANES, None) else {
        unreachable!("the parameters are within bounds")
    };
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8], salt: &[u8; 16]) -> String {
    let hashed = SaltString::encode_b64(salt)
        .and_then(|salt| Ok(argon2().hash_password(password, &salt)?.to_string()));
    let Ok(hashed) = hashed else { unreachable!("a 16-byte salt and a short password are within bounds") };
    hashed
}

fn matches(password: &[u8], stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| argon2().verify_password(password, &stored).is_ok())
}

fn is_weaker(stored: &str) -> bool {
    PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok()).is_none_or(|params| {
        params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES || params.p_cost() < LANES
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::presented(text).expect("short enough")
    }

    fn hasher(workers: usize) -> Hasher {
        Hasher::new(World::manual(0, 9).0, workers)
    }

    #[tokio::test]
    async fn s41_only_the_same_password_is_right_down_to_its_last_byte() {
        let hasher = hasher(1);
        for length in [15, 71, 72, 73, 128] {
            let text = "x".repeat(length - 1);
            let stored = hasher.hash(password(&format!("{text}a"))).await.expect("not busy");
            assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
            let right = hasher.verify(password(&format!("{text}a")), Some(&stored)).await;
            let wrong = hasher.verify(password(&format!("{text}b")), Some(&stored)).await;
            assert_eq!((right, wrong), (Ok(Verdict::Right { newer_hash: None }), Ok(Verdict::Wrong)));
        }
    }

    #[tokio::test]
    async fn s35_s50_an_unknown_account_costs_one_check_and_a_stored_hash_is_no_password() {
        let hasher = hasher(1);
        assert_eq!(hasher.verify(password("no account has this password"), None).await, Ok(Verdict::Wrong));
        assert_eq!(hasher.verifications(), 1);
        let stored = hasher.hash(password("the real password")).await.expect("not busy");
        assert_eq!(hasher.verify(password(&stored), Some(&stored)).await, Ok(Verdict::Wrong));
        assert_eq!(hasher.verify(password("x"), Some("not a hash")).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn s40_a_weaker_hash_is_renewed_once() {
        let weak =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).expect("valid"));
        let salt = SaltString::encode_b64(&[1; 16]).expect("valid");
        let stored = weak.hash_password(b"the same password", &salt).expect("hashed").to_string();
        let hasher = hasher(1);
        let Ok(Verdict::Right { newer_hash: Some(newer) }) =
            hasher.verify(password("the same password"), Some(&stored)).await
        else {
            panic!("the weaker hash was not renewed");
        };
        let again = hasher.verify(password("the same password"), Some(&newer)).await;
        assert_eq!(again, Ok(Verdict::Right { newer_hash: None }));
    }

    #[tokio::test]
    async fn s39_beyond_the_queue_the_answer_is_busy_and_the_pool_recovers() {
        let hasher = hasher(1);
        let blocked = hasher.0.workers.clone().acquire_owned().await.expect("open");
        let waiting: Vec<_> = (0..=QUEUE)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.run(|| ()).await })
            })
            .collect();
        while hasher.0.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hasher.hash(password("one too many")).await, Err(Busy));
        drop(blocked);
        for task in waiting {
            assert_eq!(task.await.expect("joined"), Ok(()));
        }
        assert!(hasher.hash(password("room again")).await.is_ok());
    }
}
