//! From a question to statements: checked once, then plain SQL over the tables of facts.
//!
//! One kind of statement per [`Source`]: sums of ledger columns by kind of event, orders that stand, customers
//! with such an order, and sums of a balance's movements by category. Each groups by the columns that the dimensions need; what
//! a dimension's value is called, and which connections make a channel, is decided in the answer.
//! All text that people choose travels as parameters.

mod check;
mod closed;
mod filter;
mod relation;
mod statement;

use std::sync::Arc;

use portolan_core::calendar::{Bucket, DateRange, StoreCalendar, TenantCalendar};
use portolan_core::{ConnectionId, Currency, Instant, LocalDate};
use uuid::Uuid;

use crate::catalogue::{Measure, Source};
use crate::dimension::Key;
use crate::query::Query;
use crate::{AnalyticsError, Fact, Visibility, catalogue};

pub(crate) use check::{CheckedQuery, SortKey};
pub use filter::split_key;

/// What a plan must know of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantContext {
    pub connections: Vec<ConnectionInfo>,
    pub calendar: TenantCalendar,
    /// By it days of reporting end.
    pub zone: StoreCalendar,
}

/// A connection, as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    pub id: ConnectionId,
    pub label: String,
    /// The kind of place that sells, such as `shopify`.
    pub channel: String,
}

/// A bound value of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    Text(String),
    Integer(i64),
    /// Days since 1970-01-01.
    Date(i32),
    Boolean(bool),
    Uuid(Uuid),
}

/// A value as the engine brings it. Cheap to clone: the same few names stand in many rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    Null,
    Text(Arc<str>),
    Integer(i128),
    Uuid(Uuid),
}

/// What a column of a statement holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selected {
    Key(Key),
    Flow(catalogue::FlowColumn),
    Count(Measure),
}

/// One statement in PostgreSQL's dialect.
///
/// It reads the table of its [`Fact`], whose columns are the fields of a ledger event under their own names,
/// `connection_id`, `recorded_at`, and `reverses`, which only negated copies have; dates are days since 1970-01-01, instants
/// microseconds. It may call functions that the engine provides:
/// - `period_start(date)`, from [`Statement::period_start`];
/// - `exact_sum(integer)`, a sum of 64-bit integers that is wide enough not to overflow;
/// - `display_amount(amount, currency, date)` and `display_currency(currency, date)`: the amount at the date's rate in
///   [`Statement::display_currency`], rounded, and that currency; both as they are where no rate is known;
/// - `run_sum(integer, key, …)`: at the first of some rows that follow each other and have equal keys their sum, null at the
///   others; which rows follow each other is the engine's choice;
/// - `standing(row, total, order, instant, units)`, an aggregate per customer: the rows in which the units of an order (with
///   its instant) are above zero, and the total if all units of one are; each once, as an array;
/// - `pack(key, …)`, one integer for each combination of values, nulls included. The first column of the
///   result is such an integer, and the engine puts the [`Statement::packed_keys`] values in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    /// Whose table it reads.
    pub fact: Fact,
    pub parameters: Vec<Parameter>,
    /// Set when only events dated in this range matter; else any event may (first orders, order dates).
    pub event_dates: Option<DateRange>,
    /// What `display_amount` and `display_currency` convert into; they are called only where it is set.
    pub display_currency: Option<Currency>,
    /// How many values the first column of the result stands for.
    pub packed_keys: usize,
    pub(crate) source: Source,
    pub(crate) selected: Vec<Selected>,
    /// Whether its rows are rows of the answer, and whether they (also) add up to the totals.
    pub(crate) feeds_rows: bool,
    pub(crate) feeds_totals: bool,
    /// Whether it groups by period and brings totals as rows without one; then those alone are totals.
    pub(crate) totals_lack_period: bool,
    pub(crate) in_comparison: bool,
    pub(crate) periods: Periods,
}

/// The periods of one range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Periods {
    pub(crate) buckets: Vec<Bucket>,
}

impl Periods {
    pub(crate) fn index_of(&self, date: LocalDate) -> Option<usize> {
        let index = self.buckets.partition_point(|bucket| bucket.range.from <= date).checked_sub(1)?;
        self.buckets[index].range.contains(date).then_some(index)
    }
}

impl Statement {
    /// First days of the periods that `period_start` maps dates to, ascending; empty if it isn't called.
    pub fn period_start(&self) -> Vec<i32> {
        self.periods.buckets.iter().map(|bucket| bucket.range.from.0).collect()
    }

    /// How many columns a row has, packed keys counted one by one.
    pub fn width(&self) -> usize {
        self.selected.len()
    }
}

/// A checked question and the statements that answer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub statements: Vec<Statement>,
    pub(crate) question: CheckedQuery,
    pub(crate) connections: Vec<ConnectionInfo>,
}

impl Plan {
    /// Checks a question of somebody who sees so much against the catalogue, and writes its statements.
    pub fn new(query: &Query, seen: &Visibility, context: &TenantContext) -> Result<Self, AnalyticsError> {
        let question = check::check(query, seen, context)?;
        let mut statements = Vec::new();
        for asked in question.ranges() {
            for source in Source::ALL {
                statements.extend(statement::statements(&question, context, &asked, source));
            }
        }
        Ok(Self { statements, question, connections: context.connections.clone() })
    }

    /// Until when something had to be recorded to be in the answer; absent where everything is.
    pub fn recorded_until(&self) -> Option<Instant> {
        self.question.recorded_until
    }

    /// As of when the answer is: what was asked for, unless that is still to come.
    pub fn as_of(&self, now: Instant) -> Instant {
        self.question.recorded_until.map_or(now, |asked| asked.min(now))
    }
}
