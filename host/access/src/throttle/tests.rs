use portolan_core::{Duration, Instant};

use super::Throttle;

#[test]
fn a_name_rests_longer_and_longer_after_five_failures() {
    let throttle = Throttle::default();
    let mut now = Instant(0);
    for _ in 0..4 {
        throttle.failed("ada", now);
        assert!(throttle.admits("ada", now));
    }
    for rest_secs in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        throttle.failed("ada", now);
        let rest = Duration::from_secs(rest_secs);
        assert!(!throttle.admits("ada", now + rest - Duration(1)), "{rest_secs}");
        now = now + rest;
        assert!(throttle.admits("ada", now), "{rest_secs}");
    }
    assert!(throttle.admits("grace", now));
    throttle.succeeded("ada");
    throttle.failed("ada", now);
    assert!(throttle.admits("ada", now));
}

#[test]
fn memory_is_bounded() {
    let throttle = Throttle::default();
    for number in 0..20_000_i64 {
        throttle.failed(&number.to_string(), Instant(number));
    }
    assert!(throttle.names.lock().expect("lock").len() <= super::MOST_NAMES);
}
