//! What a chart shows.

use portolan_core::Currency;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Change over time.
    Line,
    /// Few categories beside each other.
    Bar,
    /// Parts of a whole over time.
    StackedBar,
    /// A ranking: long names, largest first.
    HorizontalBar,
}

/// What the values count, and in which smallest part they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Unit {
    /// Minor units; `exponent` is the currency's, written out for the browser.
    Money {
        currency: Currency,
        exponent: u8,
    },
    Count,
    /// Thousandths of a unit.
    QuantityMilli,
    /// Thousandths of the whole; shown in percent with one decimal.
    PerMille,
}

impl Unit {
    pub fn money(currency: Currency) -> Self {
        Self::Money { currency, exponent: currency.exponent() }
    }
}

/// One place on the category axis: a day, a channel, a product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Category {
    /// Short, for the axis: "3 Nov".
    pub label: String,
    /// In full, for hover and table: "Tue 3 Nov 2026".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
    /// Where a click leads: an address of this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

impl Category {
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), full: None, href: None }
    }

    pub fn with_full(mut self, full: impl Into<String>) -> Self {
        self.full = Some(full.into());
        self
    }

    pub fn with_href(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }

    pub(crate) fn in_full(&self) -> &str {
        self.full.as_deref().unwrap_or(&self.label)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Main,
    /// Drawn as a grey dashed line.
    Comparison,
}

/// One line or one colour of bars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    pub name: String,
    /// Index into the palette of eight; a channel keeps its own across the product.
    pub color: u8,
    pub role: Role,
    /// One per category, in the unit's smallest parts; `None` is a gap and stays one.
    pub values: Vec<Option<i64>>,
    /// What each value is of, where that is not the category: the days of a comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl Series {
    pub fn main(name: impl Into<String>, color: u8, values: Vec<Option<i64>>) -> Self {
        Self { name: name.into(), color, role: Role::Main, values, labels: Vec::new() }
    }

    pub fn comparison(name: impl Into<String>, values: Vec<Option<i64>>, labels: Vec<String>) -> Self {
        Self { name: name.into(), color: 0, role: Role::Comparison, values, labels }
    }
}

/// A chart: one question, its filters, and the numbers that answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartSpec {
    pub kind: ChartKind,
    /// The question.
    pub title: String,
    /// Its filters.
    pub subtitle: String,
    pub unit: Unit,
    /// What the categories are: "Day", "Channel".
    pub category_name: String,
    pub categories: Vec<Category>,
    pub series: Vec<Series>,
    /// From this category on the period is not over: drawn dashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_from: Option<usize>,
}

impl ChartSpec {
    /// For the browser's chart code.
    pub fn to_json(&self) -> String {
        // Strings, integers and lists only: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether there is any value to draw.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.values.iter().all(Option::is_none))
    }

    pub(crate) fn mains(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|series| series.role == Role::Main)
    }
}
