//! From the engine's rows to exact sums per row of the answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use portolan_commerce::cash::{BalanceCategory, DisputeState};
use portolan_commerce::ledger::EventKind;
use portolan_core::{ConnectionId, Currency, LocalDate};

use crate::AnalyticsError;
use crate::catalogue::{Happened, MEASURE_COUNT, Measure, Source};
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct RowKey {
    pub(super) period: Option<usize>,
    pub(super) dimensions: Vec<DimensionKey>,
}

/// One value of a dimension; keys of stores and products belong to a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DimensionKey {
    pub(super) text: Option<Arc<str>>,
    pub(super) connection: Option<ConnectionId>,
}

/// Every row of the answer, and the totals per currency (`None`: no money was asked).
///
/// There may be a hundred thousand rows of which a few are shown, so a row keeps the sums that the
/// question needs, not one for every measure there is.
#[derive(Debug)]
pub(super) struct Folded {
    measures: Vec<Measure>,
    rows: HashMap<RowKey, usize>,
    /// For each row its sums now and then, in the order of `measures`.
    sums: Vec<(i128, i128)>,
    pub(super) totals: BTreeMap<Option<Currency>, Pair>,
}

impl Folded {
    fn new(question: &CheckedQuery) -> Self {
        let measures = Source::ALL.into_iter().flat_map(|source| question.measures(source)).collect();
        Self { measures, rows: HashMap::new(), sums: Vec::new(), totals: BTreeMap::new() }
    }

    /// Which values of dimensions there are, in any order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &RowKey> {
        self.rows.keys()
    }

    /// Makes sure that there is such a row, with sums of zero if it is new; says which one it is.
    pub(super) fn add_row(&mut self, key: RowKey) -> usize {
        let next = self.rows.len();
        let row = *self.rows.entry(key).or_insert(next);
        if row == next {
            self.sums.resize((next + 1) * self.measures.len(), (0, 0));
        }
        row
    }

    fn add(&mut self, row: usize, in_comparison: bool, sums: &Sums) {
        let width = self.measures.len();
        for (measure, (now, then)) in self.measures.iter().zip(&mut self.sums[row * width..][..width]) {
            let side = if in_comparison { then } else { now };
            *side += sums[measure.index()];
        }
    }

    /// Hands out the rows with their sums, in any order.
    pub(super) fn each_row<E>(self, mut each: impl FnMut(RowKey, &Pair) -> Result<(), E>) -> Result<(), E> {
        // One pair for all of them: the same measures are written each time, the others stay zero.
        let mut pair = Pair::default();
        for (key, row) in self.rows {
            for (measure, (now, then)) in self.measures.iter().zip(&self.sums[row * self.measures.len()..]) {
                pair.now.0[measure.index()] = *now;
                pair.then.0[measure.index()] = *then;
            }
            each(key, &pair)?;
        }
        Ok(())
    }
}

/// Adds up the rows of all statements; `results` stand in the order of the plan's statements.
pub(super) fn fold(plan: &Plan, results: &[Vec<Vec<Value>>]) -> Result<Folded, AnalyticsError> {
    let mut folded = Folded::new(&plan.question);
    if !plan.question.per_currency {
        folded.totals.insert(None, Pair::default());
        if plan.question.dimensions.is_empty() && plan.question.grain.is_none() {
            folded.add_row(RowKey::default());
        }
    }
    let mut names = Names { connections: &plan.connections, known: HashMap::new() };
    for (statement, rows) in plan.statements.iter().zip(results) {
        let measures = plan.question.measures(statement.source);
        for values in rows {
            let row = RawRow { statement, measures: &measures, values };
            fold_row(&plan.question, &row, &mut names, &mut folded)?;
        }
    }
    Ok(folded)
}

fn fold_row(
    question: &CheckedQuery,
    row: &RawRow<'_>,
    names: &mut Names<'_>,
    folded: &mut Folded,
) -> Result<(), AnalyticsError> {
    let by_payout = question.is_about_single_payouts();
    let sums = row.sums(by_payout)?;
    let currency = if question.per_currency { Some(row.currency()?) } else { None };
    let (feeds_rows, feeds_totals) = row.feeds();
    if feeds_totals {
        // Money that came back is in the row of each payout that it was part of, and once in the total.
        let sums = if by_payout && !question.names_payouts() { row.sums(false)? } else { sums };
        add(folded.totals.entry(currency).or_default(), row.statement.in_comparison, &sums);
    }
    if !feeds_rows {
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
    let of_row = |dimension: &Dimension| match question.masked.dimensions.contains(dimension) {
        true => DimensionKey { text: None, connection: None },
        false => row.dimension(*dimension, names),
    };
    let dimensions = question.dimensions.iter().map(of_row).collect();
    let index = folded.add_row(RowKey { period, dimensions });
    folded.add(index, row.statement.in_comparison, &sums);
    Ok(())
}

fn add(pair: &mut Pair, in_comparison: bool, sums: &Sums) {
    let side = if in_comparison { &mut pair.then } else { &mut pair.now };
    for (total, sum) in side.0.iter_mut().zip(sums) {
        *total += sum;
    }
}

/// What connections are called, written once for all rows.
struct Names<'a> {
    connections: &'a [ConnectionInfo],
    known: HashMap<ConnectionId, ConnectionNames>,
}

#[derive(Clone)]
struct ConnectionNames {
    id: Arc<str>,
    /// Absent where nobody knows the connection.
    channel: Option<Arc<str>>,
}

impl Names<'_> {
    fn of(&mut self, connection: ConnectionId) -> ConnectionNames {
        let named = self.known.entry(connection).or_insert_with(|| {
            let found = self.connections.iter().find(|found| found.id == connection);
            ConnectionNames {
                id: connection.to_string().into(),
                channel: found.map(|found| found.channel.as_str().into()),
            }
        });
        named.clone()
    }
}

/// One row as the engine brought it.
struct RawRow<'a> {
    statement: &'a Statement,
    /// Those of its source that the question needs.
    measures: &'a [Measure],
    values: &'a [Value],
}

impl RawRow<'_> {
    /// Whether it is a row of the answer, and whether it adds to the totals.
    fn feeds(&self) -> (bool, bool) {
        if !self.statement.totals_lack_period {
            return (self.statement.feeds_rows, self.statement.feeds_totals);
        }
        let total = self.value(Selected::Key(Key::Period)) == Some(&Value::Null);
        (!total, total)
    }

    fn value(&self, wanted: Selected) -> Option<&Value> {
        let position = self.statement.selected.iter().position(|selected| *selected == wanted)?;
        self.values.get(position)
    }

    fn text(&self, key: Key) -> Option<&Arc<str>> {
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
        let code = self.text(Key::Currency).map(AsRef::as_ref).unwrap_or_default();
        code.parse().map_err(AnalyticsError::engine)
    }

    /// `payout_by_payout`: what a bank sent back of one payout is what the next one pays out.
    fn sums(&self, payout_by_payout: bool) -> Result<Sums, AnalyticsError> {
        let mut sums = [0; MEASURE_COUNT];
        for selected in &self.statement.selected {
            if let Selected::Count(measure) = selected {
                sums[measure.index()] += self.integer(*selected);
            }
        }
        let Some(happened) = self.happened(payout_by_payout)? else { return Ok(sums) };
        for measure in self.measures {
            sums[measure.index()] =
                measure.contribution(happened, |column| self.integer(Selected::Flow(column)));
        }
        Ok(sums)
    }

    /// What the summed events have in common; nothing where the row counts.
    fn happened(&self, payout_by_payout: bool) -> Result<Option<Happened>, AnalyticsError> {
        let word = |key: Key| -> &str { self.text(key).map(AsRef::as_ref).unwrap_or_default() };
        Ok(match self.statement.source {
            Source::Order | Source::Customer => None,
            Source::Flow => {
                Some(Happened::Sold(word(Key::Kind).parse::<EventKind>().map_err(AnalyticsError::engine)?))
            }
            Source::Cash | Source::Payment => {
                let category =
                    word(Key::Category).parse::<BalanceCategory>().map_err(AnalyticsError::engine)?;
                let dispute = self.text(Key::DisputeState).map(|state| state.parse::<DisputeState>());
                Some(Happened::Moved {
                    category,
                    dispute: dispute.transpose().map_err(AnalyticsError::engine)?,
                    returned: payout_by_payout && self.text(Key::Returned).is_some(),
                })
            }
        })
    }

    fn period(&self, question: &CheckedQuery) -> Result<Option<usize>, AnalyticsError> {
        let days = i32::try_from(self.integer(Selected::Key(Key::Period))).map_err(AnalyticsError::engine)?;
        let periods = match (&question.comparison, self.statement.in_comparison) {
            (Some((_, _, periods)), true) => periods,
            _ => &question.periods,
        };
        Ok(periods.index_of(LocalDate(days)))
    }

    fn dimension(&self, dimension: Dimension, names: &mut Names<'_>) -> DimensionKey {
        let connection = self.connection();
        let of_connection =
            |text: Option<&Arc<str>>| DimensionKey { text: text.cloned(), connection: text.and(connection) };
        let plain = |text: Option<&Arc<str>>| DimensionKey { text: text.cloned(), connection: None };
        match dimension {
            Dimension::Channel => {
                let channel = connection.and_then(|connection| names.of(connection).channel);
                DimensionKey { text: channel, connection: None }
            }
            Dimension::Connection => {
                DimensionKey { text: connection.map(|connection| names.of(connection).id), connection }
            }
            Dimension::Store => of_connection(self.text(Key::Store)),
            Dimension::Product => of_connection(self.text(Key::Product)),
            Dimension::SalesChannel => plain(self.text(Key::SalesChannel)),
            Dimension::Country => plain(self.text(Key::Country)),
            Dimension::Currency => plain(self.text(Key::Currency)),
            Dimension::NewReturning => plain(self.text(Key::Standing)),
            Dimension::Kind => plain(self.text(Key::Kind)),
            Dimension::BalanceCategory => plain(self.text(Key::Category)),
            Dimension::PaymentMethod => plain(self.text(Key::Method)),
            Dimension::Payout => of_connection(self.text(Key::Payout)),
        }
    }
}
