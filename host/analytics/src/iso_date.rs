//! Dates as `YYYY-MM-DD` in JSON, for `#[serde(with = …)]`.

use portolan_core::LocalDate;
use serde::{Deserialize, Deserializer, Serializer, de};

pub fn serialize<S: Serializer>(date: &LocalDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LocalDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    LocalDate::parse(&text)
        .ok_or_else(|| de::Error::custom(format!("{text:?} is not a date: write it as YYYY-MM-DD")))
}

/// A range as `{"from", "until"}`, `until` being the first day that is no longer part of it.
pub mod range {
    use portolan_core::LocalDate;
    use portolan_core::calendar::DateRange;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wire {
        #[serde(with = "super")]
        from: LocalDate,
        #[serde(with = "super")]
        until: LocalDate,
    }

    pub fn serialize<S: Serializer>(range: &DateRange, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { from: range.from, until: range.until }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateRange, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Ok(DateRange { from: wire.from, until: wire.until })
    }
}
