use portolan_core::{Duration, SeededRandom};

use super::{LONGEST_PATIENCE, RetryPolicy};

#[test]
fn delays_double_up_to_the_cap_and_keep_at_least_half() {
    let random = SeededRandom::new(1);
    let policy = RetryPolicy::default();
    for attempt in 1..=60 {
        let full_secs = 10_i64.saturating_mul(1 << (attempt - 1).min(40)).min(3_600);
        for _ in 0..20 {
            let delay = policy.delay(attempt, None, &random);
            assert!(
                delay >= Duration::from_secs(full_secs).half() && delay <= Duration::from_secs(full_secs)
            );
        }
    }
}

#[test]
fn a_request_for_patience_is_the_least_rest_and_at_most_a_day_counts() {
    let random = SeededRandom::new(2);
    let policy = RetryPolicy::default();
    for asked_secs in [0, 1, 7, 60, 900, 3_600, 20_000, 86_400, 40_000_000] {
        let asked = Duration::from_secs(asked_secs);
        let granted = asked.min(LONGEST_PATIENCE);
        for attempt in 1..=12 {
            let delay = policy.delay(attempt, Some(asked), &random);
            let most = policy.cap.max(Duration(granted.0 + granted.0 / 10));
            assert!(delay >= granted && delay <= most, "{delay:?} where {asked:?} was asked for");
        }
    }
    let rests = |_| policy.delay(1, Some(Duration::from_hours(2)), &random);
    let rests: std::collections::BTreeSet<Duration> = (0..20).map(rests).collect();
    assert!(rests.len() > 10, "they do not come back together");
}

trait Half {
    fn half(self) -> Self;
}

impl Half for Duration {
    fn half(self) -> Self {
        Self(self.0 / 2)
    }
}
