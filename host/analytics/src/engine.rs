//! The port: whoever can run statements over the ledger answers questions.

use async_trait::async_trait;
use portolan_core::TenantId;
use portolan_core::calendar::DateRange;

use crate::{AnalyticsError, Query, Table, Visibility};

/// Answers questions from a tenant's ledger.
#[async_trait]
pub trait QueryEngine: Send + Sync {
    /// The answer for somebody who sees so much, over one snapshot of the ledger. Dropping the future stops the work.
    async fn run(&self, tenant: TenantId, seen: &Visibility, query: &Query) -> Result<Table, AnalyticsError>;

    /// From the first business date on which anything happened that they see to the last one; nothing where nothing did.
    async fn days(&self, tenant: TenantId, seen: &Visibility) -> Result<Option<DateRange>, AnalyticsError>;

    /// Grows with every change of the tenant's ledger: the key of caches and ETags.
    async fn data_version(&self, tenant: TenantId) -> Result<i64, AnalyticsError>;
}
