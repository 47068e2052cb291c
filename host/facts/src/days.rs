//! Which days a ledger spans, without reading it: the outermost parts know theirs, and the tail is short.

use portolan_core::calendar::DateRange;
use portolan_core::{LocalDate, TenantId};
use portolan_db::DbError;
use portolan_db::entity::sale_event;
use portolan_db::sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use crate::{FactStore, FactsError, part, snapshot};

impl FactStore {
    /// From the first business date of any event to the last one.
    pub(crate) async fn ledger_days(&self, tenant: TenantId) -> Result<Option<DateRange>, FactsError> {
        let tx = self.database.read(tenant).await?;
        let head = tx.ledger_head().await?;
        let parts = snapshot::parts(&tx).await?;
        let months = parts.first().zip(parts.last()).map(|(first, last)| [first.month, last.month]);
        let outermost =
            parts.into_iter().filter(|part| months.is_some_and(|ends| ends.contains(&part.month)));
        let paths: Vec<String> = outermost.map(|part| part.path).collect();
        let _open = self.readers.open(&paths);
        let in_tail: Option<(Option<i32>, Option<i32>)> = tx
            .find::<sale_event::Entity>()
            .select_only()
            .column_as(sale_event::Column::EventDate.min(), "first")
            .column_as(sale_event::Column::EventDate.max(), "last")
            .filter(sale_event::Column::PostingVersion.gt(head.folded_version))
            .into_tuple()
            .one(&tx)
            .await
            .map_err(DbError::from)?;
        drop(tx);
        let folder = self.folder.clone();
        let in_parts = tokio::task::spawn_blocking(move || part::days(&folder, &paths))
            .await
            .map_err(|_| FactsError::Stopped)??;
        let in_tail = in_tail.and_then(|(first, last)| first.zip(last));
        let spans = in_parts.into_iter().chain(in_tail);
        let whole = spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        Ok(whole.and_then(|(first, last)| DateRange::inclusive(LocalDate(first), LocalDate(last))))
    }
}
