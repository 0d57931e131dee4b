//! The allowance for testing models from the console: each test is a call that the installation pays for.
use super::People;
use super::membership::Membership;
use crate::throttle::Rule;

pub use crate::throttle::MODEL_TESTS_A_DAY;

impl People {
    /// Counts one test by the member's org; false means that today's are used up, and counts nothing.
    pub async fn takes_model_test(&self, member: &Membership) -> sqlx::Result<bool> {
        self.throttle.allows(&self.throttle.model_tests_of(member.org_id()), Rule::MODEL_TESTS).await
    }
}
