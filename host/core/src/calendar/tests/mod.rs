mod dates;
mod properties;
mod zones;

use crate::{Instant, LocalDate};

fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap()
}

fn date(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

/// Microseconds of a clock without a zone.
fn local(text: &str) -> i64 {
    at(&format!("{text}Z")).0
}
