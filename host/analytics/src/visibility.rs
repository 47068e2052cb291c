//! What somebody sees of the ledgers. Every question carries one, so that none is asked without; it is part of the plan
//! and of every key under which an answer is remembered.
//!
//! Limits only add up: whatever is limited or closed on top of something shows at most what was shown before.

use std::collections::{BTreeMap, BTreeSet};

use portolan_core::ConnectionId;
use serde::Serialize;

use crate::catalogue::{Metric, Source};
use crate::dimension::Dimension;
use crate::policy::{ColumnGroup, ColumnName};
use crate::query::FilterOp;
use crate::{Fact, METRICS, Measure};

/// What stands in place of what is masked.
pub const MASKED: &str = "•••";

/// Rows, metrics and dimensions that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Visibility {
    /// A row has to meet all of them.
    rows: BTreeSet<RowLimit>,
    metrics: BTreeMap<&'static str, Closed>,
    dimensions: BTreeMap<Dimension, Closed>,
    groups: BTreeMap<ColumnGroup, Closed>,
    /// Whether a policy closes columns: then records as they came are closed, as nothing can be taken out of them.
    withholds_raw: bool,
}

/// How something is kept from somebody; what is hidden is not masked any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// That it is there is told, what it says is not.
    Masked,
    /// Whoever asks for it is refused.
    Hidden,
}

/// Rows whose dimension is (not) one of the values; `None` means unknown. In nothing is no row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RowLimit {
    pub dimension: Dimension,
    pub op: FilterOp,
    pub values: BTreeSet<Option<String>>,
}

impl RowLimit {
    /// No row at all.
    pub const fn nothing() -> Self {
        Self { dimension: Dimension::Channel, op: FilterOp::In, values: BTreeSet::new() }
    }

    /// Whether a row with this value is seen.
    pub fn admits(&self, value: Option<&str>) -> bool {
        let listed = self.values.iter().any(|known| known.as_deref() == value);
        listed == (self.op == FilterOp::In)
    }
}

impl Visibility {
    /// All of it: for owners, for the operator's command line, for jobs and tests. Nothing else is made of this name.
    pub const fn everything() -> Self {
        Self {
            rows: BTreeSet::new(),
            metrics: BTreeMap::new(),
            dimensions: BTreeMap::new(),
            groups: BTreeMap::new(),
            withholds_raw: false,
        }
    }

    /// None of it: where what somebody may see can't be read.
    pub fn nothing() -> Self {
        let mut nothing = Self::everything();
        nothing.limit(RowLimit::nothing());
        nothing.withholds_raw = true;
        for group in ColumnGroup::ALL {
            nothing.close(ColumnName::Group(group), Closed::Hidden);
        }
        for metric in METRICS {
            nothing.close(ColumnName::Metric(metric), Closed::Hidden);
        }
        nothing
    }

    /// Only rows that meet this, too.
    pub fn limit(&mut self, limit: RowLimit) {
        self.rows.insert(limit);
    }

    /// Keeps a metric, a dimension or a group of them to others.
    pub fn close(&mut self, name: ColumnName, how: Closed) {
        match name {
            ColumnName::Group(group) => {
                keep_closer(&mut self.groups, group, how);
                for metric in METRICS.iter().filter(|metric| group.holds(metric)) {
                    keep_closer(&mut self.metrics, metric.id, how);
                }
            }
            ColumnName::Metric(metric) => keep_closer(&mut self.metrics, metric.id, how),
            ColumnName::Dimension(dimension) => keep_closer(&mut self.dimensions, dimension, how),
        }
    }

    /// Keeps records as they came to others.
    pub fn withhold_raw(&mut self) {
        self.withholds_raw = true;
    }

    pub fn withholds_raw(&self) -> bool {
        self.withholds_raw
    }

    pub fn limits(&self) -> impl Iterator<Item = &RowLimit> {
        self.rows.iter()
    }

    pub fn sees_all_rows(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether some rows of this ledger can be seen: a limit by what the ledger does not know closes all of it.
    pub fn sees_rows_of(&self, fact: Fact) -> bool {
        self.unknown_limit(fact).is_none()
    }

    /// A limit by a dimension that this ledger does not have.
    pub(crate) fn unknown_limit(&self, fact: Fact) -> Option<&RowLimit> {
        self.rows.iter().find(|limit| !limit.dimension.is_of(fact))
    }

    pub fn of_metric(&self, metric: &Metric) -> Option<Closed> {
        self.metrics.get(metric.id).copied()
    }

    pub fn of_dimension(&self, dimension: Dimension) -> Option<Closed> {
        self.dimensions.get(&dimension).copied()
    }

    /// Documents hold what belongs to groups as well.
    pub fn of_group(&self, group: ColumnGroup) -> Option<Closed> {
        self.groups.get(&group).copied()
    }

    /// Whether a question for this metric has an answer: it is not hidden, and its ledger can be seen.
    pub fn answers(&self, metric: &Metric) -> bool {
        self.of_metric(metric) != Some(Closed::Hidden)
            && Fact::ALL.into_iter().all(|fact| !metric.needs(fact) || self.sees_rows_of(fact))
    }

    /// Whether a metric of a group is closed.
    pub fn closes(&self, group: ColumnGroup) -> bool {
        METRICS.iter().any(|metric| group.holds(metric) && self.of_metric(metric).is_some())
    }

    /// Whether an amount of sales is closed: then so are the amounts in the documents of orders.
    pub fn closes_amounts_of_sales(&self) -> bool {
        let amounts = METRICS.iter().filter(|metric| metric.needs_currency() && metric.needs(Fact::Sales));
        let mut amounts = amounts.filter(|metric| !ColumnGroup::Costs.holds(metric));
        amounts.any(|metric| self.of_metric(metric).is_some())
    }

    /// Whether connections are among what is limited.
    pub fn limits_connections(&self) -> bool {
        self.rows.iter().any(|limit| limit.is_of_connections())
    }

    /// Whether anything else is, so that what a connection holds can be seen in part at most.
    pub fn limits_within_connections(&self) -> bool {
        self.rows.iter().any(|limit| !limit.is_of_connections())
    }

    /// Whether rows of this connection may be seen at all.
    pub fn sees_connection(&self, id: ConnectionId, channel: &str) -> bool {
        self.rows.iter().all(|limit| match limit.dimension {
            Dimension::Channel => limit.admits(Some(channel)),
            Dimension::Connection => limit.admits(Some(&id.to_string())),
            _ => true,
        })
    }
}

impl RowLimit {
    /// Whether it is about whole connections.
    pub fn is_of_connections(&self) -> bool {
        matches!(self.dimension, Dimension::Channel | Dimension::Connection)
    }
}

impl ColumnGroup {
    /// Whether a metric belongs to it: by what it is computed from, so that a new one is in its group by itself.
    pub fn holds(self, metric: &Metric) -> bool {
        let measures = metric.measures();
        match self {
            Self::Cash => {
                measures.iter().any(|measure| matches!(measure.source(), Source::Cash | Source::Payment))
            }
            Self::Costs => measures.contains(&Measure::Cost),
            Self::Sales => metric.needs_currency() && metric.needs(Fact::Sales),
            Self::Personal => false,
        }
    }
}

fn keep_closer<K: Ord>(closed: &mut BTreeMap<K, Closed>, key: K, how: Closed) {
    let known = closed.entry(key).or_insert(how);
    *known = how.max(*known);
}
