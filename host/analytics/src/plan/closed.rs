//! What of a question is kept from whoever asks it. What is hidden is refused by its name; what is masked is answered, but
//! chooses and sorts no rows, as those would tell it.

use super::check::Masked;
use crate::catalogue::{self, Metric};
use crate::dimension::Dimension;
use crate::query::Query;
use crate::visibility::{Closed, Visibility};
use crate::{AnalyticsError, Fact};

/// Fails where the question names something that whoever asks may not see.
pub(super) fn check_open(
    query: &Query,
    seen: &Visibility,
    metrics: &[&'static Metric],
) -> Result<(), AnalyticsError> {
    for (index, metric) in metrics.iter().enumerate() {
        let pointer = format!("/metrics/{index}");
        if seen.of_metric(metric) == Some(Closed::Hidden) {
            return Err(AnalyticsError::closed(pointer, kept(metric.id)));
        }
        for fact in Fact::ALL.into_iter().filter(|fact| metric.needs(*fact)) {
            let Some(limit) = seen.unknown_limit(fact) else { continue };
            let message = format!(
                "{} is about {}, which have no {}, and you see a part of the data by it: leave the metric out, or ask an \
                 owner or admin of your company.",
                metric.id,
                fact.subject(),
                limit.dimension.label().to_lowercase(),
            );
            return Err(AnalyticsError::closed(pointer, message));
        }
    }
    for (index, id) in query.dimensions.iter().enumerate() {
        if of_dimension(seen, id) == Some(Closed::Hidden) {
            return Err(AnalyticsError::closed(format!("/dimensions/{index}"), kept(id)));
        }
    }
    for (index, filter) in query.filters.iter().enumerate() {
        if of_dimension(seen, &filter.dimension).is_some() {
            let pointer = format!("/filters/{index}/dimension");
            return Err(AnalyticsError::closed(pointer, kept(&filter.dimension)));
        }
    }
    for (index, order) in query.order_by.iter().enumerate() {
        let of_metric = catalogue::metric(&order.by).and_then(|metric| seen.of_metric(metric));
        if of_metric.or(of_dimension(seen, &order.by)).is_some() {
            return Err(AnalyticsError::closed(format!("/order_by/{index}/by"), kept(&order.by)));
        }
    }
    Ok(())
}

/// Of the answer's columns, those that are masked.
pub(super) fn masked(seen: &Visibility, metrics: &[&'static Metric], dimensions: &[Dimension]) -> Masked {
    let is_masked = |dimension: &&Dimension| seen.of_dimension(**dimension).is_some();
    Masked {
        dimensions: dimensions.iter().filter(is_masked).copied().collect(),
        metrics: metrics.iter().filter(|metric| seen.of_metric(metric).is_some()).copied().collect(),
    }
}

/// The first metric that rows can be sorted by.
pub(super) fn first_open(seen: &Visibility, metrics: &[&'static Metric]) -> Option<usize> {
    metrics.iter().position(|metric| seen.of_metric(metric).is_none())
}

fn of_dimension(seen: &Visibility, id: &str) -> Option<Closed> {
    seen.of_dimension(Dimension::find(id)?)
}

/// `id` is in the catalogue: nothing of what was sent is told back.
fn kept(id: &str) -> String {
    format!(
        "{id} is kept from you, by your roles or by a policy of your company: leave it out, or ask an owner or admin for it."
    )
}
