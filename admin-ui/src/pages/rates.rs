//! Exchange rates: what is known, where it comes from, by which amounts are converted.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{Empty, FieldKind, FormField, Section, SelectOption, Shell, When};

/// What is known of one pair of currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatePairRow {
    pub base: String,
    pub quote: String,
    /// The newest.
    pub rate: String,
    pub last_day: String,
    /// "6 803 days since 1999-01-04".
    pub days: String,
    /// The file that the newest came from.
    pub source: String,
    pub said_at: Option<When>,
}

/// `GET /rates`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "rates.html")]
pub struct RatesPage {
    pub shell: Shell,
    pub scope: String,
    pub rows: Vec<RatePairRow>,
    pub empty: Option<Empty>,
    pub file: FormField,
    pub policy: FormField,
}

impl RatesPage {
    pub fn sample() -> Self {
        let row = |quote: &str, rate: &str| RatePairRow {
            base: "EUR".into(),
            quote: quote.into(),
            rate: rate.into(),
            last_day: "2026-03-03".into(),
            days: "6803 days since 1999-01-04".into(),
            source: "eurofxref-hist.csv".into(),
            said_at: Some(When::sample()),
        };
        Self {
            shell: Shell::new("Exchange rates", Section::Pulse, "Harbour & Sons", "owner"),
            scope: "Amounts are converted into EUR, at the rate of their order's day".into(),
            rows: vec![row("INR", "98.4417"), row("JPY", "163.25"), row("USD", "1.0853")],
            empty: None,
            file: FormField::new("file", "File of rates", FieldKind::File { accept: Some(".csv".into()) }),
            policy: FormField::new(
                "policy",
                "Convert by",
                FieldKind::Select {
                    options: vec![
                        SelectOption::new("event_date", "the day's rate", true),
                        SelectOption::new("fixed", "one rate for all days", false),
                    ],
                },
            ),
        }
    }

    pub fn sample_empty() -> Self {
        let empty =
            Empty::nothing_yet("rates", "Without rates, amounts in other currencies are added to nothing.");
        Self { rows: Vec::new(), empty: Some(empty), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.rows[0].source = EXTREME_TEXT.into();
        page.file.error = Some(EXTREME_TEXT.into());
        page
    }
}
