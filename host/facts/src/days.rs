//! Which days the ledgers span, without reading them: the outermost parts know theirs, and the tail is short.

use portolan_analytics::Fact;
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
}
