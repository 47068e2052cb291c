use portolan_core::{Duration, SeededRandom};

use super::RetryPolicy;

#[test]
fn delays_double_up_to_the_cap_and_keep_at_least_half() {
    let random = SeededRandom::new(1);
    let policy = RetryPolicy::default();
    for attempt in 1..=60 {
        let full_secs = 10_i64.saturating_mul(1 << (attempt - 1).min(40)).min(3_600);
        for _ in 0..20 {
            let delay = policy.delay(attempt, &random);
            assert!(
                delay >= Duration::from_secs(full_secs).half() && delay <= Duration::from_secs(full_secs)
            );
        }
    }
}

trait Half {
    fn half(self) -> Self;
}

impl Half for Duration {
    fn half(self) -> Self {
        Self(self.0 / 2)
    }
}
