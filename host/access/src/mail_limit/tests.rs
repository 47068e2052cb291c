use proptest::prelude::*;

use super::*;

const START: Instant = Instant::from_unix_ms(1_780_000_000_000);

proptest! {
    #[test]
    fn whoever_asks_however_they_ask_gets_one_a_minute_and_two_an_hour(
        pauses in prop::collection::vec(0_i64..5_000, 1..200),
    ) {
        let (mut known, mut now, mut sent) = (Asked::default(), START, Vec::new());
        for pause in pauses {
            now = now + Duration::from_secs(pause);
            let (may, after) = known.ask(now);
            known = after;
            if may {
                sent.push(now);
            }
        }
        for pair in sent.windows(2) {
            prop_assert!(pair[1].since(pair[0]) >= COOLDOWN);
        }
        for three in sent.windows(3) {
            prop_assert!(three[2].since(three[0]) >= WITHIN, "{three:?}");
        }
        // Whoever waits is served again, whatever was before.
        prop_assert!(known.ask(now + LOCKED_FOR + WITHIN).0);
    }
}

#[test]
fn the_third_within_the_hour_locks_for_an_hour_and_asking_too_soon_does_not() {
    let minute = |number: i64| START + Duration::from_minutes(number);
    let (may, known) = Asked::default().ask(minute(0));
    assert!(may);
    assert_eq!(known.ask(START + Duration::from_secs(59)), (false, known));
    let (may, known) = known.ask(minute(1));
    assert!(may);
    let (may, known) = known.ask(minute(3));
    assert!(!may && known.locked_until == minute(63));
    assert!(!known.ask(minute(62)).0, "locked, although the first was more than an hour ago");
    assert!(known.ask(minute(63)).0);
}
