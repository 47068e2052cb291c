//! What an address asks Pulse for: which days, compared with what, of which connection, in which currency, as of when.
//!
//! Nothing here fails: an address that cannot be read gives the default range and says why.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::RangePreset;
use portolan_admin_ui::parts::SelectOption;
use portolan_core::calendar::{Comparison, DateRange, Grain, RelativeRange, TenantCalendar};
use portolan_core::{Currency, LocalDate};
use serde::Deserialize;

const DEFAULT_DAYS: i32 = 30;
/// Dates outside are typing errors.
const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2199;

/// `GET /pulse?from=&until=&compare=&connection=&currency=&convert=&as_of=`, or `range` in place of the dates.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PulseQuery {
    #[serde(default)]
    pub range: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub until: String,
    #[serde(default)]
    pub compare: String,
    #[serde(default)]
    pub connection: String,
    /// Of the charts.
    #[serde(default)]
    pub currency: String,
    /// `no`: every amount in the currency in which it was sold.
    #[serde(default)]
    pub convert: String,
    /// `YYYY-MM-DD`: figures as they were reported on that day.
    #[serde(default)]
    pub as_of: String,
}

/// The first and the last business date of the ledger.
pub type LedgerDays = Option<(LocalDate, LocalDate)>;

/// The days that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub range: DateRange,
    pub comparison: Option<Comparison>,
    /// The range that was chosen by name, or by saying nothing.
    pub preset: Option<Preset>,
    /// The range ends with the newest data instead of today.
    pub ends_with_newest_data: bool,
    /// What was recorded after this day does not count; absent where everything does.
    pub as_of: Option<LocalDate>,
    /// What could not be read.
    pub error: Option<String>,
}

/// A range by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Relative(RelativeRange),
    /// Everything in the ledger.
    All,
}

/// In the order of the page.
const PRESETS: [(Preset, &str); 7] = [
    (Preset::Relative(RelativeRange::LastDays(7)), "7 days"),
    (Preset::Relative(RelativeRange::LastDays(30)), "30 days"),
    (Preset::Relative(RelativeRange::LastDays(90)), "90 days"),
    (Preset::Relative(RelativeRange::ToDate(Grain::Month)), "This month"),
    (Preset::Relative(RelativeRange::Previous(Grain::Month)), "Previous month"),
    (Preset::Relative(RelativeRange::ToDate(Grain::Year)), "This year"),
    (Preset::All, "All"),
];

/// Choices of the comparison: value, text.
const COMPARISONS: [(&str, &str); 3] =
    [("previous", "previous period"), ("year", "year before"), ("none", "nothing")];

impl Preset {
    fn name(self) -> String {
        match self {
            Self::Relative(range) => range.to_string(),
            Self::All => "all".to_owned(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "all" {
            return Some(Self::All);
        }
        text.parse().ok().map(Self::Relative)
    }
}

impl PulseQuery {
    /// Whether the days can be told without looking into the ledger.
    pub fn names_its_days(&self) -> bool {
        self.range.is_empty() && !self.from.is_empty() && !self.until.is_empty()
    }

    /// This address, with other dates.
    fn address(&self, dates: &str) -> String {
        let mut address = format!("/pulse?{dates}");
        let kept = [
            ("compare", &self.compare),
            ("connection", &self.connection),
            ("currency", &self.currency),
            ("convert", &self.convert),
            ("as_of", &self.as_of),
        ];
        for (name, value) in kept {
            if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
                && !value.is_empty()
            {
                address.push_str(&format!("&{name}={value}"));
            }
        }
        address
    }

    /// Where the body of this page is asked for again.
    pub fn live_address(&self, scope: &Scope) -> String {
        match (scope.preset, &scope.error) {
            (Some(preset), None) => self.address(&format!("range={}", preset.name())),
            _ => self.address(&format!("from={}&until={}", scope.range.from, last_day(scope.range))),
        }
    }

    /// The same page with its charts in another currency.
    pub fn currencies(&self, scope: &Scope, currencies: &[Currency], shown: Currency) -> Vec<RangePreset> {
        let link = |currency: &Currency| RangePreset {
            text: currency.to_string(),
            href: Self { currency: currency.to_string(), ..self.clone() }.live_address(scope),
            current: *currency == shown,
        };
        currencies.iter().map(link).collect()
    }

    /// The currency that the address names; nothing where it names none that there is.
    pub fn asked_currency(&self) -> Option<Currency> {
        self.currency.parse().ok()
    }

    /// Whether amounts are converted where a rate is known.
    pub fn converts(&self) -> bool {
        self.convert != "no"
    }

    /// The same page with amounts converted, or as they were sold.
    pub fn conversion(&self, scope: &Scope, into: Currency) -> RangePreset {
        let (convert, text) = match self.converts() {
            true => ("no", "Show amounts as they were sold".to_owned()),
            false => ("", format!("Convert into {into}")),
        };
        let other = Self { convert: convert.to_owned(), currency: String::new(), ..self.clone() };
        RangePreset { text, href: other.live_address(scope), current: false }
    }

    /// The same page as things stand now.
    pub fn back_to_now(&self, scope: &Scope) -> String {
        Self { as_of: String::new(), ..self.clone() }.live_address(scope)
    }

    pub fn presets(&self, scope: &Scope) -> Vec<RangePreset> {
        let presets = PRESETS.iter().map(|(preset, text)| RangePreset {
            text: (*text).to_owned(),
            href: self.address(&format!("range={}", preset.name())),
            current: scope.preset == Some(*preset),
        });
        presets.collect()
    }
}

impl Scope {
    /// Turns an address into days. Relative ranges end today, or on the day as of which figures are reported, or with
    /// the newest data if that is older.
    pub fn resolve(
        query: &PulseQuery,
        days: LedgerDays,
        today: LocalDate,
        calendar: &TenantCalendar,
    ) -> Self {
        let (as_of, as_of_error) = match date("As reported on", &query.as_of) {
            // Today is not over: as it is reported today is as it stands.
            Ok(as_of) => (as_of.filter(|day| *day < today), None),
            Err(unreadable) => (None, Some(unreadable)),
        };
        let today = as_of.unwrap_or(today);
        let newest = days.map_or(today, |(_, last)| last.min(today));
        let default = Preset::Relative(RelativeRange::LastDays(DEFAULT_DAYS as u32));
        let (range, preset, error) = match chosen(query, newest) {
            Ok(Chosen::Dates(range)) => (range, None, None),
            Ok(Chosen::Preset(preset)) => (preset_range(preset, days, newest, calendar), Some(preset), None),
            Ok(Chosen::Nothing) => (preset_range(default, days, newest, calendar), Some(default), None),
            Err(error) => (preset_range(default, days, newest, calendar), Some(default), Some(error)),
        };
        let comparison = match query.compare.as_str() {
            "year" => Some(Comparison::PreviousYear),
            "none" => None,
            // Before everything there is nothing.
            "" if preset == Some(Preset::All) => None,
            _ => Some(Comparison::PreviousPeriod),
        };
        let ends_with_newest_data = preset.is_some() && newest < today;
        Self { range, comparison, preset, ends_with_newest_data, as_of, error: error.or(as_of_error) }
    }

    pub fn compare_options(&self) -> Vec<SelectOption> {
        let current = match self.comparison {
            None => "none",
            Some(Comparison::PreviousYear | Comparison::PreviousYearByWeekday) => "year",
            Some(Comparison::PreviousPeriod) => "previous",
        };
        COMPARISONS.iter().map(|(value, text)| SelectOption::new(*value, *text, *value == current)).collect()
    }

    /// `1–30 Nov 2026`.
    pub fn range_text(&self) -> String {
        format::date_range(self.range.from, last_day(self.range))
    }

    /// The compared days: `2–31 Oct 2026`.
    pub fn compared_text(&self) -> Option<String> {
        let range = self.comparison?.range(self.range);
        Some(format::date_range(range.from, last_day(range)))
    }
}

/// The last day of a range, as people write it.
pub fn last_day(range: DateRange) -> LocalDate {
    range.last().unwrap_or(range.from)
}

enum Chosen {
    Nothing,
    Preset(Preset),
    Dates(DateRange),
}

fn chosen(query: &PulseQuery, newest: LocalDate) -> Result<Chosen, String> {
    if !query.range.is_empty() {
        return Preset::parse(&query.range)
            .map(Chosen::Preset)
            .ok_or_else(|| "There is no such range. Choose one above, or give two dates.".to_owned());
    }
    let from = date("From", &query.from)?;
    let until = date("Until", &query.until)?;
    let (from, until) = match (from, until) {
        (None, None) => return Ok(Chosen::Nothing),
        (Some(from), None) => (from, newest.max(from)),
        (None, Some(until)) => (until.plus_days(1 - DEFAULT_DAYS), until),
        (Some(from), Some(until)) => (from, until),
    };
    DateRange::inclusive(from, until)
        .map(Chosen::Dates)
        .ok_or_else(|| "Until lies before From. The last 30 days are shown; swap the dates.".to_owned())
}

fn date(field: &str, text: &str) -> Result<Option<LocalDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match LocalDate::parse(text) {
        Some(date) if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) => Ok(Some(date)),
        Some(_) => Err(format!("{field}: use a year from {FIRST_YEAR} to {LAST_YEAR}.")),
        None => Err(format!("{field} is no date: write it as YYYY-MM-DD, for example 2026-11-30.")),
    }
}

fn preset_range(preset: Preset, days: LedgerDays, newest: LocalDate, calendar: &TenantCalendar) -> DateRange {
    match (preset, days) {
        (Preset::Relative(range), _) => range.resolve(newest, calendar),
        (Preset::All, Some((first, last))) => DateRange { from: first.min(last), until: last.plus_days(1) },
        (Preset::All, None) => DateRange::day(newest),
    }
}
