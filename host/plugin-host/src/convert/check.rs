//! Checks of single values. A violation is the plugin's bug, named with document and field.

use portolan_commerce::document::Moment;
use portolan_core::{Currency, Decimal, Instant, LocalDate};

use crate::bindings::portolan::plugin::types as wit;
use crate::limits::Stop;

pub const MAX_WORD_BYTES: usize = 255;
pub const MAX_TEXT_BYTES: usize = 4_000;
pub const MAX_ITEMS: usize = 20_000;
const MAX_SCALE: u8 = 18;

/// Years 1 to 9999: what both databases and every calendar can hold.
const FIRST_US: i64 = -62_135_596_800_000_000;
const LAST_US: i64 = 253_402_300_799_999_999;
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

/// Whether both databases and every calendar can hold it.
pub fn is_in_calendar(instant: Instant) -> bool {
    (FIRST_US..=LAST_US).contains(&instant.0)
}

/// A document that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadDocument {
    Invalid(String),
    TooMuch(String),
}

impl BadDocument {
    pub fn stop(self) -> Stop {
        match self {
            Self::Invalid(detail) => Stop::Bug(detail),
            Self::TooMuch(detail) => Stop::Output { detail },
        }
    }
}

/// Checks the values of one document after the other and counts what they weigh.
pub struct Check {
    bytes_left: usize,
    max_bytes: usize,
    entity: &'static str,
    key: String,
}

impl Check {
    pub fn new(max_bytes: usize) -> Self {
        Self { bytes_left: max_bytes, max_bytes, entity: "", key: String::new() }
    }

    /// What the next findings are about.
    pub fn begin(&mut self, entity: &'static str, key: &str) {
        self.entity = entity;
        self.key.clear();
        self.key.extend(key.chars().filter(|character| !character.is_control()).take(60));
    }

    pub fn invalid(&self, field: &str, why: &str) -> BadDocument {
        BadDocument::Invalid(format!("{} {:?}: {field} {why}", self.entity, self.key))
    }

    pub fn spend(&mut self, bytes: usize) -> Result<(), BadDocument> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(|| {
            BadDocument::TooMuch(format!(
                "the documents of one chunk weigh more than {} MiB: let fetch return smaller chunks",
                self.max_bytes >> 20
            ))
        })?;
        Ok(())
    }

    /// A key: present, not too long, free of control characters.
    pub fn key(&mut self, field: &str, key: String) -> Result<String, BadDocument> {
        if key.is_empty() {
            return Err(self.invalid(field, "is empty"));
        }
        self.word(field, key)
    }

    pub fn keys(&mut self, field: &str, key: Option<String>) -> Result<Option<String>, BadDocument> {
        key.map(|key| self.key(field, key)).transpose()
    }

    /// A short text that serves as a code, a state or a name of something; may be empty.
    pub fn word(&mut self, field: &str, text: String) -> Result<String, BadDocument> {
        self.bounded(field, text, MAX_WORD_BYTES)
    }

    pub fn words(&mut self, field: &str, text: Option<String>) -> Result<Option<String>, BadDocument> {
        text.map(|text| self.word(field, text)).transpose()
    }

    /// A text for people.
    pub fn text(&mut self, field: &str, text: String) -> Result<String, BadDocument> {
        self.bounded(field, text, MAX_TEXT_BYTES)
    }

    pub fn texts(&mut self, field: &str, text: Option<String>) -> Result<Option<String>, BadDocument> {
        text.map(|text| self.text(field, text)).transpose()
    }

    fn bounded(&mut self, field: &str, text: String, max_bytes: usize) -> Result<String, BadDocument> {
        if text.len() > max_bytes {
            return Err(self.invalid(field, &format!("is longer than {max_bytes} bytes")));
        }
        if text.contains('\0') {
            return Err(self.invalid(field, "contains a NUL character"));
        }
        self.spend(text.len() + 16)?;
        Ok(text)
    }

    pub fn items<T>(&mut self, field: &str, items: &[T]) -> Result<(), BadDocument> {
        if items.len() > MAX_ITEMS {
            return Err(self.invalid(field, &format!("has more than {MAX_ITEMS} entries")));
        }
        self.spend(size_of_val(items).max(items.len() * 32))
    }

    pub fn currency(&self, field: &str, code: &str) -> Result<Currency, BadDocument> {
        code.parse().map_err(|error: portolan_core::currency::InvalidCurrency| {
            self.invalid(field, &format!("is not accepted: {error}"))
        })
    }

    pub fn currencies(&self, field: &str, code: Option<String>) -> Result<Option<Currency>, BadDocument> {
        code.map(|code| self.currency(field, &code)).transpose()
    }

    pub fn moment(&self, field: &str, moment: wit::Moment) -> Result<Moment, BadDocument> {
        let (wit::Moment::At(microseconds) | wit::Moment::Local(microseconds)) = moment;
        if !is_in_calendar(Instant(microseconds)) {
            return Err(self.invalid(
                field,
                "is not between the years 1 and 9999: instants are microseconds since 1970",
            ));
        }
        Ok(match moment {
            wit::Moment::At(at) => Moment::At(Instant(at)),
            wit::Moment::Local(local) => Moment::Local(local),
        })
    }

    pub fn moments(&self, field: &str, moment: Option<wit::Moment>) -> Result<Option<Moment>, BadDocument> {
        moment.map(|moment| self.moment(field, moment)).transpose()
    }

    pub fn date(&self, field: &str, days: i32) -> Result<LocalDate, BadDocument> {
        if !(FIRST_DAY..=LAST_DAY).contains(&days) {
            return Err(
                self.invalid(field, "is not between the years 1 and 9999: dates are days since 1970-01-01")
            );
        }
        Ok(LocalDate(days))
    }

    pub fn dates(&self, field: &str, days: Option<i32>) -> Result<Option<LocalDate>, BadDocument> {
        days.map(|days| self.date(field, days)).transpose()
    }

    pub fn decimal(&self, field: &str, decimal: wit::Decimal) -> Result<Decimal, BadDocument> {
        if decimal.scale > MAX_SCALE {
            return Err(self.invalid(field, &format!("has more than {MAX_SCALE} digits after the point")));
        }
        Ok(Decimal::new(decimal.unscaled, decimal.scale))
    }

    pub fn decimals(
        &self,
        field: &str,
        decimal: Option<wit::Decimal>,
    ) -> Result<Option<Decimal>, BadDocument> {
        decimal.map(|decimal| self.decimal(field, decimal)).transpose()
    }

    pub fn pairs(
        &mut self,
        field: &str,
        pairs: Vec<(String, String)>,
    ) -> Result<Vec<(String, String)>, BadDocument> {
        self.items(field, &pairs)?;
        pairs
            .into_iter()
            .map(|(name, value)| Ok((self.key(field, name)?, self.text(field, value)?)))
            .collect()
    }
}
