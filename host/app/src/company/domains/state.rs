//! How a domain's state follows from what DNS says. Pure: who asks and when is said elsewhere.

use portolan_core::{Duration, Instant};

use super::lookup::NoAnswer;

/// So long a verified domain's record may be missing.
pub const LAPSES_AFTER: Duration = Duration::from_hours(3 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainState {
    /// Nothing was shown yet.
    Pending,
    /// Its record is there, or was within three days.
    Verified,
    /// Looked for and not found.
    Failed,
    /// Was verified; its record is gone for too long. Others may show that it is theirs.
    Lapsed,
}

impl DomainState {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Verified, Self::Failed, Self::Lapsed];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => portolan_access::VERIFIED,
            Self::Failed => "failed",
            Self::Lapsed => "lapsed",
        }
    }

    /// What cannot be read is not verified.
    pub fn of_stored(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == name).unwrap_or(Self::Lapsed)
    }
}

/// What a look at DNS said of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The record that shows it.
    Record,
    /// DNS answered, and not with that record.
    NoRecord,
    /// DNS did not answer.
    Nothing(NoAnswer),
}

/// A domain as far as looks at it change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub state: DomainState,
    pub verified_at: Option<Instant>,
    /// Of a verified one: since when its record was not seen.
    pub failing_since: Option<Instant>,
}

impl Standing {
    pub const NEW: Self = Self { state: DomainState::Pending, verified_at: None, failing_since: None };

    /// What it is after a look. How often somebody looks changes nothing: a verified domain lapses by time alone.
    pub fn after(self, seen: &Seen, now: Instant) -> Self {
        use DomainState::{Failed, Lapsed, Pending, Verified};
        match (self.state, seen) {
            (_, Seen::Record) => Self { state: Verified, verified_at: Some(now), failing_since: None },
            (Verified, _) => {
                let since = self.failing_since.unwrap_or(now);
                let state = if now.since(since) >= LAPSES_AFTER { Lapsed } else { Verified };
                Self { state, failing_since: Some(since), ..self }
            }
            (Pending, Seen::NoRecord) => Self { state: Failed, ..self },
            (Pending | Failed | Lapsed, _) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen() -> impl Strategy<Value = Seen> {
        prop_oneof![
            Just(Seen::Record),
            Just(Seen::NoRecord),
            Just(Seen::Nothing(NoAnswer("it was silent".into())))
        ]
    }

    const HOUR: i64 = 3_600_000_000;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_domain_is_verified_by_its_record_alone_and_lapses_by_three_days_without_it(
            looks in prop::collection::vec((seen(), 0..40 * HOUR), 1..40),
        ) {
            let (mut standing, mut now, mut last_record) = (Standing::NEW, Instant(HOUR), None);
            for (seen, wait) in looks {
                now = Instant(now.0 + wait);
                let before = standing;
                standing = before.after(&seen, now);
                if seen == Seen::Record {
                    last_record = Some(now);
                    prop_assert_eq!(standing.state, DomainState::Verified);
                    prop_assert_eq!(standing.failing_since, None);
                }
                match standing.state {
                    DomainState::Verified => {
                        // Seen at some time, and not missing for three days by what was looked at.
                        prop_assert!(last_record.is_some());
                        let missing = standing.failing_since.map_or(Duration(0), |since| now.since(since));
                        prop_assert!(missing < LAPSES_AFTER);
                    }
                    DomainState::Lapsed => {
                        prop_assert!(last_record.is_some(), "only what was verified lapses");
                        let since = standing.failing_since.expect("since when");
                        prop_assert!(now.since(since) >= LAPSES_AFTER);
                    }
                    DomainState::Pending | DomainState::Failed => {
                        prop_assert_eq!(last_record, None, "what was verified never waits again");
                    }
                }
                // Looking once more at the same moment changes nothing more.
                prop_assert_eq!(standing.after(&seen, now), standing);
                prop_assert_eq!(DomainState::of_stored(standing.state.as_str()), standing.state);
            }
        }
    }

    #[test]
    fn silence_fails_no_claim_and_what_cannot_be_read_is_not_verified() {
        let silent = Seen::Nothing(NoAnswer("it was silent".into()));
        assert_eq!(Standing::NEW.after(&silent, Instant(1)), Standing::NEW);
        assert_eq!(Standing::NEW.after(&Seen::NoRecord, Instant(1)).state, DomainState::Failed);
        assert_ne!(DomainState::of_stored("VERIFIED"), DomainState::Verified);
    }
}
