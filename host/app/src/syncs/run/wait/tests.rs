use portolan_connector::WaitFor;
use portolan_core::{Duration, Instant};

use super::waiting;

const NOW: Instant = Instant(1_000_000_000);

#[test]
fn a_wait_is_bounded_and_has_a_reason() {
    let asked = |wait_ms, why: &str| {
        let (until, why) = waiting(WaitFor { token: "t".into(), wait_ms, why: why.to_owned() }, NOW);
        (Instant(until).since(NOW), why)
    };
    assert_eq!(
        asked(90_000, "the report is made"),
        (Duration::from_secs(90), "the report is made".to_owned())
    );
    assert_eq!(asked(0, " ").0, Duration::from_secs(1));
    assert_eq!(asked(u64::MAX, "x").0, Duration::from_hours(24));
    assert!(!asked(1, " ").1.is_empty());
}
