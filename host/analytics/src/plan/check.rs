//! Is the question one that has an answer? Each refusal says what to do instead.

use portolan_commerce::cash::BalanceCategory;
use portolan_commerce::ledger::EventKind;
use portolan_core::calendar::{Bucket, Comparison, DateRange, Grain};
use portolan_core::{ConnectionId, Currency, Instant};

use super::closed::{check_open, first_open, masked};
use super::{Periods, TenantContext};
use crate::catalogue::{self, DateBasis, METRICS, Measure, Metric, Source};
use crate::dimension::Dimension;
use crate::query::{Direction, Filter, FilterOp, Query};
use crate::time::MAX_PERIODS;
use crate::{AnalyticsError, AsOf, Fact, RowLimit, Visibility};

const MAX_METRICS: usize = 40;
const MAX_DIMENSIONS: usize = 6;
const MAX_FILTER_VALUES: usize = 1_000;
const MAX_LIMIT: u32 = 100_000;
/// Rows of an answer without a limit of its own.
const DEFAULT_LIMIT: usize = 10_000;

/// A question that has an answer: names resolved, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedQuery {
    pub(crate) metrics: Vec<&'static Metric>,
    /// As asked; the currency is appended when money makes it necessary.
    pub(crate) dimensions: Vec<Dimension>,
    /// Whether money is among the metrics: then every row has a currency.
    pub(crate) per_currency: bool,
    pub(crate) grain: Option<Grain>,
    pub(crate) range: DateRange,
    pub(crate) periods: Periods,
    pub(crate) comparison: Option<(Comparison, DateRange, Periods)>,
    pub(crate) date_basis: Option<DateBasis>,
    pub(crate) filters: Vec<CheckedFilter>,
    /// Rows that whoever asks does not see are no rows of the ledger to them.
    pub(crate) limits: Vec<RowLimit>,
    /// Of the dimensions and metrics, those whose values are not told.
    pub(crate) masked: Masked,
    pub(crate) order_by: Vec<(SortKey, Direction)>,
    pub(crate) limit: usize,
    pub(crate) dense: bool,
    pub(crate) display_currency: Option<Currency>,
    /// What was recorded later does not count.
    pub(crate) recorded_until: Option<Instant>,
}

/// Columns of the answer that say nothing but that they are there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Masked {
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) metrics: Vec<&'static Metric>,
}

/// A filter whose dimension exists and whose values can be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedFilter {
    pub(crate) dimension: Dimension,
    pub(crate) op: FilterOp,
    pub(crate) values: Vec<Option<String>>,
}

/// A column to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortKey {
    Period,
    Dimension(usize),
    Metric(usize),
}

/// One range of a question: the asked one, or the one it is compared to.
pub(crate) struct AskedRange<'a> {
    pub(crate) range: DateRange,
    pub(crate) periods: &'a Periods,
    pub(crate) in_comparison: bool,
}

impl CheckedQuery {
    pub(crate) fn ranges(&self) -> Vec<AskedRange<'_>> {
        let asked = AskedRange { range: self.range, periods: &self.periods, in_comparison: false };
        let compared = self.comparison.as_ref().map(|(_, range, periods)| AskedRange {
            range: *range,
            periods,
            in_comparison: true,
        });
        std::iter::once(asked).chain(compared).collect()
    }

    /// The dimensions whose values make rows: those that are masked have one value.
    pub(crate) fn told_dimensions(&self) -> impl Iterator<Item = Dimension> {
        self.dimensions.iter().copied().filter(|dimension| !self.masked.dimensions.contains(dimension))
    }

    /// Whether each payout has a row of its own.
    pub(crate) fn is_by_payout(&self) -> bool {
        self.told_dimensions().any(|dimension| dimension == Dimension::Payout)
    }

    /// Whether the question, its totals too, is about payouts that it names.
    pub(crate) fn names_payouts(&self) -> bool {
        self.filters.iter().any(|filter| filter.dimension == Dimension::Payout && filter.op == FilterOp::In)
    }

    /// Whether money that a bank sent back is looked at from the payout that pays it out again.
    pub(crate) fn is_about_single_payouts(&self) -> bool {
        self.is_by_payout() || self.names_payouts()
    }

    /// The measures of one source that the metrics need, each once.
    pub(crate) fn measures(&self, source: Source) -> Vec<Measure> {
        let mut measures: Vec<Measure> = self.metrics.iter().flat_map(|metric| metric.measures()).collect();
        measures.retain(|measure| measure.source() == source);
        measures.sort_unstable();
        measures.dedup();
        measures
    }
}

pub(crate) fn check(
    query: &Query,
    seen: &Visibility,
    context: &TenantContext,
) -> Result<CheckedQuery, AnalyticsError> {
    let metrics = check_metrics(query)?;
    let mut dimensions = check_dimensions(query, &metrics)?;
    check_open(query, seen, &metrics)?;
    let per_currency = metrics.iter().any(|metric| metric.needs_currency());
    if per_currency && !dimensions.contains(&Dimension::Currency) {
        dimensions.push(Dimension::Currency);
    }
    check_display_currency(query, &metrics)?;
    let range = check_range(query.range)?;
    let grain = query.grain.map(|choice| choice.resolve(range));
    let periods_of = |range: DateRange, pointer: &str| match grain {
        None => Ok(Periods::default()),
        Some(grain) => {
            let buckets: Vec<Bucket> = context.calendar.buckets(grain, range).take(MAX_PERIODS + 1).collect();
            if buckets.len() > MAX_PERIODS {
                return Err(AnalyticsError::invalid(
                    pointer,
                    format!(
                        "The range has more than {MAX_PERIODS} periods: choose a coarser grain or a shorter range."
                    ),
                ));
            }
            Ok(Periods { buckets })
        }
    };
    let comparison = match query.comparison {
        None => None,
        Some(comparison) => {
            let compared = comparison.range(range);
            Some((comparison, compared, periods_of(compared, "/comparison")?))
        }
    };
    Ok(CheckedQuery {
        periods: periods_of(range, "/grain")?,
        filters: check_filters(query, &metrics)?,
        order_by: check_order(query, seen, &metrics, &dimensions)?,
        limits: seen.limits().cloned().collect(),
        masked: masked(seen, &metrics, &dimensions),
        limit: check_limit(query.limit)?,
        metrics,
        dimensions,
        per_currency,
        grain,
        range,
        comparison,
        date_basis: query.date_basis,
        dense: query.dense,
        // Without money there is nothing to convert.
        display_currency: query.display_currency.filter(|_| per_currency),
        recorded_until: check_as_of(query.as_of)?.map(|as_of| as_of.moment(&context.zone)),
    })
}

fn check_metrics(query: &Query) -> Result<Vec<&'static Metric>, AnalyticsError> {
    if query.metrics.is_empty() {
        return Err(AnalyticsError::invalid("/metrics", "Name at least one metric, such as net_sales."));
    }
    if query.metrics.len() > MAX_METRICS {
        let message = format!("Ask for at most {MAX_METRICS} metrics at once.");
        return Err(AnalyticsError::invalid("/metrics", message));
    }
    let mut metrics: Vec<&'static Metric> = Vec::with_capacity(query.metrics.len());
    for (index, id) in query.metrics.iter().enumerate() {
        let pointer = format!("/metrics/{index}");
        let Some(metric) = catalogue::metric(id) else {
            let message = unknown("metric", id, METRICS.iter().map(|metric| metric.id));
            return Err(AnalyticsError::invalid(pointer, message));
        };
        if metrics.contains(&metric) {
            return Err(AnalyticsError::invalid(pointer, format!("{id} is named twice: leave one out.")));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// What exchange brought or took is nothing without a currency to exchange into.
fn check_display_currency(query: &Query, metrics: &[&'static Metric]) -> Result<(), AnalyticsError> {
    let needs = |metric: &&&Metric| metric.measures().contains(&Measure::FxGainLoss);
    match metrics.iter().find(needs).filter(|_| query.display_currency.is_none()) {
        None => Ok(()),
        Some(metric) => Err(AnalyticsError::invalid(
            "/display_currency",
            format!("{} compares rates of exchange: name the currency to convert into.", metric.id),
        )),
    }
}

fn check_dimensions(query: &Query, metrics: &[&Metric]) -> Result<Vec<Dimension>, AnalyticsError> {
    if query.dimensions.len() > MAX_DIMENSIONS {
        let message = format!("Break down by at most {MAX_DIMENSIONS} dimensions at once.");
        return Err(AnalyticsError::invalid("/dimensions", message));
    }
    let mut dimensions = Vec::with_capacity(query.dimensions.len() + 1);
    for (index, id) in query.dimensions.iter().enumerate() {
        let pointer = format!("/dimensions/{index}");
        let dimension = find_dimension(id, &pointer)?;
        if dimensions.contains(&dimension) {
            return Err(AnalyticsError::invalid(pointer, format!("{id} is named twice: leave one out.")));
        }
        refuse_foreign(dimension, metrics, &pointer)?;
        refuse_kind_of_counts(dimension, metrics, &pointer)?;
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

fn find_dimension(id: &str, pointer: &str) -> Result<Dimension, AnalyticsError> {
    Dimension::find(id).ok_or_else(|| {
        let known = Dimension::ALL.iter().map(|dimension| dimension.id());
        AnalyticsError::invalid(pointer, unknown("dimension", id, known))
    })
}

/// Sales have no payouts, and payments no products: a question about both is cut by what both have.
fn refuse_foreign(dimension: Dimension, metrics: &[&Metric], pointer: &str) -> Result<(), AnalyticsError> {
    for fact in Fact::ALL.into_iter().filter(|fact| !dimension.is_of(*fact)) {
        let Some(metric) = metrics.iter().find(|metric| metric.needs(fact)) else { continue };
        let shared = Dimension::ALL.iter().filter(|other| Fact::ALL.iter().all(|fact| other.is_of(*fact)));
        let shared: Vec<&str> = shared.map(|other| other.id()).collect();
        return Err(AnalyticsError::invalid(
            pointer,
            format!(
                "{} is about {}, which have no {}: leave out the dimension {}, or the metric. Sales and payments \
                 together can be cut by {} and time.",
                metric.id,
                fact.subject(),
                dimension.label().to_lowercase(),
                dimension.id(),
                shared.join(", "),
            ),
        ));
    }
    Ok(())
}

/// An order or customer has no single kind of event.
fn refuse_kind_of_counts(
    dimension: Dimension,
    metrics: &[&Metric],
    pointer: &str,
) -> Result<(), AnalyticsError> {
    if dimension != Dimension::Kind {
        return Ok(());
    }
    let counts = |metric: &&&Metric| metric.measures().iter().any(|measure| !measure.source().is_sum());
    match metrics.iter().find(counts) {
        None => Ok(()),
        Some(metric) => Err(AnalyticsError::invalid(
            pointer,
            format!(
                "{} counts orders or customers, which have no kind of event: leave out the dimension kind, or ask for \
                 amounts and units alone.",
                metric.id
            ),
        )),
    }
}

fn check_range(range: DateRange) -> Result<DateRange, AnalyticsError> {
    if range.is_empty() {
        let message = "The range holds no day: until is the first day after it, so it must come after from.";
        return Err(AnalyticsError::invalid("/range/until", message));
    }
    // Beyond four-digit years the text of a date is ambiguous.
    if range.from.year() < 1 || range.until.year() > 9_998 {
        return Err(AnalyticsError::invalid("/range", "Choose dates between the years 1 and 9998."));
    }
    Ok(range)
}

fn check_as_of(as_of: Option<AsOf>) -> Result<Option<AsOf>, AnalyticsError> {
    match as_of {
        Some(AsOf::Day(day)) if !(1..=9_998).contains(&day.year()) => {
            Err(AnalyticsError::invalid("/as_of", "Choose a day between the years 1 and 9998."))
        }
        as_of => Ok(as_of),
    }
}

fn check_filters(query: &Query, metrics: &[&Metric]) -> Result<Vec<CheckedFilter>, AnalyticsError> {
    let mut checked = Vec::with_capacity(query.filters.len());
    for (index, filter) in query.filters.iter().enumerate() {
        let pointer = format!("/filters/{index}/dimension");
        let dimension = find_dimension(&filter.dimension, &pointer)?;
        refuse_foreign(dimension, metrics, &pointer)?;
        refuse_kind_of_counts(dimension, metrics, &pointer)?;
        check_filter_values(index, dimension, filter)?;
        checked.push(CheckedFilter { dimension, op: filter.op, values: filter.values.clone() });
    }
    Ok(checked)
}

fn check_filter_values(index: usize, dimension: Dimension, filter: &Filter) -> Result<(), AnalyticsError> {
    let pointer = format!("/filters/{index}/values");
    if filter.values.is_empty() {
        return Err(AnalyticsError::invalid(pointer, "Name at least one value, or leave the filter out."));
    }
    if filter.values.len() > MAX_FILTER_VALUES {
        let message = format!("Name at most {MAX_FILTER_VALUES} values in one filter.");
        return Err(AnalyticsError::invalid(pointer, message));
    }
    for (position, value) in filter.values.iter().enumerate() {
        let Some(value) = value else { continue };
        let complaint = match dimension {
            Dimension::Connection if value.parse::<ConnectionId>().is_err() => {
                Some(format!("{value:?} is no connection: use the connection's id."))
            }
            Dimension::Currency => value.parse::<Currency>().err().map(|error| error.to_string()),
            Dimension::Kind if value.parse::<EventKind>().is_err() => {
                Some(unknown("kind of event", value, EventKind::ALL.iter().map(|kind| kind.as_str())))
            }
            Dimension::BalanceCategory if value.parse::<BalanceCategory>().is_err() => {
                let known = BalanceCategory::ALL.iter().map(|category| category.as_str());
                Some(unknown("balance category", value, known))
            }
            Dimension::NewReturning if value != "new" && value != "returning" => {
                Some(format!("{value:?} is neither new nor returning; null stands for unknown."))
            }
            _ => None,
        };
        if let Some(message) = complaint {
            return Err(AnalyticsError::invalid(format!("{pointer}/{position}"), message));
        }
    }
    Ok(())
}

fn check_order(
    query: &Query,
    seen: &Visibility,
    metrics: &[&'static Metric],
    dimensions: &[Dimension],
) -> Result<Vec<(SortKey, Direction)>, AnalyticsError> {
    let mut order = Vec::with_capacity(query.order_by.len());
    for (index, order_by) in query.order_by.iter().enumerate() {
        let metric = metrics.iter().position(|metric| metric.id == order_by.by).map(SortKey::Metric);
        let dimension =
            dimensions.iter().position(|dimension| dimension.id() == order_by.by).map(SortKey::Dimension);
        let period = (order_by.by == "period" && query.grain.is_some()).then_some(SortKey::Period);
        let Some(key) = metric.or(dimension).or(period) else {
            let message = format!(
                "The answer has no column {:?}: sort by one of its metrics or dimensions, or by period if there is a \
                 grain.",
                order_by.by
            );
            return Err(AnalyticsError::invalid(format!("/order_by/{index}/by"), message));
        };
        order.push((key, order_by.direction));
    }
    if order.is_empty() && query.grain.is_none() {
        // Sorted by what is masked, rows would tell it.
        order.extend(first_open(seen, metrics).map(|index| (SortKey::Metric(index), Direction::Descending)));
    }
    Ok(order)
}

fn check_limit(limit: Option<u32>) -> Result<usize, AnalyticsError> {
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit as usize),
        Some(_) => {
            Err(AnalyticsError::invalid("/limit", format!("Choose a limit between 1 and {MAX_LIMIT}.")))
        }
    }
}

/// "There is no metric x", with the nearest names.
fn unknown<'a>(what: &str, asked: &str, known: impl Iterator<Item = &'a str>) -> String {
    let asked: String = asked.chars().take(60).collect();
    let mut near: Vec<(usize, &str)> = known.map(|name| (distance(&asked, name), name)).collect();
    near.sort();
    let names: Vec<&str> = near.iter().take(3).map(|(_, name)| *name).collect();
    format!("There is no {what} {asked:?}: did you mean {}?", names.join(", "))
}

/// Levenshtein distance over bytes; names are ASCII.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
