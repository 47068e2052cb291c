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
/// The packed keys of the total that a row counts towards.
pub(crate) const TOTAL: &str = "total";
/// The rows in which a customer has an order that stands.
const ROWS: &str = "rows";
const QUANTITY: &str = "quantity_milli";
const DISCOUNT_MINOR: &str = "discount_minor";

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
        Key::Standing => newness(),
        Key::Returned => returned(),
        Key::Currency => currency(),
        other => event_column(other.name()),
    };
    let packed = Func::cust(Alias::new("pack")).args(scope.keys.small.iter().map(expression));
    select.expr_as(packed, Alias::new(PACKED));
    if scope.with_totals {
        let of_total = scope.keys.small.iter().map(|key| match key {
            Key::Period => Expr::cust("CAST(NULL AS INTEGER)"),
            other => expression(other),
        });
        select.expr_as(Func::cust(Alias::new("pack")).args(of_total), Alias::new(TOTAL));
    }
    for key in &scope.keys.large {
        select.expr_as(expression(key), Alias::new(key.name()));
    }
    for name in scope.others {
        select.expr_as(event_column(name), Alias::new(*name));
    }
    for flow in scope.flows {
        let value = match flow {
            FlowColumn::Events => one_each(),
            FlowColumn::Incoming => one_if_incoming(),
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
        join_firsts(&mut select, question, context);
    }
    let mut conditions = seen(question, context, scope.fact);
    if scope.fact == Fact::Sales {
        conditions = conditions.add(event_column("test").eq(false));
    }
    conditions = conditions
        .add(event_column(date_column).gte(scope.range.from.0))
        .add(event_column(date_column).lt(scope.range.until.0));
    conditions = conditions.add_option(recorded_by_then(question));
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
    /// Also the packed keys of the totals: those of the rows, without their period.
    pub(crate) with_totals: bool,
    /// Only the events whose units decide that an order counts.
    pub(crate) orders_only: bool,
}

/// Whose orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buyers {
    Anyone,
    /// Orders with a customer, who is then a column, and the connection, too: with it the customer's first order is
    /// found.
    Customers,
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
    let (identity, amounts): (&[&str], &[&str]) = match buyers {
        Buyers::Anyone => (&[ORDER_KEY], &[QUANTITY, DISCOUNT_MINOR]),
        Buyers::Customers => (&[ORDER_KEY, CUSTOMER_KEY, ORDER_AT, CONNECTION_ID], &[QUANTITY]),
    };
    let others = [identity, amounts].concat();
    let mut relevant = events(question, context, &order_scope(keys, &others, range, false));
    if buyers == Buyers::Customers {
        relevant.and_where(event_column(CUSTOMER_KEY).is_not_null());
    }
    let group: Vec<&str> = keys.columns().chain(identity.iter().copied()).collect();
    let mut orders = standing(&group, amounts, relevant);
    if buyers == Buyers::Anyone {
        orders.expr_as(exact_sum(column(DISCOUNT_MINOR)), Alias::new(DISCOUNT));
    }
    orders
}

/// Of each customer the rows of the answer in which an order of theirs stands, one row for each; with totals, the
/// total's packed keys count as such a row, too. The packed keys hold the connection, within which a customer's key is
/// unique.
pub(crate) fn standing_customers(
    question: &CheckedQuery,
    context: &TenantContext,
    range: DateRange,
    keys: &SplitKeys,
    with_totals: bool,
) -> SelectStatement {
    let others = [CUSTOMER_KEY, ORDER_KEY, ORDER_AT, QUANTITY];
    let mut relevant = events(question, context, &order_scope(keys, &others, range, with_totals));
    relevant.and_where(event_column(CUSTOMER_KEY).is_not_null());
    let total = if with_totals { TOTAL } else { PACKED };
    let large = || keys.large.iter().map(|key| key.name());
    let mut of_run: Vec<&str> = keys.columns().chain([CUSTOMER_KEY, ORDER_KEY, ORDER_AT]).collect();
    of_run.extend(with_totals.then_some(TOTAL));

    let bought = [PACKED, total, ORDER_KEY, ORDER_AT, QUANTITY].map(column);
    let mut customers = Query::select();
    for name in large() {
        customers.column(Alias::new(name));
    }
    customers
        .expr_as(Func::cust(Alias::new("standing")).args(bought), Alias::new(ROWS))
        .from_subquery(runs(&of_run, &[QUANTITY], relevant), Alias::new("s"))
        .cond_where(any_amount(&[QUANTITY]))
        .group_by_columns([total].into_iter().chain(large()).chain([CUSTOMER_KEY]).map(Alias::new));
    let mut rows = Query::select();
    rows.expr_as(Func::cust(Alias::new("unnest")).arg(column(ROWS)), Alias::new(PACKED));
    for name in large() {
        rows.column(Alias::new(name));
    }
    rows.from_subquery(customers, Alias::new("c")).take()
}

fn order_scope<'a>(
    keys: &'a SplitKeys,
    others: &'a [&'a str],
    range: DateRange,
    with_totals: bool,
) -> EventScope<'a> {
    EventScope {
        fact: Fact::Sales,
        keys,
        others,
        flows: &[],
        date_basis: DateBasis::Order,
        range,
        with_totals,
        orders_only: true,
    }
}

/// `SELECT group FROM (events) GROUP BY group`, of the orders whose units are above zero.
fn standing(group: &[&str], amounts: &[&str], events: SelectStatement) -> SelectStatement {
    let mut orders = Query::select();
    for name in group {
        orders.column(Alias::new(*name)).group_by_col(Alias::new(*name));
    }
    orders
        .from_subquery(runs(group, amounts, events), Alias::new("s"))
        .cond_where(any_amount(amounts))
        .and_having(exact_sum(column(QUANTITY)).gt(Expr::cust("0")))
        .take()
}

/// Lines that follow each other and have the same keys, added up at the first of them; the others have no amounts.
fn runs(keys: &[&str], amounts: &[&str], events: SelectStatement) -> SelectStatement {
    let mut runs = Query::select();
    for name in keys {
        runs.column(Alias::new(*name));
    }
    for amount in amounts {
        let of_run = [*amount].into_iter().chain(keys.iter().copied()).map(column);
        runs.expr_as(Func::cust(Alias::new("run_sum")).args(of_run), Alias::new(*amount));
    }
    runs.from_subquery(events, Alias::new("r")).take()
}

fn any_amount(amounts: &[&str]) -> Cond {
    amounts.iter().fold(Cond::any(), |any, amount| any.add(column(amount).is_not_null()))
}

/// Each customer's first order in the whole ledger, and how many orders of theirs stand.
pub(crate) fn first_orders(question: &CheckedQuery, context: &TenantContext) -> SelectStatement {
    let group = [CONNECTION_ID, CUSTOMER_KEY, ORDER_KEY, ORDER_AT];
    let mut events = Query::select();
    for name in group.into_iter().chain([QUANTITY]) {
        events.expr_as(event_column(name), Alias::new(name));
    }
    events.from_as(Alias::new(Fact::Sales.table()), Alias::new(EVENT)).cond_where(
        seen(question, context, Fact::Sales)
            .add(event_column("test").eq(false))
            .add(event_column(CUSTOMER_KEY).is_not_null())
            .add(of_orders())
            .add_option(recorded_by_then(question)),
    );
    Query::select()
        .columns([Alias::new(CONNECTION_ID), Alias::new(CUSTOMER_KEY)])
        .expr_as(column(ORDER_AT).min(), Alias::new(FIRST_AT))
        .expr_as(column(ORDER_KEY).count(), Alias::new(LIFETIME_ORDERS))
        .from_subquery(standing(&group, &[QUANTITY], events.take()), Alias::new("o"))
        .group_by_columns([Alias::new(CONNECTION_ID), Alias::new(CUSTOMER_KEY)])
        .take()
}

/// Whether an event's order is its customer's first: `new`, `returning`, or null where unknown.
pub(crate) fn newness() -> Expr {
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

fn join_firsts(select: &mut SelectStatement, question: &CheckedQuery, context: &TenantContext) {
    let same_customer = Cond::all()
        .add(event_column("connection_id").equals((Alias::new(FIRST), Alias::new("connection_id"))))
        .add(event_column(CUSTOMER_KEY).equals((Alias::new(FIRST), Alias::new(CUSTOMER_KEY))));
    select.join_subquery(
        JoinType::LeftJoin,
        first_orders(question, context),
        Alias::new(FIRST),
        same_customer,
    );
}

/// Whoever reads from a ledger begins with this: what is not seen is no part of it.
fn seen(question: &CheckedQuery, context: &TenantContext, fact: Fact) -> Cond {
    let limits = question.limits.iter().map(|limit| filter::limit(limit, fact, context));
    limits.fold(Cond::all(), Cond::add)
}

/// What a question about what was reported counts; nothing where it is about what stands now.
fn recorded_by_then(question: &CheckedQuery) -> Option<Expr> {
    question.recorded_until.map(|moment| event_column("recorded_at").lte(moment.0))
}

/// One for an event, minus one for a negated copy.
fn one_each() -> Expr {
    CaseStatement::new()
        .case(event_column("reverses").is_null(), Expr::cust("1"))
        .finally(Expr::cust("-1"))
        .into()
}

/// The same for what the balance gained; a negated copy of it is a loss.
fn one_if_incoming() -> Expr {
    let amount = || event_column("amount_minor");
    let gained = event_column("reverses").is_null().and(amount().gt(Expr::cust("0")));
    let taken_back = event_column("reverses").is_not_null().and(amount().lt(Expr::cust("0")));
    CaseStatement::new()
        .case(gained, Expr::cust("1"))
        .case(taken_back, Expr::cust("-1"))
        .finally(Expr::cust("0"))
        .into()
}

/// `portolan_commerce::cash::is_payout_itself` says the same of one event.
fn returned() -> Expr {
    let of_another = event_column(Key::Category.name())
        .eq(Expr::cust("'payout_reversal'"))
        .and(event_column("source_key").ne(event_column(Key::Payout.name())));
    CaseStatement::new()
        .case(of_another, Expr::cust("'returned'"))
        .finally(Expr::cust("CAST(NULL AS VARCHAR)"))
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
