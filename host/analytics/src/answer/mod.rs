//! From the engine's rows to the answer: definitions applied, sorted, cut, labelled.

mod cells;
mod fold;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_core::{ConnectionId, Currency, Instant};

use crate::AnalyticsError;
use crate::catalogue::DateBasis;
use crate::catalogue::{Metric, Source};
use crate::dimension::Dimension;
use crate::plan::{CheckedQuery, Plan, SortKey, Value};
use crate::query::Direction;
use crate::table::{Cell, Column, Compared, ComparedRange, Role, Row, Table};
use fold::{DimensionKey, Folded, Pair, RowKey};

/// The most rows that filling gaps may make.
const MAX_DENSE_ROWS: usize = 200_000;

/// What the engine knows of its own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerFacts {
    pub data_version: i64,
    pub as_of: Instant,
    pub engine_ms: u64,
    pub rows_scanned: Option<u64>,
}

/// An answer whose numbers are final and whose products have no titles yet.
#[derive(Debug)]
pub struct Draft<'a> {
    plan: &'a Plan,
    rows: Vec<(RowKey, Row)>,
    row_count: usize,
    totals: Vec<Row>,
    unconverted: Vec<Currency>,
}

/// A row while it is sorted: what it says is written only if it is shown.
struct Line {
    key: RowKey,
    currency: Option<Currency>,
    metrics: Vec<Cell>,
    compared: Option<Vec<Compared>>,
}

/// Combines the rows that the plan's statements brought, in their order, into an answer.
pub fn answer<'a>(plan: &'a Plan, results: &[Vec<Vec<Value>>]) -> Result<Draft<'a>, AnalyticsError> {
    let question = &plan.question;
    let mut folded = fold::fold(plan, results)?;
    if question.dense {
        fill_gaps(question, &mut folded)?;
    }
    let mut totals = Vec::with_capacity(folded.totals.len());
    let mut unconverted = Vec::new();
    for (currency, pair) in std::mem::take(&mut folded.totals) {
        unconverted.extend(
            currency.filter(|_| question.display_currency.is_some_and(|shown| Some(shown) != currency)),
        );
        let (metrics, compared) = metric_cells(question, &pair, currency)?;
        let cells = total_cells(question, currency).into_iter().chain(metrics).collect();
        totals.push(Row { cells, compared });
    }
    let mut lines = Vec::new();
    folded.each_row(|key, pair| {
        let currency = currency_of(question, &key);
        let (metrics, compared) = metric_cells(question, pair, currency)?;
        lines.push(Line { key, currency, metrics, compared });
        Ok::<_, AnalyticsError>(())
    })?;
    let row_count = lines.len();
    let lines = first_lines(question, lines);
    let rows = lines.into_iter().map(|line| {
        let cells = key_cells(question, &line.key).into_iter().chain(line.metrics).collect();
        (line.key, Row { cells, compared: line.compared })
    });
    Ok(Draft { plan, rows: rows.collect(), row_count, totals, unconverted })
}

impl Draft<'_> {
    /// The products in the answer, to be looked up by whoever holds the catalogue.
    pub fn products(&self) -> BTreeSet<(ConnectionId, String)> {
        let Some(position) = product_position(&self.plan.question) else { return BTreeSet::new() };
        self.rows
            .iter()
            .filter_map(|(key, _)| {
                let product = &key.dimensions[position];
                Some((product.connection?, product.text.as_deref()?.to_owned()))
            })
            .collect()
    }

    /// The answer, with the products' titles where they are known.
    pub fn finish(mut self, titles: &HashMap<(ConnectionId, String), String>, facts: AnswerFacts) -> Table {
        let question = &self.plan.question;
        if let Some(position) = product_position(question) {
            let cell_index = usize::from(question.grain.is_some()) + position;
            for (key, row) in &mut self.rows {
                let product = &key.dimensions[position];
                let named = product.connection.zip(product.text.as_deref().map(str::to_owned));
                let named = named.and_then(|key| titles.get(&key));
                if let (Some(title), Cell::Key { label, .. }) = (named, &mut row.cells[cell_index]) {
                    label.clone_from(title);
                }
            }
        }
        for (key, row) in &mut self.rows {
            label_connections(self.plan, key, row);
        }
        Table {
            columns: columns(question, &self.totals),
            rows: self.rows.into_iter().map(|(_, row)| row).collect(),
            row_count: self.row_count,
            totals: self.totals,
            range: question.range,
            grain: question.grain,
            comparison: question
                .comparison
                .as_ref()
                .map(|(kind, range, _)| ComparedRange { kind: *kind, range: *range }),
            display_currency: question.display_currency,
            unconverted: self.unconverted,
            data_version: facts.data_version,
            as_of: facts.as_of,
            engine_ms: facts.engine_ms,
            rows_scanned: facts.rows_scanned,
        }
    }
}

fn product_position(question: &CheckedQuery) -> Option<usize> {
    question.dimensions.iter().position(|dimension| *dimension == Dimension::Product)
}

/// A row for every period and every combination of values that occurs.
fn fill_gaps(question: &CheckedQuery, folded: &mut Folded) -> Result<(), AnalyticsError> {
    let mut combinations: BTreeSet<Vec<DimensionKey>> =
        folded.keys().map(|key| key.dimensions.clone()).collect();
    if question.dimensions.is_empty() {
        combinations.insert(Vec::new());
    }
    let periods = question.periods.buckets.len();
    if combinations.len() * periods > MAX_DENSE_ROWS {
        let message =
            "Filling the gaps would make too many rows: leave dense out, or choose a coarser grain.";
        return Err(AnalyticsError::invalid("/dense", message));
    }
    for dimensions in combinations {
        for period in 0..periods {
            folded.add_row(RowKey { period: Some(period), dimensions: dimensions.clone() });
        }
    }
    Ok(())
}

fn currency_of(question: &CheckedQuery, key: &RowKey) -> Option<Currency> {
    let position = question.dimensions.iter().position(|dimension| *dimension == Dimension::Currency)?;
    key.dimensions[position].text.as_deref()?.parse().ok()
}

fn key_cells(question: &CheckedQuery, key: &RowKey) -> Vec<Cell> {
    let period = key.period.map(|index| Cell::Period(question.periods.buckets[index]));
    let dimensions = question.dimensions.iter().zip(&key.dimensions).map(|(dimension, value)| {
        if question.masked.dimensions.contains(dimension) {
            return Cell::Masked;
        }
        let label = label(value).to_owned();
        let qualified = dimension.is_of_connection();
        let key = match (&value.text, value.connection) {
            (Some(text), Some(connection)) if qualified => Some(format!("{connection}/{text}")),
            (text, _) => text.as_deref().map(str::to_owned),
        };
        Cell::Key { key, label }
    });
    period.into_iter().chain(dimensions).collect()
}

/// What a value is called before titles and connections' names are looked up.
fn label(value: &DimensionKey) -> &str {
    value.text.as_deref().unwrap_or("Unknown")
}

/// Connections are known by their labels.
fn label_connections(plan: &Plan, key: &RowKey, row: &mut Row) {
    let offset = usize::from(plan.question.grain.is_some());
    for (position, dimension) in plan.question.dimensions.iter().enumerate() {
        if *dimension != Dimension::Connection {
            continue;
        }
        let known =
            plan.connections.iter().find(|known| Some(known.id) == key.dimensions[position].connection);
        if let (Some(known), Cell::Key { label, .. }) = (known, &mut row.cells[offset + position]) {
            label.clone_from(&known.label);
        }
    }
}

fn total_cells(question: &CheckedQuery, currency: Option<Currency>) -> Vec<Cell> {
    let period = question.grain.map(|_| Cell::Null);
    let dimensions = question.dimensions.iter().map(|dimension| match (dimension, currency) {
        (Dimension::Currency, Some(currency)) => {
            Cell::Key { key: Some(currency.to_string()), label: currency.to_string() }
        }
        _ => Cell::Null,
    });
    period.into_iter().chain(dimensions).collect()
}

fn metric_cells(
    question: &CheckedQuery,
    pair: &Pair,
    currency: Option<Currency>,
) -> Result<(Vec<Cell>, Option<Vec<Compared>>), AnalyticsError> {
    let mut cells = Vec::with_capacity(question.metrics.len());
    let mut beside: Vec<Compared> = Vec::new();
    for metric in &question.metrics {
        if question.masked.metrics.contains(metric) {
            beside
                .extend(question.comparison.as_ref().map(|_| Compared { value: Cell::Masked, change: None }));
            cells.push(Cell::Masked);
            continue;
        }
        let now = cells::metric_cell(metric, &pair.now.0, currency)?;
        if question.comparison.is_some() {
            let then = cells::metric_cell(metric, &pair.then.0, currency)?;
            beside.push(cells::compared(&now, then));
        }
        cells.push(now);
    }
    Ok((cells, question.comparison.is_some().then_some(beside)))
}

/// The lines that are shown, in the order asked: the first ones of each currency where money was asked and sorted, as
/// amounts of unlike currencies have no order among each other; else the first ones of all.
fn first_lines(question: &CheckedQuery, lines: Vec<Line>) -> Vec<Line> {
    if !question.per_currency || question.order_by.is_empty() {
        return sorted_and_cut(question, lines);
    }
    let mut of_currency: BTreeMap<Option<Currency>, Vec<Line>> = BTreeMap::new();
    for line in lines {
        of_currency.entry(line.currency).or_default().push(line);
    }
    of_currency.into_values().flat_map(|lines| sorted_and_cut(question, lines)).collect()
}

/// There may be a hundred thousand lines of which twenty are shown: only those are sorted.
fn sorted_and_cut(question: &CheckedQuery, mut lines: Vec<Line>) -> Vec<Line> {
    if question.limit < lines.len() {
        lines.select_nth_unstable_by(question.limit, |left, right| order(question, left, right));
        lines.truncate(question.limit);
    }
    lines.sort_unstable_by(|left, right| order(question, left, right));
    lines
}

/// By the asked columns; equal rows by period and keys, which no two rows share.
fn order(question: &CheckedQuery, left: &Line, right: &Line) -> Ordering {
    for (key, direction) in &question.order_by {
        let order = match key {
            SortKey::Period => directed(left.key.period.cmp(&right.key.period), *direction),
            SortKey::Dimension(index) => {
                let (left, right) = (&left.key.dimensions[*index], &right.key.dimensions[*index]);
                directed(label(left).cmp(label(right)), *direction)
            }
            SortKey::Metric(index) => {
                let (left, right) = (left.metrics[*index].as_f64(), right.metrics[*index].as_f64());
                nulls_last(left, right, *direction, |left, right| left.total_cmp(right))
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.key.cmp(&right.key)
}

fn directed(order: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

fn nulls_last<T>(
    left: Option<T>,
    right: Option<T>,
    direction: Direction,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => directed(compare(&left, &right), direction),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

fn columns(question: &CheckedQuery, totals: &[Row]) -> Vec<Column> {
    let plain = |id: &str, label: &str, role: Role| Column {
        id: id.to_owned(),
        label: label.to_owned(),
        role,
        unit: None,
        additivity: None,
        date_basis: None,
        less_is_better: false,
        currency: None,
    };
    let period = question.grain.map(|grain| plain("period", grain_label(grain.as_str()), Role::Period));
    let dimensions =
        question.dimensions.iter().map(|dimension| plain(dimension.id(), dimension.label(), Role::Dimension));
    let metrics = question.metrics.iter().map(|metric| Column {
        unit: Some(metric.unit),
        additivity: Some(metric.additivity),
        date_basis: Some(date_basis(question, metric)),
        less_is_better: metric.less_is_better,
        currency: only_currency(metric, totals),
        ..plain(metric.id, metric.label, Role::Metric)
    });
    period.into_iter().chain(dimensions).chain(metrics).collect()
}

fn grain_label(grain: &str) -> &'static str {
    match grain {
        "week" => "Week",
        "month" => "Month",
        "quarter" => "Quarter",
        "year" => "Year",
        _ => "Day",
    }
}

/// Counts of orders, customers and disputes know one date only.
fn date_basis(question: &CheckedQuery, metric: &Metric) -> DateBasis {
    let flows =
        metric.measures().iter().any(|measure| matches!(measure.source(), Source::Flow | Source::Cash));
    match question.date_basis {
        Some(basis) if flows => basis,
        _ => metric.date_basis,
    }
}

fn only_currency(metric: &Metric, totals: &[Row]) -> Option<Currency> {
    match totals {
        [only] if metric.needs_currency() => {
            only.cells.iter().find_map(Cell::as_money).map(|money| money.currency)
        }
        _ => None,
    }
}
