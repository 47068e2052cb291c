//! The relations that statements group: events, orders that stand, first orders.

use portolan_commerce::ledger::EventKind;
use portolan_core::calendar::{DateRange, Grain};
use sea_query::{Alias, CaseStatement, Cond, Expr, ExprTrait, Func, JoinType, Query, SelectStatement};

use super::check::CheckedQuery;
use super::{TenantContext, filter};
use crate::Fact;
use crate::catalogue::{DateBasis, FlowColumn};
use crate::dimension::{Dimension, Key};

/// Events under their alias.
const EVENT: &str = "e";
/// First orders under theirs.
const FIRST: &str = "f";

pub(crate) const CONNECTION_ID: &str = "connection_id";
pub(crate) const ORDER_KEY: &str = "order_key";
pub(crate) const CUSTOMER_KEY: &str = "customer_key";
pub(crate) const ORDER_AT: &str = "order_at";
pub(crate) const DISCOUNT: &str = "discount";
pub(crate) const FIRST_AT: &str = "first_at";
pub(crate) const LIFETIME_ORDERS: &str = "lifetime_orders";
pub(crate) const PACKED: &str = "packed";

/// A column of an event.
pub(crate) fn event_column(name: &str) -> Expr {
    Expr::col((Alias::new(EVENT), Alias::new(name)))
}

pub(crate) fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

/// Exact whatever the number of rows: 64-bit sums would wrap.
pub(crate) fn exact_sum(amount: Expr) -> Expr {
    Func::cust(Alias::new("exact_sum")).arg(amount).into()
}

/// The events of a question in a range, with the columns `keys` and `others`.
pub(crate) fn events(
    question: &CheckedQuery,
    context: &TenantContext,
    scope: &EventScope<'_>,
) -> SelectStatement {
    let mut select = Query::select();
    let date_column = match (scope.date_basis, scope.fact) {
        (DateBasis::Event, _) => "event_date",
        (DateBasis::Order, Fact::Sales) => "order_date",
        (DateBasis::Order, Fact::Cash) => "payment_date",
    };
    let converts = question.display_currency.is_some();
    let currency = || match converts {
        true => shown_currency(rate_date(scope.fact)),
        false => event_column(Key::Currency.name()),
    };
    let expression = |key: &Key| match key {
        Key::Period => period(question.grain, date_column),
        Key::Standing => standing(),
        Key::Currency => currency(),
        other => event_column(other.name()),
    };
    let packed = Func::cust(Alias::new("pack")).args(scope.keys.small.iter().map(expression));
    select.expr_as(packed, Alias::new(PACKED));
    for key in &scope.keys.large {
        select.expr_as(expression(key), Alias::new(key.name()));
    }
    for name in scope.others {
        select.expr_as(event_column(name), Alias::new(*name));
    }
    for flow in scope.flows {
        let value = match flow {
            FlowColumn::Events => one_each(),
            FlowColumn::FxGainLoss => gain_by_exchange(),
            flow if converts && flow.is_money() => {
                shown_amount(event_column(flow.name()), rate_date(scope.fact))
            }
            flow => event_column(flow.name()),
        };
        select.expr_as(value, Alias::new(flow.name()));
    }
    select.from_as(Alias::new(scope.fact.table()), Alias::new(EVENT));
    if needs_firsts(question, &scope.keys.small) {
        join_firsts(&mut select);
    }
    let mut conditions = Cond::all();
    if scope.fact == Fact::Sales {
        conditions = conditions.add(event_column("test").eq(false));
    }
    conditions = conditions
        .add(event_column(date_column).gte(scope.range.from.0))
        .add(event_column(date_column).lt(scope.range.until.0));
    for checked in &question.filters {
        conditions = conditions.add(filter::condition(checked, context, currency()));
    }
    if scope.orders_only {
        conditions = conditions.add(of_orders());
    }
    select.cond_where(conditions).take()
}

/// What a statement groups by. Small keys become one column together, large ones each their own.
#[derive(Debug, Clone)]
pub(crate) struct SplitKeys {
    pub(crate) small: Vec<Key>,
    pub(crate) large: Vec<Key>,
}

impl SplitKeys {
    pub(crate) fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        let (small, large) = keys.into_iter().partition(|key| key.is_small());
        Self { small, large }
    }

    /// In the order in which their values come.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Key> {
        self.small.iter().chain(&self.large).copied()
    }

    /// Names of the columns that hold them.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(PACKED).chain(self.large.iter().map(|key| key.name()))
    }
}

/// Which events, and what of them.
pub(crate) struct EventScope<'a> {
    pub(crate) fact: Fact,
    pub(crate) keys: &'a SplitKeys,
    pub(crate) others: &'a [&'a str],
    pub(crate) flows: &'a [FlowColumn],
    pub(crate) date_basis: DateBasis,
    pub(crate) range: DateRange,
    /// Only the events whose units decide that an order counts.
    pub(crate) orders_only: bool,
}

/// Whose orders, and what must be known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buyers {
    Anyone,
    /// Orders with a customer, who is then a column.
    Customers,
    /// The connection, too, so that a customer's first order can be found.
    CustomersWithHistory,
}

/// The orders in a range that stand: the units of their deciding events are above zero. One row per
/// order and keys. The packed keys hold the connection: an order's key is unique within one.
pub(crate) fn standing_orders(
    question: &CheckedQuery,
    context: &TenantContext,
    range: DateRange,
    keys: &SplitKeys,
    buyers: Buyers,
) -> SelectStatement {
    let mut identity = vec![ORDER_KEY];
    if buyers != Buyers::Anyone {
        identity.extend([CUSTOMER_KEY, ORDER_AT]);
    }
    if buyers == Buyers::CustomersWithHistory {
        identity.push(CONNECTION_ID);
    }
    let others = [identity.as_slice(), &["quantity_milli", "discount_minor"]].concat();
    let scope = EventScope {
        fact: Fact::Sales,
        keys,
        others: &others,
        flows: &[],
        date_basis: DateBasis::Order,
        range,
        orders_only: true,
    };
    let mut relevant = events(question, context, &scope);
    if buyers != Buyers::Anyone {
        relevant.and_where(event_column(CUSTOMER_KEY).is_not_null());
    }
    let mut orders = Query::select();
    for name in keys.columns().chain(identity) {
        orders.column(Alias::new(name)).group_by_col(Alias::new(name));
    }
    orders
        .expr_as(exact_sum(column("discount_minor")), Alias::new(DISCOUNT))
        .from_subquery(relevant, Alias::new("r"))
        .and_having(exact_sum(column("quantity_milli")).gt(Expr::cust("0")))
        .take()
}

/// Each customer's first order in the whole ledger, and how many orders of theirs stand.
pub(crate) fn first_orders() -> SelectStatement {
    let group = ["connection_id", CUSTOMER_KEY, ORDER_KEY, ORDER_AT];
    let mut orders = Query::select();
    for name in group {
        orders
            .expr_as(event_column(name), Alias::new(name))
            .group_by_col((Alias::new(EVENT), Alias::new(name)));
    }
    orders
        .from_as(Alias::new(Fact::Sales.table()), Alias::new(EVENT))
        .cond_where(
            Cond::all()
                .add(event_column("test").eq(false))
                .add(event_column(CUSTOMER_KEY).is_not_null())
                .add(of_orders()),
        )
        .and_having(exact_sum(event_column("quantity_milli")).gt(Expr::cust("0")));
    Query::select()
        .columns([Alias::new("connection_id"), Alias::new(CUSTOMER_KEY)])
        .expr_as(column(ORDER_AT).min(), Alias::new(FIRST_AT))
        .expr_as(column(ORDER_KEY).count(), Alias::new(LIFETIME_ORDERS))
        .from_subquery(orders, Alias::new("o"))
        .group_by_columns([Alias::new("connection_id"), Alias::new(CUSTOMER_KEY)])
        .take()
}

/// Whether an event's order is its customer's first: `new`, `returning`, or null where unknown.
pub(crate) fn standing() -> Expr {
    let first_at = || Expr::col((Alias::new(FIRST), Alias::new(FIRST_AT)));
    let unknown = event_column(CUSTOMER_KEY).is_null().or(event_column("has_order").eq(false));
    let is_first = first_at().is_null().or(event_column(ORDER_AT).lte(first_at()));
    CaseStatement::new()
        .case(unknown, Expr::cust("CAST(NULL AS VARCHAR)"))
        .case(is_first, Expr::cust("'new'"))
        .finally(Expr::cust("'returning'"))
        .into()
}

/// Whether a statement over these events looks at the whole ledger.
pub(crate) fn needs_firsts(question: &CheckedQuery, keys: &[Key]) -> bool {
    keys.contains(&Key::Standing) || filters_by_standing(question)
}

fn filters_by_standing(question: &CheckedQuery) -> bool {
    question.filters.iter().any(|checked| checked.dimension == Dimension::NewReturning)
}

fn join_firsts(select: &mut SelectStatement) {
    let same_customer = Cond::all()
        .add(event_column("connection_id").equals((Alias::new(FIRST), Alias::new("connection_id"))))
        .add(event_column(CUSTOMER_KEY).equals((Alias::new(FIRST), Alias::new(CUSTOMER_KEY))));
    select.join_subquery(JoinType::LeftJoin, first_orders(), Alias::new(FIRST), same_customer);
}

/// One for an event, minus one for a negated copy.
fn one_each() -> Expr {
    CaseStatement::new()
        .case(event_column("reverses").is_null(), Expr::cust("1"))
        .finally(Expr::cust("-1"))
        .into()
}

/// The date whose rate converts an event: its order's or payment's, so that what is taken back is converted to what was
/// given.
fn rate_date(fact: Fact) -> &'static str {
    match fact {
        Fact::Sales => "order_date",
        Fact::Cash => "payment_date",
    }
}

/// An amount of an event in the display currency, or as it is where no rate is known.
fn shown_amount(amount: Expr, date_column: &str) -> Expr {
    let place = [amount, event_column("currency"), event_column(date_column)];
    Func::cust(Alias::new("display_amount")).args(place).into()
}

/// The currency that [`shown_amount`] is in.
fn shown_currency(date_column: &str) -> Expr {
    let place = [event_column("currency"), event_column(date_column)];
    Func::cust(Alias::new("display_currency")).args(place).into()
}

/// Net sales at the rate of the event's own day less those at the rate of its order's; nothing where one of them is not
/// known.
fn gain_by_exchange() -> Expr {
    let net = || event_column("gross_minor").sub(event_column("discount_minor"));
    let difference = shown_amount(net(), "event_date").sub(shown_amount(net(), "order_date"));
    let both_known = shown_currency("event_date").eq(shown_currency("order_date"));
    CaseStatement::new().case(both_known, difference).finally(Expr::cust("0")).into()
}

fn of_orders() -> Expr {
    let deciding = EventKind::ALL.into_iter().filter(|kind| kind.decides_order()).map(EventKind::as_str);
    event_column("has_order").eq(true).and(event_column("kind").is_in(deciding))
}

/// Days are their own periods; longer ones are mapped by the engine from a table of days.
fn period(grain: Option<Grain>, date_column: &str) -> Expr {
    match grain {
        Some(Grain::Day) | None => event_column(date_column),
        Some(_) => Func::cust(Alias::new("period_start")).arg(event_column(date_column)).into(),
    }
}
