//! Filters as conditions. An unknown value (SQL null) is neither in a list nor silently lost by "not in".

use sea_query::{Cond, Condition, Expr, ExprTrait};

use super::check::CheckedFilter;
use super::relation::event_column;
use super::{ConnectionInfo, TenantContext};
use crate::dimension::{Dimension, Key};
use crate::query::FilterOp;
use crate::{Fact, RowLimit};

/// The condition on an event that a filter means. `currency` is the one that the event is shown in.
pub(crate) fn condition(filter: &CheckedFilter, context: &TenantContext, currency: Expr) -> Condition {
    let matches = matching(filter, context, currency);
    match filter.op {
        FilterOp::In => matches,
        FilterOp::NotIn => matches.not(),
    }
}

/// The condition on an event that whoever asks sees it. An event that does not know what the limit is about is not seen.
pub(crate) fn limit(limit: &RowLimit, fact: Fact, context: &TenantContext) -> Condition {
    if !limit.dimension.is_of(fact) {
        return Cond::all().add(Expr::cust("FALSE"));
    }
    let values = limit.values.iter().cloned().collect();
    let filter = CheckedFilter { dimension: limit.dimension, op: limit.op, values };
    // Of the event itself: what it is shown in is another matter.
    condition(&filter, context, event_column(Key::Currency.name()))
}

/// True or false, never null, so that `not` is exact.
fn matching(filter: &CheckedFilter, context: &TenantContext, currency: Expr) -> Condition {
    let known: Vec<&str> = filter.values.iter().flatten().map(String::as_str).collect();
    let unknown = filter.values.iter().any(Option::is_none);
    match filter.dimension {
        Dimension::Channel => connections(context, |connection| known.contains(&connection.channel.as_str())),
        Dimension::Connection => {
            connections(context, |connection| known.contains(&connection.id.to_string().as_str()))
        }
        Dimension::Store => keys_of_connections(Key::Store, &known, unknown),
        Dimension::Product => keys_of_connections(Key::Product, &known, unknown),
        Dimension::Payout => keys_of_connections(Key::Payout, &known, unknown),
        Dimension::BalanceCategory => plain(event_column(Key::Category.name()), &known, unknown),
        Dimension::PaymentMethod => plain(event_column(Key::Method.name()), &known, unknown),
        Dimension::SalesChannel => plain(event_column(Key::SalesChannel.name()), &known, unknown),
        Dimension::Country => plain(event_column(Key::Country.name()), &known, unknown),
        Dimension::Currency => plain(currency, &known, unknown),
        Dimension::Kind => plain(event_column(Key::Kind.name()), &known, unknown),
        Dimension::NewReturning => plain(super::relation::newness(), &known, unknown),
    }
}

/// A tenant has few connections: they are named, so that parts of others are skipped by their statistics.
fn connections(context: &TenantContext, wanted: impl Fn(&ConnectionInfo) -> bool) -> Condition {
    let ids: Vec<Vec<u8>> = context
        .connections
        .iter()
        .filter(|connection| wanted(connection))
        .map(|connection| connection.id.0.as_bytes().to_vec())
        .collect();
    any_of(event_column("connection_id"), ids)
}

fn plain(column: Expr, known: &[&str], unknown: bool) -> Condition {
    let listed = any_of(column.clone(), known.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        .add(column.clone().is_not_null());
    let mut either = Cond::any().add(listed);
    if unknown {
        either = either.add(column.is_null());
    }
    either
}

/// A key is unique within its connection: `<connection id>/<key>` names one, a bare key all of that name.
fn keys_of_connections(key: Key, known: &[&str], unknown: bool) -> Condition {
    let mut bare = Vec::new();
    let mut either = Cond::any();
    for value in known {
        let (connection, key_text) = split_key(value);
        match connection {
            None => bare.push(key_text),
            Some(connection) => {
                either = either.add(
                    Cond::all()
                        .add(event_column("connection_id").eq(connection.0.as_bytes().to_vec()))
                        .add(event_column(key.name()).is_not_null())
                        .add(event_column(key.name()).eq(key_text)),
                );
            }
        }
    }
    either.add(plain(event_column(key.name()), &bare, unknown))
}

/// Takes `<connection id>/<key>` apart; a text without a connection's id is a bare key.
pub fn split_key(text: &str) -> (Option<portolan_core::ConnectionId>, &str) {
    match text.split_once('/') {
        Some((id, key)) => match id.parse() {
            Ok(connection) => (Some(connection), key),
            Err(_) => (None, text),
        },
        None => (None, text),
    }
}

fn any_of<V: Into<sea_query::Value>>(column: Expr, values: Vec<V>) -> Condition {
    // An empty list matches nothing; sea-query would write `1 = 2` with two parameters of no type.
    if values.is_empty() {
        return Cond::all().add(Expr::cust("FALSE"));
    }
    Cond::all().add(column.is_in(values))
}
