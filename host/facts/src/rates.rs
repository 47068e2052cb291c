//! A tenant's exchange rates, as questions with a display currency need them.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use portolan_core::{DatedRate, Decimal, Instant, LocalDate, Rate, RateTable, TenantId};
use portolan_db::entity::{fx_rate, fx_rate_replaced, tenant};
use portolan_db::sea_orm::{ColumnTrait, DbErr, QueryFilter, QueryOrder};
use portolan_db::{DbError, TenantTx};

use crate::FactsError;

/// Tables of tenants that nobody asked about for so long are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(600);
/// A bank's whole history of forty currencies has a quarter of a million.
const MOST_RATES: u64 = 2_000_000;

/// Tables of rates in memory, each as of the last change of its tenant's rates.
#[derive(Clone)]
pub(crate) struct KnownRates(Cache<Key, Arc<Known>>);

/// Tenant, last change, and until when rates had to be said to be in the table.
type Key = (TenantId, i64, Option<Instant>);

struct Known {
    table: Arc<RateTable>,
    rows: u32,
}

impl KnownRates {
    pub(crate) fn new() -> Self {
        let known = Cache::builder()
            .weigher(|_, known: &Arc<Known>| known.rows.saturating_add(1))
            .max_capacity(MOST_RATES)
            .time_to_idle(FORGET_AFTER);
        Self(known.build())
    }

    /// The rates of this snapshot; with a moment those that counted then, under the policy of now.
    pub(crate) async fn of(
        &self,
        tx: &TenantTx,
        known_until: Option<Instant>,
    ) -> Result<Arc<RateTable>, FactsError> {
        let (tenant, house) = (tx.tenant(), tx.host_wide());
        let row = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tenant.0)).one(house).await;
        let Some(row) = row.map_err(DbError::from)? else { return Ok(Arc::default()) };
        // Where nothing has changed since, they are those of now.
        let known_until = known_until.filter(|moment| moment.0 < row.rates_changed_at);
        let key = (tenant, row.rates_changed_at, known_until);
        if let Some(known) = self.0.get(&key).await {
            return Ok(Arc::clone(&known.table));
        }
        let said = said(tx, known_until).await.map_err(DbError::from)?;
        let rows = u32::try_from(said.len()).unwrap_or(u32::MAX);
        let said: Option<Vec<DatedRate>> = said.into_iter().map(dated).collect();
        let said = said.ok_or_else(|| damaged("an exchange rate"))?;
        let policy = row.rate_policy.parse().map_err(|_| damaged("the rate policy"))?;
        let table = Arc::new(RateTable::new(policy, said));
        self.0.insert(key, Arc::new(Known { table: Arc::clone(&table), rows })).await;
        Ok(table)
    }
}

/// What was said, of a pair and day the newest last.
async fn said(tx: &TenantTx, known_until: Option<Instant>) -> Result<Vec<fx_rate::Model>, DbErr> {
    let present = tx.find::<fx_rate::Entity>();
    let Some(known_until) = known_until else { return present.all(tx).await };
    let replaced = tx
        .find::<fx_rate_replaced::Entity>()
        .filter(fx_rate_replaced::Column::SaidAt.lte(known_until.0))
        .order_by_asc(fx_rate_replaced::Column::SaidAt)
        .all(tx)
        .await?;
    let present = present.filter(fx_rate::Column::SaidAt.lte(known_until.0)).all(tx).await?;
    Ok(replaced.into_iter().map(fx_rate::Model::from).chain(present).collect())
}

fn dated(row: fx_rate::Model) -> Option<DatedRate> {
    let decimal: Decimal = row.rate.parse().ok()?;
    Some(DatedRate {
        day: LocalDate(row.day),
        base: row.base.parse().ok()?,
        quote: row.quote.parse().ok()?,
        rate: Rate::new(decimal)?,
    })
}

fn damaged(what: &str) -> FactsError {
    FactsError::Damaged(format!("{what} of the tenant cannot be read"))
}
