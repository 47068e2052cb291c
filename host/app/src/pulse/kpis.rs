//! The strip of key figures: each with its change, and a small line of how it went.

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{Kpi, KpiValue, SparklineView};
use portolan_admin_ui::parts::SafeSvg;
use portolan_analytics::{Cell, Row, Table, metric};
use portolan_charts::{Sparkline, Unit};
use portolan_core::calendar::{Bucket, TenantCalendar};
use portolan_core::{Currency, LocalDate};

use super::charts::{full_label, unfinished_from};
use super::queries::{Answers, currency_of, grain_of};
use super::views::{cell_text, delta, smallest_parts};

/// The figures of the strip, in their order.
const KPIS: [(&str, &str); 6] = [
    ("net_sales", "Net sales"),
    ("orders", "Orders"),
    ("aov", "Average order value"),
    ("customers", "Customers"),
    ("units_net", "Net units"),
    ("returns", "Returns"),
];

/// What the strip needs beside the answers.
pub struct Strip<'a> {
    pub answers: &'a Answers,
    /// "2–31 Oct 2026".
    pub compared_with: Option<&'a str>,
    pub calendar: &'a TenantCalendar,
    pub today: LocalDate,
}

impl Strip<'_> {
    pub fn kpis(&self) -> Vec<Kpi> {
        KPIS.iter().map(|(id, label)| self.kpi(id, label)).collect()
    }

    fn kpi(&self, id: &str, label: &str) -> Kpi {
        let answers = self.answers;
        // The same metric may be in both; without money it is one figure over all currencies.
        let counted = answers.counts.column_index(id).is_some();
        let (table, over_time) = match counted {
            true => (&answers.counts, &answers.counts_by_time),
            false => (&answers.money, &answers.by_time),
        };
        let value = |row: &Row| self.value(table, over_time.as_ref(), row, id, label);
        Kpi {
            label: label.to_owned(),
            definition: metric(id).map(|metric| metric.description).unwrap_or_default().to_owned(),
            values: table.rows.iter().filter_map(value).collect(),
            note: (id == "returns").then(|| returns_rate(&answers.money)).flatten(),
        }
    }

    fn value(
        &self,
        table: &Table,
        over_time: Option<&Table>,
        row: &Row,
        id: &str,
        label: &str,
    ) -> Option<KpiValue> {
        let cell = table.cell(row, id)?;
        let currency = match metric(id)?.unit {
            portolan_analytics::Unit::Money => currency_of(table, row),
            _ => None,
        };
        Some(KpiValue {
            text: cell_text(cell),
            unit: currency.map(|currency| currency.to_string()).unwrap_or_default(),
            delta: delta(table, row, id, self.compared_with),
            sparkline: over_time.and_then(|table| self.sparkline(table, id, label, currency)),
        })
    }

    /// How one figure of one currency went; `None` where there is no line to draw.
    fn sparkline(
        &self,
        table: &Table,
        id: &str,
        label: &str,
        currency: Option<Currency>,
    ) -> Option<SparklineView> {
        let mut unit = None;
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut values = Vec::new();
        for row in table.rows.iter() {
            let Some(Cell::Period(bucket)) = row.cells.first() else { continue };
            if currency.is_some() && currency_of(table, row) != currency {
                continue;
            }
            let cell = table.cell(row, id)?;
            unit = unit.or_else(|| unit_of(cell));
            // What lies ahead has not been nothing: it has not been.
            let value = smallest_parts(cell).filter(|_| bucket.range.from <= self.today);
            buckets.push(*bucket);
            values.push(value.and_then(|value| i64::try_from(value).ok()));
        }
        let grain = grain_of(table);
        let line = Sparkline {
            unit: unit?,
            labels: buckets.iter().map(full_label).collect(),
            values,
            unfinished_from: unfinished_from(&buckets, grain, self.calendar, self.today),
        };
        let svg = SafeSvg::from_chart(line.to_svg());
        let text = format!("{label} by {}. {}", grain.as_str(), line.summary());
        (!svg.is_empty()).then_some(SparklineView { svg, text })
    }
}

fn unit_of(cell: &Cell) -> Option<Unit> {
    match cell {
        Cell::Money(money) => Some(Unit::money(money.currency)),
        Cell::Count(_) => Some(Unit::Count),
        Cell::Quantity(_) => Some(Unit::QuantityMilli),
        _ => None,
    }
}

/// "4.1 % of demand sales EUR": what came back of what was sold, per currency.
fn returns_rate(money: &Table) -> Option<String> {
    let rates: Vec<String> = money
        .rows
        .iter()
        .filter_map(|row| {
            let returns = money.cell(row, "returns")?.as_money()?;
            let demand = money.cell(row, "demand_sales")?.as_money()?;
            let rate = format::percent(returns.amount_minor, demand.amount_minor);
            (demand.amount_minor > 0).then(|| format!("{rate} of demand sales in {}", returns.currency))
        })
        .collect();
    (!rates.is_empty()).then(|| rates.join(", "))
}
