//! Keeping exchange rates, and choosing among them.

use std::collections::BTreeMap;

use portolan_access::audit::{self, Who};
use portolan_core::{Currency, DatedRate, Decimal, Instant, LocalDate, RatePolicy, TenantId};
use portolan_db::entity::{fx_rate, tenant};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;

use super::queries;
use crate::App;
use crate::web::error::AppResult;

/// Keeps rates; of two for one pair and day the later in `rates` counts, and it replaces what was known. Says how many
/// pairs and days that were.
pub async fn store_rates(
    app: &App,
    tenant: TenantId,
    who: Who,
    rates: Vec<DatedRate>,
    source: &str,
) -> AppResult<usize> {
    let now = app.clock.now().0;
    let latest: BTreeMap<(Currency, Currency, LocalDate), Decimal> =
        rates.into_iter().map(|rate| ((rate.base, rate.quote, rate.day), rate.rate.into())).collect();
    let rows: Vec<fx_rate::ActiveModel> = latest
        .into_iter()
        .map(|((base, quote, day), rate)| fx_rate::ActiveModel {
            tenant_id: Set(tenant.0),
            base: Set(base.to_string()),
            quote: Set(quote.to_string()),
            day: Set(day.0),
            rate: Set(rate.to_string()),
            source: Set(source.to_owned()),
            said_at: Set(now),
        })
        .collect();
    let count = rows.len();
    let entry = who.did("rates.import", "tenant", tenant).after(json!({ "rates": count }));
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                use fx_rate::Column::{Base, Day, Quote, Rate, SaidAt, Source, TenantId};
                let mut replace = OnConflict::columns([TenantId, Base, Quote, Day]);
                replace.update_columns([Rate, Source, SaidAt]);
                tx.upsert_many(rows, &replace).await?;
                audit::write(tx, Instant(now), entry);
                note_change(tx, now, None).await
            })
        })
        .await?;
    tracing::info!(tenant.id = %tenant, rates = count, source, "exchange rates stored");
    Ok(count)
}

/// By which rates the tenant's amounts are converted from now on: in answers about the past as well.
pub async fn set_policy(app: &App, tenant: TenantId, who: Who, policy: RatePolicy) -> AppResult<()> {
    let now = app.clock.now().0;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let (_, before) = queries::policy(tx, tenant).await?;
                let entry = who.did("rates.set_policy", "tenant", tenant);
                let entry = entry.before(json!({ "policy": before.as_str() }));
                audit::write(tx, Instant(now), entry.after(json!({ "policy": policy.as_str() })));
                note_change(tx, now, Some(policy)).await
            })
        })
        .await
}

/// Answers in another currency are others from now on.
async fn note_change(tx: &TenantTx, now: i64, policy: Option<RatePolicy>) -> AppResult<()> {
    let house = tx.host_wide();
    // Above what was there, also where two changes share a moment.
    let later = Expr::col(tenant::Column::RatesChangedAt).add(1);
    let changed_at = CaseStatement::new()
        .case(Expr::col(tenant::Column::RatesChangedAt).lt(now), Expr::value(now))
        .finally(later);
    let mut update = house
        .update_many::<tenant::Entity>()
        .col_expr(tenant::Column::RatesChangedAt, changed_at.into())
        .filter(tenant::Column::Id.eq(tx.tenant().0));
    if let Some(policy) = policy {
        update = update.col_expr(tenant::Column::RatePolicy, Expr::value(policy.as_str()));
    }
    update.exec(house).await.map_err(DbError::from)?;
    tx.bump_data_version().await?;
    Ok(())
}
