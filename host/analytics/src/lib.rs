//! What is asked, in words of the business: metric catalogue, typed questions, their plans and answers.
//!
//! The way of a question: a [`Query`] of somebody who sees so much ([`Visibility`]) is checked against the catalogue and becomes a [`Plan`] of a few
//! statements over the tables `sale_events` and `cash_events`; an engine behind the port [`QueryEngine`] runs them; and
//! [`answer`] combines the sums it brings into a [`Table`]. The engine adds integers and counts; every
//! definition (what is a return, what is a ratio, what may be added) is here, in plain functions.
//!
//! **Invariant:** no I/O. Amounts of unlike currencies are never added.

pub mod catalogue;
pub mod dimension;
pub mod plan;
pub mod policy;
pub mod query;
pub mod table;
pub mod time;
pub mod visibility;

mod answer;
mod as_of;
mod engine;
mod error;
mod fact;
mod iso_date;

pub use answer::{AnswerFacts, Draft, answer};
pub use as_of::AsOf;
pub use catalogue::{Additivity, DateBasis, METRICS, Measure, Metric, MetricInfo, Unit, metric};
pub use dimension::Dimension;
pub use engine::QueryEngine;
pub use error::AnalyticsError;
pub use fact::Fact;
pub use iso_date::range as iso_range;
pub use plan::{ConnectionInfo, Parameter, Plan, Statement, TenantContext, Value, split_key};
pub use portolan_core::calendar::{Bucket, Comparison, DateRange, Grain, TenantCalendar};
pub use query::{Direction, Filter, FilterOp, OrderBy, Query};
pub use table::{Cell, Column, Compared, ComparedRange, Role, Row, Table};
pub use time::GrainChoice;
pub use visibility::{Closed, MASKED, RowLimit, Visibility};

#[cfg(test)]
mod tests;
