//! One statement per source of measures, and a second for totals that rows don't add up to.

use portolan_core::calendar::Grain;
use sea_query::{
    Alias, CaseStatement, Expr, ExprTrait, PostgresQueryBuilder, Query, SelectStatement, Values,
};

use super::check::{AskedRange, CheckedQuery};
use super::relation::{
    self, Buyers, CONNECTION_ID, CUSTOMER_KEY, DISCOUNT, EventScope, FIRST_AT, LIFETIME_ORDERS, ORDER_AT,
    PACKED, SplitKeys, column, exact_sum,
};
use super::{Parameter, Periods, Selected, Statement, TenantContext};
use crate::catalogue::{DateBasis, FlowColumn, Measure, Source};
use crate::dimension::Key;

/// Rows of the answer, or its totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Rows,
    Totals,
}

/// The statements of one source over one range; none if no metric needs the source.
pub(crate) fn statements(
    question: &CheckedQuery,
    context: &TenantContext,
    asked: &AskedRange<'_>,
    source: Source,
) -> Vec<Statement> {
    let measures = question.measures(source);
    if measures.is_empty() {
        return Vec::new();
    }
    let adds_up = rows_add_up(question, source);
    let with_history = measures.iter().any(|measure| needs_history(*measure));
    let with_totals =
        source == Source::Customer && !with_history && !adds_up && only_period_differs(question, source);
    let mut levels = vec![Level::Rows];
    if !adds_up && !with_totals {
        levels.push(Level::Totals);
    }
    let mut statements = Vec::with_capacity(2);
    for level in levels {
        let keys = SplitKeys::new(grouping(question, keys(question, level), source));
        let (select, sums) = match source {
            Source::Flow | Source::Cash | Source::Payment => {
                flows(question, context, asked, source, &keys, &measures)
            }
            Source::Order => orders(question, context, asked, &keys),
            Source::Customer if with_history => customers_with_history(question, context, asked, &keys),
            Source::Customer => customers(question, context, asked, &keys, with_totals),
        };
        let mut statement = finish(question, asked, source, select, &keys, sums);
        statement.feeds_rows = level == Level::Rows;
        statement.feeds_totals = adds_up || with_totals || level == Level::Totals;
        statement.totals_lack_period = with_totals;
        statements.push(statement);
    }
    statements
}

/// Sums go by the date that was asked; orders and customers by the order's, disputes by the payment's.
fn date_basis(question: &CheckedQuery, source: Source) -> DateBasis {
    match source {
        Source::Flow | Source::Cash => question.date_basis.unwrap_or_default(),
        Source::Order | Source::Customer | Source::Payment => DateBasis::Order,
    }
}

fn needs_history(measure: Measure) -> bool {
    matches!(measure, Measure::NewCustomers | Measure::ReturningCustomers | Measure::RepeatCustomers)
}

/// The columns to group by: those of the dimensions, each once; for totals the currency at most.
fn keys(question: &CheckedQuery, level: Level) -> Vec<Key> {
    let mut keys: Vec<Key> = match level {
        Level::Totals => question.per_currency.then_some(Key::Currency).into_iter().collect(),
        Level::Rows => {
            let period = question.grain.map(|_| Key::Period);
            let dimensions =
                question.told_dimensions().flat_map(|dimension| dimension.keys().iter().copied());
            period.into_iter().chain(dimensions).collect()
        }
    };
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What a statement groups by, more finely than the answer: sums by what happened, which decides what they
/// mean, orders and customers by connection, within which their keys are unique. The answer adds up.
fn grouping(question: &CheckedQuery, mut keys: Vec<Key>, source: Source) -> Vec<Key> {
    let finer: &[Key] = match source {
        Source::Flow => &[Key::Kind],
        Source::Order | Source::Customer => &[Key::Connection],
        Source::Cash if question.is_about_single_payouts() => &[Key::Category, Key::Returned],
        Source::Cash => &[Key::Category],
        Source::Payment => &[Key::Category, Key::DisputeState],
    };
    keys.extend(finer);
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether the total is the sum of the rows. An order has one date and one connection, but may hold
/// several products; a customer has orders on many days.
fn rows_add_up(question: &CheckedQuery, source: Source) -> bool {
    let within = |allowed: &[Key]| keys(question, Level::Rows).iter().all(|key| allowed.contains(key));
    match source {
        Source::Flow | Source::Cash | Source::Payment => true,
        Source::Order => {
            within(&[Key::Period, Key::Connection, Key::Currency]) && currency_is_in_totals(question)
        }
        Source::Customer => within(&[Key::Connection, Key::Currency]) && currency_is_in_totals(question),
    }
}

/// Whether totals are grouped like rows but for the period. No period is null, so rows of totals can stand among the
/// others without one.
fn only_period_differs(question: &CheckedQuery, source: Source) -> bool {
    let mut of_rows = grouping(question, keys(question, Level::Rows), source);
    let before = of_rows.len();
    of_rows.retain(|key| *key != Key::Period);
    of_rows.len() < before && of_rows == grouping(question, keys(question, Level::Totals), source)
}

/// Where the currency is a mere dimension, totals are over all currencies.
fn currency_is_in_totals(question: &CheckedQuery) -> bool {
    question.per_currency || !keys(question, Level::Rows).contains(&Key::Currency)
}

/// Sums of ledger columns by what happened; the answer decides what each of it means.
fn flows(
    question: &CheckedQuery,
    context: &TenantContext,
    asked: &AskedRange<'_>,
    source: Source,
    keys: &SplitKeys,
    measures: &[Measure],
) -> (SelectStatement, Vec<Selected>) {
    let mut columns: Vec<FlowColumn> =
        measures.iter().flat_map(|measure| measure.terms()).map(|term| term.column).collect();
    columns.sort_unstable();
    columns.dedup();
    let scope = EventScope {
        fact: source.fact(),
        keys,
        others: &[],
        flows: &columns,
        date_basis: date_basis(question, source),
        range: asked.range,
        with_totals: false,
        orders_only: false,
    };
    let mut select = grouped(keys, relation::events(question, context, &scope));
    for name in columns.iter().map(|column| column.name()) {
        select.expr_as(exact_sum(column(name)), Alias::new(format!("sum_{name}")));
    }
    (select, columns.into_iter().map(Selected::Flow).collect())
}

fn orders(
    question: &CheckedQuery,
    context: &TenantContext,
    asked: &AskedRange<'_>,
    keys: &SplitKeys,
) -> (SelectStatement, Vec<Selected>) {
    let standing = relation::standing_orders(question, context, asked.range, keys, Buyers::Anyone);
    let mut select = grouped(keys, standing);
    select
        .expr_as(column("order_key").count(), Alias::new("orders"))
        .expr_as(one_if(column(DISCOUNT).gt(Expr::cust("0"))).sum(), Alias::new("discounted_orders"));
    let counts = [Selected::Count(Measure::Orders), Selected::Count(Measure::DiscountedOrders)];
    (select, counts.to_vec())
}

/// Distinct customers: each once for every row in which an order of theirs stands, and once for their total.
fn customers(
    question: &CheckedQuery,
    context: &TenantContext,
    asked: &AskedRange<'_>,
    keys: &SplitKeys,
    with_totals: bool,
) -> (SelectStatement, Vec<Selected>) {
    let rows = relation::standing_customers(question, context, asked.range, keys, with_totals);
    let mut select = grouped(keys, rows);
    select.expr_as(column(PACKED).count(), Alias::new("customers"));
    (select, vec![Selected::Count(Measure::Customers)])
}

/// The same, and what each customer's orders were before, by grouping twice: first per customer, then per row of the
/// answer.
fn customers_with_history(
    question: &CheckedQuery,
    context: &TenantContext,
    asked: &AskedRange<'_>,
    keys: &SplitKeys,
) -> (SelectStatement, Vec<Selected>) {
    let standing = relation::standing_orders(question, context, asked.range, keys, Buyers::Customers);
    let mut select = grouped(keys, per_customer(question, context, keys, standing));
    select.expr_as(column(CUSTOMER_KEY).count(), Alias::new("customers"));
    let mut counts = vec![Selected::Count(Measure::Customers)];
    let flags = [
        ("is_new", Measure::NewCustomers),
        ("is_returning", Measure::ReturningCustomers),
        ("is_repeat", Measure::RepeatCustomers),
    ];
    for (flag, measure) in flags {
        select.expr_as(column(flag).sum(), Alias::new(format!("sum_{flag}")));
        counts.push(Selected::Count(measure));
    }
    (select, counts)
}

/// One row per customer and row of the answer, with flags 0 or 1. The packed keys hold the connection,
/// within which a customer's key is unique.
fn per_customer(
    question: &CheckedQuery,
    context: &TenantContext,
    keys: &SplitKeys,
    standing: SelectStatement,
) -> SelectStatement {
    let order = |name: &str| Expr::col((Alias::new("o"), Alias::new(name)));
    let first = |name: &str| Expr::col((Alias::new("l"), Alias::new(name)));
    let mut select = Query::select();
    for name in keys.columns().chain([CUSTOMER_KEY]) {
        select.expr_as(order(name), Alias::new(name)).group_by_col((Alias::new("o"), Alias::new(name)));
    }
    let same = order(CONNECTION_ID).eq(first(CONNECTION_ID)).and(order(CUSTOMER_KEY).eq(first(CUSTOMER_KEY)));
    select
        .from_subquery(standing, Alias::new("o"))
        .join_subquery(
            sea_query::JoinType::InnerJoin,
            relation::first_orders(question, context),
            Alias::new("l"),
            same,
        )
        .expr_as(one_if(order(ORDER_AT).lte(first(FIRST_AT))).max(), Alias::new("is_new"))
        .expr_as(one_if(order(ORDER_AT).gt(first(FIRST_AT))).max(), Alias::new("is_returning"))
        .expr_as(one_if(first(LIFETIME_ORDERS).gte(Expr::cust("2"))).max(), Alias::new("is_repeat"))
        .take()
}

/// `SELECT keys FROM (relation) GROUP BY keys`, ready for aggregates.
fn grouped(keys: &SplitKeys, relation: SelectStatement) -> SelectStatement {
    let mut select = Query::select();
    for column in keys.columns() {
        select.column(Alias::new(column)).group_by_col(Alias::new(column));
    }
    select.from_subquery(relation, Alias::new("g")).take()
}

fn one_if(condition: Expr) -> Expr {
    CaseStatement::new().case(condition, Expr::cust("1")).finally(Expr::cust("0")).into()
}

fn finish(
    question: &CheckedQuery,
    asked: &AskedRange<'_>,
    source: Source,
    select: SelectStatement,
    keys: &SplitKeys,
    sums: Vec<Selected>,
) -> Statement {
    let by_event_date = date_basis(question, source) == DateBasis::Event;
    let (sql, values) = select.build(PostgresQueryBuilder);
    let maps_periods = keys.small.contains(&Key::Period) && question.grain != Some(Grain::Day);
    Statement {
        sql,
        fact: source.fact(),
        parameters: parameters(values),
        event_dates: (by_event_date && !relation::needs_firsts(question, &keys.small)).then_some(asked.range),
        packed_keys: keys.small.len(),
        source,
        selected: keys.iter().map(Selected::Key).chain(sums).collect(),
        feeds_rows: false,
        feeds_totals: false,
        totals_lack_period: false,
        in_comparison: asked.in_comparison,
        display_currency: question.display_currency,
        periods: if maps_periods { asked.periods.clone() } else { Periods::default() },
    }
}

/// The few types of value that the relations bind.
fn parameters(values: Values) -> Vec<Parameter> {
    values
        .into_iter()
        .map(|value| match value {
            sea_query::Value::String(Some(text)) => Parameter::Text(text),
            sea_query::Value::Bool(Some(flag)) => Parameter::Boolean(flag),
            sea_query::Value::Int(Some(days)) => Parameter::Date(days),
            sea_query::Value::BigInt(Some(number)) => Parameter::Integer(number),
            sea_query::Value::Bytes(Some(bytes)) => {
                Parameter::Uuid(uuid::Uuid::from_slice(&bytes).expect("only identifiers are bound as bytes"))
            }
            other => unreachable!("statements bind no value like {other:?}"),
        })
        .collect()
}
