//! From the engine's rows to exact sums per row of the answer.

use std::collections::BTreeMap;

use portolan_commerce::ledger::EventKind;
use portolan_core::{ConnectionId, Currency, LocalDate};

use crate::AnalyticsError;
use crate::catalogue::{MEASURE_COUNT, Measure, Source};
use crate::dimension::{Dimension, Key};
use crate::plan::{CheckedQuery, ConnectionInfo, Plan, Selected, Statement, Value};

/// One sum per measure.
pub(super) type Sums = [i128; MEASURE_COUNT];

/// The sums of a row, in the asked range and in the one it is compared to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pair {
    pub(super) now: SumsOf,
    pub(super) then: SumsOf,
}

/// Sums that begin at zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct SumsOf(pub(super) Sums);

impl Default for SumsOf {
    fn default() -> Self {
        Self([0; MEASURE_COUNT])
    }
}

/// What makes a row of the answer one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct RowKey {
    pub(super) period: Option<usize>,
    pub(super) dimensions: Vec<DimensionKey>,
}

/// One value of a dimension; keys of stores and products belong to a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DimensionKey {
    pub(super) text: Option<String>,
    pub(super) connection: Option<ConnectionId>,
}

/// Every row of the answer, and the totals per currency (`None`: no money was asked).
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) rows: BTreeMap<RowKey, Pair>,
    pub(super) totals: BTreeMap<Option<Currency>, Pair>,
}

/// Adds up the rows of all statements; `results` stand in the order of the plan's statements.
pub(super) fn fold(plan: &Plan, results: &[Vec<Vec<Value>>]) -> Result<Folded, AnalyticsError> {
    let mut folded = Folded::default();
    if !plan.question.per_currency {
        folded.totals.insert(None, Pair::default());
        if plan.question.dimensions.is_empty() && plan.question.grain.is_none() {
            folded.rows.insert(RowKey::default(), Pair::default());
        }
    }
    for (statement, rows) in plan.statements.iter().zip(results) {
        for row in rows {
            let row = RawRow { statement, values: row };
            fold_row(plan, &row, &mut folded)?;
        }
    }
    Ok(folded)
}

fn fold_row(plan: &Plan, row: &RawRow<'_>, folded: &mut Folded) -> Result<(), AnalyticsError> {
    let question = &plan.question;
    let sums = row.sums(question)?;
    let currency = if question.per_currency { Some(row.currency()?) } else { None };
    if row.statement.feeds_totals {
        add(folded.totals.entry(currency).or_default(), row.statement.in_comparison, &sums);
    }
    if !row.statement.feeds_rows {
        return Ok(());
    }
    let period = match question.grain {
        None => None,
        Some(_) => match row.period(question)? {
            // The compared range may have a period more; it has nothing to stand beside.
            Some(index) if index < question.periods.buckets.len() => Some(index),
            _ => return Ok(()),
        },
    };
    let dimensions =
        question.dimensions.iter().map(|dimension| row.dimension(*dimension, &plan.connections)).collect();
    let key = RowKey { period, dimensions };
    add(folded.rows.entry(key).or_default(), row.statement.in_comparison, &sums);
    Ok(())
}

fn add(pair: &mut Pair, in_comparison: bool, sums: &Sums) {
    let side = if in_comparison { &mut pair.then } else { &mut pair.now };
    for (total, sum) in side.0.iter_mut().zip(sums) {
        *total += sum;
    }
}

/// One row as the engine brought it.
struct RawRow<'a> {
    statement: &'a Statement,
    values: &'a [Value],
}

impl RawRow<'_> {
    fn value(&self, wanted: Selected) -> Option<&Value> {
        let position = self.statement.selected.iter().position(|selected| *selected == wanted)?;
        self.values.get(position)
    }

    fn text(&self, key: Key) -> Option<&str> {
        match self.value(Selected::Key(key))? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn integer(&self, wanted: Selected) -> i128 {
        match self.value(wanted) {
            Some(Value::Integer(integer)) => *integer,
            _ => 0,
        }
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.value(Selected::Key(Key::Connection))? {
            Value::Uuid(id) => Some(ConnectionId(*id)),
            _ => None,
        }
    }

    fn currency(&self) -> Result<Currency, AnalyticsError> {
        let code = self.text(Key::Currency).unwrap_or_default();
        code.parse().map_err(AnalyticsError::engine)
    }

    fn sums(&self, question: &CheckedQuery) -> Result<Sums, AnalyticsError> {
        let mut sums = [0; MEASURE_COUNT];
        for selected in &self.statement.selected {
            if let Selected::Count(measure) = selected {
                sums[measure.index()] += self.integer(*selected);
            }
        }
        let Some(kind) = self.text(Key::Kind) else { return Ok(sums) };
        let kind: EventKind = kind.parse().map_err(AnalyticsError::engine)?;
        let measures: Vec<Measure> = question.measures(Source::Flow);
        for measure in measures {
            sums[measure.index()] = measure.contribution(kind, |column| self.integer(Selected::Flow(column)));
        }
        Ok(sums)
    }

    fn period(&self, question: &CheckedQuery) -> Result<Option<usize>, AnalyticsError> {
        let days = i32::try_from(self.integer(Selected::Key(Key::Period))).map_err(AnalyticsError::engine)?;
        let periods = match (&question.comparison, self.statement.in_comparison) {
            (Some((_, _, periods)), true) => periods,
            _ => &question.periods,
        };
        Ok(periods.index_of(LocalDate(days)))
    }

    fn dimension(&self, dimension: Dimension, connections: &[ConnectionInfo]) -> DimensionKey {
        let connection = self.connection();
        let known = connections.iter().find(|known| Some(known.id) == connection);
        let of_connection = |text: Option<&str>| DimensionKey {
            text: text.map(str::to_owned),
            connection: text.and(connection),
        };
        let plain = |text: Option<&str>| DimensionKey { text: text.map(str::to_owned), connection: None };
        match dimension {
            Dimension::Channel => plain(known.map(|known| known.channel.as_str())),
            Dimension::Connection => DimensionKey { text: connection.map(|id| id.to_string()), connection },
            Dimension::Store => of_connection(self.text(Key::Store)),
            Dimension::Product => of_connection(self.text(Key::Product)),
            Dimension::SalesChannel => plain(self.text(Key::SalesChannel)),
            Dimension::Country => plain(self.text(Key::Country)),
            Dimension::Currency => plain(self.text(Key::Currency)),
            Dimension::NewReturning => plain(self.text(Key::Standing)),
            Dimension::Kind => plain(self.text(Key::Kind)),
        }
    }
}
