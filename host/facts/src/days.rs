//! Which days the ledgers span, without reading them: the outermost parts know theirs, and the tail is short.

use portolan_analytics::{AnalyticsError, Cell, Fact, GrainChoice, Query, QueryEngine, Visibility, metric};
use portolan_core::calendar::DateRange;
use portolan_core::{LocalDate, TenantId};

use crate::{FactStore, FactsError, part, snapshot, tail};

impl FactStore {
    /// From the first business date of any event to the last one.
    pub(crate) async fn ledger_days(&self, tenant: TenantId) -> Result<Option<DateRange>, FactsError> {
        let tx = self.database.read(tenant).await?;
        let head = tx.ledger_head().await?;
        let parts = snapshot::parts(&tx, &Fact::ALL).await?;
        let months = parts.first().zip(parts.last()).map(|(first, last)| [first.month, last.month]);
        let outermost =
            parts.into_iter().filter(|part| months.is_some_and(|ends| ends.contains(&part.month)));
        let paths: Vec<String> = outermost.map(|part| part.path).collect();
        let _open = self.readers.open(&paths);
        let in_tail = tail::days(&tx, &head).await?;
        drop(tx);
        let folder = self.folder.clone();
        let in_parts = tokio::task::spawn_blocking(move || part::days(&folder, &paths))
            .await
            .map_err(|_| FactsError::Stopped)??;
        let spans = in_parts.into_iter().chain(in_tail);
        let whole = spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        Ok(whole.and_then(|(first, last)| DateRange::inclusive(LocalDate(first), LocalDate(last))))
    }

    /// The same for whoever sees a part of it: asked as questions, so that what is not seen has no days.
    pub(crate) async fn seen_days(
        &self,
        tenant: TenantId,
        seen: &Visibility,
    ) -> Result<Option<DateRange>, AnalyticsError> {
        let months = self.periods(tenant, seen, EVER, GrainChoice::Month).await?;
        let (Some(first), Some(last)) = (months.first(), months.last()) else { return Ok(None) };
        let (first, last) = (
            self.periods(tenant, seen, *first, GrainChoice::Day).await?,
            self.periods(tenant, seen, *last, GrainChoice::Day).await?,
        );
        let ends = first.first().zip(last.last());
        Ok(ends.map(|(first, last)| DateRange { from: first.from, until: last.until }))
    }

    /// The periods in which anything happened that they see, in order.
    async fn periods(
        &self,
        tenant: TenantId,
        seen: &Visibility,
        range: DateRange,
        grain: GrainChoice,
    ) -> Result<Vec<DateRange>, AnalyticsError> {
        let seen_one = |id: &&str| metric(id).is_some_and(|metric| seen.answers(metric));
        let asked: Vec<&str> = TELLING.into_iter().filter(seen_one).collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.run(tenant, seen, &Query::over(range, &asked).every(grain)).await?;
        let periods = table.rows.iter().filter_map(|row| match row.cells.first() {
            Some(Cell::Period(bucket)) => Some(bucket.range),
            _ => None,
        });
        let mut periods: Vec<DateRange> = periods.collect();
        periods.sort_by_key(|period| period.from);
        Ok(periods)
    }
}

/// One metric of every source that has an event's own date.
const TELLING: [&str; 3] = ["gross_sales", "units_ordered", "gross_payments"];
/// 1900 to 2199: wider than any ledger, narrower than what one question may ask for by month.
const EVER: DateRange = DateRange { from: LocalDate(-25_567), until: LocalDate(84_006) };
