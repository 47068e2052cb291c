//! Answers as charts.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_admin_ui::format;
use portolan_admin_ui::parts::{ChartTableView, ChartView, SafeSvg};
use portolan_analytics::{Cell, Table};
use portolan_charts::{Category, ChartKind, ChartSpec, Series, Theme, Unit};
use portolan_core::calendar::{Bucket, Grain, TenantCalendar};
use portolan_core::{Currency, LocalDate};

use super::queries::{ByPart, currency_of, grain_of};
use crate::App;

/// Colours of the palette; the last one holds what is left.
const MOST_SERIES: usize = 8;
const WIDE: (u32, u32) = (720, 260);
const NARROW: (u32, u32) = (360, 240);

/// What every chart of the page shares.
pub struct ChartScope<'a> {
    pub calendar: &'a TenantCalendar,
    pub today: LocalDate,
    pub currency: Currency,
    /// "1–30 Nov 2026".
    pub range_text: &'a str,
    /// "1–30 Nov 2026, all connections, EUR".
    pub subtitle: String,
    /// `&connection=…`, or nothing.
    pub orders_filter: String,
}

/// How do net sales go?
pub fn by_time(table: &Table, scope: &ChartScope<'_>) -> ChartSpec {
    let grain = grain_of(table);
    let rows: Vec<(Bucket, Option<i64>, Option<i64>)> = table
        .rows
        .iter()
        .filter(|row| currency_of(table, row) == Some(scope.currency))
        .filter_map(|row| {
            let Some(Cell::Period(bucket)) = row.cells.first() else { return None };
            let now = table.cell(row, "net_sales").and_then(amount);
            let then = table.compared(row, "net_sales").and_then(|compared| amount(&compared.value));
            Some((*bucket, now, then))
        })
        .collect();
    let buckets: Vec<Bucket> = rows.iter().map(|(bucket, ..)| *bucket).collect();
    // What lies ahead has not sold nothing: it has not been.
    let values =
        rows.iter().map(|(bucket, now, _)| now.filter(|_| bucket.range.from <= scope.today)).collect();
    let mut series = vec![Series::main(scope.range_text, 0, values)];
    // Days before anything was sold are no comparison, and a line of zeros would claim to be one.
    let anything_then = rows.iter().any(|(.., then)| then.is_some_and(|amount| amount != 0));
    if let Some(compared) = table.comparison.filter(|_| anything_then) {
        let others: Vec<Bucket> = scope.calendar.buckets(grain, compared.range).take(rows.len()).collect();
        let values = rows.iter().enumerate().map(|(index, (.., then))| then.filter(|_| index < others.len()));
        let labels = (0..rows.len()).map(|index| others.get(index).map(full_label).unwrap_or_default());
        let last = compared.range.last().unwrap_or(compared.range.from);
        let name = format::date_range(compared.range.from, last);
        series.push(Series::comparison(name, values.collect(), labels.collect()));
    }
    ChartSpec {
        kind: ChartKind::Line,
        title: format!("How do net sales go, {} by {}?", grain.as_str(), grain.as_str()),
        subtitle: scope.subtitle.clone(),
        unit: Unit::money(scope.currency),
        category_name: grain_name(grain).to_owned(),
        categories: buckets.iter().map(|bucket| category(bucket, grain, scope)).collect(),
        unfinished_from: unfinished_from(&buckets, grain, scope.calendar, scope.today),
        series,
    }
}

/// Who sells? `None` where there is only one to show. `order`: keys in their lasting order, which
/// gives each its colour.
pub fn by_part(answer: &ByPart, order: &[String], scope: &ChartScope<'_>) -> Option<ChartSpec> {
    let table = &answer.table;
    let grain = grain_of(table);
    let mut buckets: BTreeMap<LocalDate, Bucket> = BTreeMap::new();
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for row in table.rows.iter() {
        let Some(Cell::Period(bucket)) = row.cells.first() else { continue };
        let Some(Cell::Key { key, label }) = table.cell(row, answer.dimension) else { continue };
        let value = table.cell(row, "net_sales").and_then(amount).unwrap_or_default();
        buckets.insert(bucket.start, *bucket);
        let part = parts.entry(key.clone().unwrap_or_default()).or_default();
        part.label.clone_from(label);
        part.values.insert(bucket.start, value);
    }
    if parts.len() < 2 {
        return None;
    }
    let buckets: Vec<Bucket> = buckets.into_values().collect();
    let noun = if answer.dimension == "connection" { "connections" } else { "sales channels" };
    Some(ChartSpec {
        kind: ChartKind::StackedBar,
        title: format!("Which {noun} sell?"),
        subtitle: scope.subtitle.clone(),
        unit: Unit::money(scope.currency),
        category_name: grain_name(grain).to_owned(),
        categories: buckets.iter().map(|bucket| category(bucket, grain, scope)).collect(),
        series: part_series(parts, order, &buckets),
        unfinished_from: unfinished_from(&buckets, grain, scope.calendar, scope.today),
    })
}

#[derive(Default)]
struct Part {
    label: String,
    values: BTreeMap<LocalDate, i64>,
}

impl Part {
    fn total(&self) -> i128 {
        self.values.values().map(|value| i128::from(*value)).sum()
    }
}

/// The largest parts with a colour of their own, the rest as one.
fn part_series(parts: BTreeMap<String, Part>, order: &[String], buckets: &[Bucket]) -> Vec<Series> {
    let mut parts: Vec<(String, Part)> = parts.into_iter().collect();
    parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.total()));
    let kept = if parts.len() > MOST_SERIES { MOST_SERIES - 1 } else { parts.len() };
    let rest = parts.split_off(kept);
    let mut used = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for (position, (key, part)) in parts.iter().enumerate() {
        let own = order.iter().position(|known| known == key).unwrap_or(position) % MOST_SERIES;
        let free =
            (0..MOST_SERIES).map(|step| (own + step) % MOST_SERIES).find(|color| !used.contains(color));
        let color = free.unwrap_or(own);
        used.push(color);
        let values = buckets.iter().map(|bucket| part.values.get(&bucket.start).copied()).collect();
        series.push(Series::main(part.label.as_str(), color as u8, values));
    }
    if !rest.is_empty() {
        let free = (0..MOST_SERIES).find(|color| !used.contains(color)).unwrap_or_default();
        let sum = |bucket: &Bucket| {
            let values = rest.iter().filter_map(|(_, part)| part.values.get(&bucket.start));
            i64::try_from(values.map(|value| i128::from(*value)).sum::<i128>()).ok()
        };
        let name = format!("{} others", rest.len());
        series.push(Series::main(name, free as u8, buckets.iter().map(sum).collect()));
    }
    series
}

fn amount(cell: &Cell) -> Option<i64> {
    cell.as_money().map(|money| money.amount_minor)
}

fn grain_name(grain: Grain) -> &'static str {
    match grain {
        Grain::Hour | Grain::Day => "Day",
        Grain::Week => "Week",
        Grain::Month => "Month",
        Grain::Quarter => "Quarter",
        Grain::Year => "Year",
    }
}

/// The bucket that holds today is not over, nor is any after it.
pub fn unfinished_from(
    buckets: &[Bucket],
    grain: Grain,
    calendar: &TenantCalendar,
    today: LocalDate,
) -> Option<usize> {
    buckets.iter().position(|bucket| calendar.next_bucket(grain, bucket.start) > today)
}

pub fn full_label(bucket: &Bucket) -> String {
    let last = bucket.range.last().unwrap_or(bucket.range.from);
    format::date_range(bucket.range.from, last)
}

fn category(bucket: &Bucket, grain: Grain, scope: &ChartScope<'_>) -> Category {
    let start = bucket.range.from.to_naive();
    let short = match grain {
        Grain::Hour | Grain::Day | Grain::Week => start.format("%-d %b"),
        Grain::Month | Grain::Quarter => start.format("%b %Y"),
        Grain::Year => start.format("%Y"),
    };
    let last = bucket.range.last().unwrap_or(bucket.range.from);
    let href = format!("/orders?from={}&until={last}{}", bucket.range.from, scope.orders_filter);
    Category::new(short.to_string()).with_full(full_label(bucket)).with_href(href)
}

/// Draws the charts off the request threads. One that cannot be drawn keeps its table and its words.
pub async fn draw(app: &Arc<App>, specs: Vec<(&'static str, ChartSpec)>) -> Vec<ChartView> {
    let renderer = Arc::clone(app);
    let work = move || {
        let wanted: Vec<_> = specs
            .iter()
            .flat_map(|(_, spec)| {
                [(spec, WIDE.0, WIDE.1, Theme::Page), (spec, NARROW.0, NARROW.1, Theme::Page)]
            })
            .collect();
        let drawings = renderer.charts.render_all(&wanted);
        let mut drawings = drawings.into_iter().map(|drawing| match drawing {
            Ok(svg) => SafeSvg::from_chart(svg),
            Err(error) => {
                tracing::warn!(%error, "a chart was not drawn; its table is shown");
                SafeSvg::default()
            }
        });
        let mut views = Vec::new();
        for (id, spec) in &specs {
            let (wide, narrow) = (drawings.next().unwrap_or_default(), drawings.next().unwrap_or_default());
            views.push(view(id, spec, wide, narrow));
        }
        views
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(views) => views,
        Err(error) => {
            tracing::error!(%error, "charts were not drawn");
            Vec::new()
        }
    }
}

fn view(id: &str, spec: &ChartSpec, wide: SafeSvg, narrow: SafeSvg) -> ChartView {
    let table = spec.table();
    ChartView {
        id: id.to_owned(),
        title: spec.title.clone(),
        subtitle: spec.subtitle.clone(),
        summary: spec.summary(),
        svg: wide,
        svg_narrow: Some(narrow).filter(|svg| !svg.is_empty()),
        spec_json: spec.to_json(),
        table: ChartTableView { head: table.head, rows: table.rows },
    }
}
