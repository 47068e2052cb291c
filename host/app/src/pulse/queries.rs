//! The questions behind Pulse.

use portolan_analytics::{AsOf, Comparison, Dimension, Grain, GrainChoice, Query, Table, Visibility, metric};
use portolan_core::calendar::{DateRange, TenantCalendar, Weekday};
use portolan_core::{ConnectionId, Currency, LocalDate, TenantId};
use portolan_db::entity::tenant;

use super::money::{self, Flow};
use super::scope::{LedgerDays, Scope};
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Currencies whose figures have a line beside them.
const MOST_DRAWN: usize = 4;
/// Products per currency.
pub const TOP_PRODUCTS: u32 = 10;
/// Wider than any ledger, narrower than what one question may ask for by month.
const LEDGER_YEARS: (i32, i32) = (1900, 2200);

/// Everything that Pulse knows of one scope.
pub struct Answers {
    /// One row per currency.
    pub money: Table,
    /// One row.
    pub counts: Table,
    /// Absent where they are kept from whoever asks.
    pub products: Option<Table>,
    /// What of the payments reaches the bank, per currency.
    pub flows: Vec<Flow>,
    /// The currency of the charts; absent where nothing was sold.
    pub currency: Option<Currency>,
    /// Amounts over time, in the currency of the charts and in the first few others.
    pub by_time: Option<Table>,
    pub counts_by_time: Option<Table>,
    pub by_part: Option<ByPart>,
}

/// Net sales over time, cut by whom they came through.
pub struct ByPart {
    pub dimension: &'static str,
    pub table: Table,
}

/// A scope as questions are asked about it.
pub struct Asked<'a> {
    pub tenant: TenantId,
    pub seen: &'a Visibility,
    pub scope: &'a Scope,
    pub connection: Option<ConnectionId>,
    /// How many connections the scope holds.
    pub connections: usize,
    /// Of the charts, where it occurs.
    pub chart_currency: Option<Currency>,
    /// Preferred where it occurs and the address asks for none.
    pub reporting_currency: Option<Currency>,
    /// Amounts are shown in it where a rate is known.
    pub display_currency: Option<Currency>,
    /// As it was reported then.
    pub as_of: Option<AsOf>,
}

impl Asked<'_> {
    /// Of these metrics those that are told to whoever asks.
    pub fn open<'m>(&self, metrics: &[&'m str]) -> Vec<&'m str> {
        open(self.seen, metrics)
    }

    pub fn may_cut_by(&self, dimension: &str) -> bool {
        Dimension::find(dimension).is_some_and(|dimension| self.seen.of_dimension(dimension).is_none())
    }

    async fn run(&self, app: &App, query: &Query) -> AppResult<Table> {
        Ok(app.engine.run(self.tenant, self.seen, query).await?)
    }

    fn over(&self, metrics: &[&str]) -> Query {
        self.of_connection(Query::over(self.scope.range, metrics), self.scope.comparison)
    }

    /// The same days, alone.
    pub fn without_comparison(&self, metrics: &[&str]) -> Query {
        self.of_connection(Query::over(self.scope.range, metrics), None)
    }

    fn of_connection(&self, mut query: Query, comparison: Option<Comparison>) -> Query {
        query.comparison = comparison;
        query.display_currency = self.display_currency;
        query.as_of = self.as_of;
        match self.connection {
            Some(connection) => query.only("connection", &[&connection.to_string()]),
            None => query,
        }
    }
}

/// How the tenant counts weeks and fiscal years.
pub fn tenant_calendar(tenant: &tenant::Model) -> TenantCalendar {
    // Stored as 1 to 7, Monday first.
    let index = usize::try_from(tenant.week_start - 1).ok();
    let week_start = index.and_then(|index| Weekday::ALL.get(index).copied());
    TenantCalendar::new(week_start.unwrap_or_default(), i64::from(tenant.fiscal_start_month))
        .unwrap_or_default()
}

/// The first and the last business date on which anything was sold or moved a balance. Asked of the columnar engine in
/// three small steps: the ledger's table has no index on dates.
pub async fn ledger_days(
    app: &App,
    tenant: TenantId,
    seen: &Visibility,
    connection: Option<ConnectionId>,
) -> AppResult<LedgerDays> {
    let (first_year, last_year) = LEDGER_YEARS;
    let edge = |year| LocalDate::from_ymd(year, 1, 1).ok_or_else(|| AppError::internal("no such year"));
    let whole = DateRange { from: edge(first_year)?, until: edge(last_year)? };
    let months = days_with_events(app, (tenant, seen), connection, whole, GrainChoice::Month).await?;
    let (Some(first_month), Some(last_month)) = (months.first(), months.last()) else { return Ok(None) };
    let first_days =
        days_with_events(app, (tenant, seen), connection, *first_month, GrainChoice::Day).await?;
    let last_days = match first_month == last_month {
        true => first_days.clone(),
        false => days_with_events(app, (tenant, seen), connection, *last_month, GrainChoice::Day).await?,
    };
    let first = first_days.first().unwrap_or(first_month).from;
    let last = last_days.last().unwrap_or(last_month).until.plus_days(-1);
    Ok(Some((first, last)))
}

async fn days_with_events(
    app: &App,
    (tenant, seen): (TenantId, &Visibility),
    connection: Option<ConnectionId>,
    range: DateRange,
    grain: GrainChoice,
) -> AppResult<Vec<DateRange>> {
    let telling = open(seen, &["gross_sales", "returns", "units_ordered", "gross_payments", "payouts"]);
    if telling.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::over(range, &telling).every(grain);
    if let Some(connection) = connection {
        query = query.only("connection", &[&connection.to_string()]);
    }
    let table = app.engine.run(tenant, seen, &query).await?;
    let mut periods: Vec<DateRange> = Vec::new();
    for row in table.rows.iter() {
        if let Some(portolan_analytics::Cell::Period(bucket)) = row.cells.first() {
            periods.push(bucket.range);
        }
    }
    periods.sort_by_key(|range| range.from);
    Ok(periods)
}

fn open<'m>(seen: &Visibility, metrics: &[&'m str]) -> Vec<&'m str> {
    let told = |id: &&&str| {
        metric(id).is_some_and(|metric| seen.answers(metric) && seen.of_metric(metric).is_none())
    };
    metrics.iter().filter(told).copied().collect()
}

/// Amounts per currency, and counts over all of them.
pub async fn ask_figures(app: &App, asked: &Asked<'_>) -> AppResult<(Table, Table)> {
    let money = asked.open(&["net_sales", "aov", "returns", "demand_sales", "orders"]);
    let counts = asked.open(&["orders", "customers", "units_net"]);
    if money.is_empty() || counts.is_empty() {
        let detail =
            "Policies of your company keep the figures of this page from you: ask an owner or admin.";
        return Err(AppError::closed(detail));
    }
    let (money, counts) = (asked.over(&money), asked.over(&counts));
    futures::try_join!(asked.run(app, &money), asked.run(app, &counts))
}

/// Asks everything at once; the charts wait for the currency.
pub async fn ask(app: &App, asked: &Asked<'_>) -> AppResult<Answers> {
    let ((money, counts), products, flows) =
        futures::try_join!(ask_figures(app, asked), ask_products(app, asked), money::ask(app, asked))?;
    let currency =
        occurring(&money, asked.chart_currency).or_else(|| chart_currency(&money, asked.reporting_currency));
    let mut answers = Answers {
        money,
        counts,
        products,
        flows,
        currency,
        by_time: None,
        counts_by_time: None,
        by_part: None,
    };
    if let Some(currency) = currency {
        over_time(app, asked, currency, &mut answers).await?;
    }
    Ok(answers)
}

/// The products that brought most; nothing where that is kept from whoever asks.
async fn ask_products(app: &App, asked: &Asked<'_>) -> AppResult<Option<Table>> {
    let metrics = asked.open(&["net_sales", "units_net"]);
    if !metrics.contains(&"net_sales") || !asked.may_cut_by("product") {
        return Ok(None);
    }
    let products = asked.over(&metrics).by("product").top(TOP_PRODUCTS, "net_sales");
    Ok(Some(asked.run(app, &products).await?))
}

async fn over_time(app: &App, asked: &Asked<'_>, currency: Currency, answers: &mut Answers) -> AppResult<()> {
    let range = asked.scope.range;
    let mut drawn = vec![currency.to_string()];
    let others = answers.money.rows.iter().filter_map(|row| currency_of(&answers.money, row));
    drawn.extend(
        others.filter(|other| *other != currency).take(MOST_DRAWN - 1).map(|other| other.to_string()),
    );
    let drawn: Vec<&str> = drawn.iter().map(String::as_str).collect();
    let mut by_time = asked
        .over(&asked.open(&["net_sales", "aov", "returns"]))
        .every(GrainChoice::Auto)
        .only("currency", &drawn);
    by_time.dense = true;
    let counted = asked.open(&["orders", "customers", "units_net"]);
    let mut counts = asked.without_comparison(&counted).every(GrainChoice::Auto);
    counts.dense = true;
    let dimension = if asked.connections > 1 { "connection" } else { "sales_channel" };
    let may_cut = asked.may_cut_by(dimension) && asked.open(&["net_sales"]).len() == 1;
    let parts = asked.without_comparison(&["net_sales"]).by(dimension).every(bar_grain(range));
    let mut parts = parts.only("currency", &[currency.as_str()]);
    parts.dense = true;
    let by_part = async {
        let table = if may_cut { Some(asked.run(app, &parts).await?) } else { None };
        Ok::<_, AppError>(table)
    };
    let by_time = async {
        let table = if by_time.metrics.is_empty() { None } else { Some(asked.run(app, &by_time).await?) };
        Ok::<_, AppError>(table)
    };
    let (by_time, counts, by_part) = futures::try_join!(by_time, asked.run(app, &counts), by_part)?;
    answers.by_time = by_time;
    answers.counts_by_time = Some(counts);
    answers.by_part = by_part.map(|table| ByPart { dimension, table });
    Ok(())
}

/// The asked currency, where anything was sold in it.
fn occurring(money: &Table, asked: Option<Currency>) -> Option<Currency> {
    asked.filter(|asked| money.rows.iter().any(|row| currency_of(money, row) == Some(*asked)))
}

/// Bars need more room than points of a line.
fn bar_grain(range: DateRange) -> GrainChoice {
    match range.days() {
        ..=45 => GrainChoice::Day,
        46..=200 => GrainChoice::Week,
        201..=1_500 => GrainChoice::Month,
        _ => GrainChoice::Year,
    }
}

/// The reporting currency where it occurs, else the one with the most orders: amounts of unlike
/// currencies have no order.
pub fn chart_currency(money: &Table, reporting: Option<Currency>) -> Option<Currency> {
    let mut found: Option<(i64, Currency)> = None;
    for row in money.rows.iter() {
        let Some(currency) = currency_of(money, row) else { continue };
        if Some(currency) == reporting {
            return Some(currency);
        }
        let orders = match money.cell(row, "orders") {
            Some(portolan_analytics::Cell::Count(count)) => *count,
            _ => 0,
        };
        if found.is_none_or(|(most, _)| orders > most) {
            found = Some((orders, currency));
        }
    }
    found.map(|(_, currency)| currency)
}

/// The currency that a row is in.
pub fn currency_of(table: &Table, row: &portolan_analytics::Row) -> Option<Currency> {
    table.cell(row, "currency")?.label()?.parse().ok()
}

/// The grain that an answer came in.
pub fn grain_of(table: &Table) -> Grain {
    table.grain.unwrap_or(Grain::Day)
}
