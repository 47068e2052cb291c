//! Keeping exchange rates, and choosing among them.

use std::collections::BTreeMap;

use portolan_access::audit::{self, Who};
use portolan_core::{DatedRate, Decimal, Instant, RatePolicy, TenantId};
use portolan_db::entity::{fx_rate, fx_rate_replaced, tenant};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use super::queries;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Pair and day, as they are stored.
type Place = (String, String, i32);

/// Keeps rates; of two for one pair and day the later in `rates` counts, and it replaces what was known. Says of how
/// many pairs and days they are.
pub async fn store_rates(
    app: &App,
    tenant: TenantId,
    who: Who,
    rates: Vec<DatedRate>,
    source: &str,
) -> AppResult<usize> {
    let now = app.clock.now().0;
    let place = |rate: &DatedRate| (rate.base.to_string(), rate.quote.to_string(), rate.day.0);
    let said: BTreeMap<Place, String> =
        rates.into_iter().map(|rate| (place(&rate), Decimal::from(rate.rate).to_string())).collect();
    let count = said.len();
    let entry = who.did("rates.import", "tenant", tenant).after(json!({ "rates": count }));
    let source_in_task = source.to_owned();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                // First: whoever brings rates at the same moment waits for it.
                let said_at = note_change(tx, now, None).await?;
                audit::write(tx, Instant(now), entry);
                keep(tx, said, &source_in_task, said_at).await
            })
        })
        .await?;
    tracing::info!(tenant.id = %tenant, rates = count, source, "exchange rates stored");
    Ok(count)
}

/// Puts new rates in the place of others, which are kept for questions about the time when they counted. One that is
/// said again stays as it is.
async fn keep(tx: &TenantTx, said: BTreeMap<Place, String>, source: &str, said_at: i64) -> AppResult<()> {
    use fx_rate::Column::{Base, Day, Quote, Rate, SaidAt, Source, TenantId};
    let mut known = known_rates(tx, &said).await?;
    let (mut rows, mut replaced) = (Vec::new(), Vec::new());
    for (place, rate) in said {
        match known.remove(&place) {
            Some(known) if known.rate == rate => continue,
            Some(known) => {
                replaced.push(fx_rate_replaced::Model::from(known).into_active_model().reset_all());
            }
            None => {}
        }
        let (base, quote, day) = place;
        rows.push(fx_rate::ActiveModel {
            tenant_id: Set(tx.tenant().0),
            base: Set(base),
            quote: Set(quote),
            day: Set(day),
            rate: Set(rate),
            source: Set(source.to_owned()),
            said_at: Set(said_at),
        });
    }
    tx.insert_many(replaced).await?;
    let mut replace = OnConflict::columns([TenantId, Base, Quote, Day]);
    replace.update_columns([Rate, Source, SaidAt]);
    tx.upsert_many(rows, &replace).await?;
    Ok(())
}

/// What is known of these pairs on these days, and between them.
async fn known_rates(
    tx: &TenantTx,
    said: &BTreeMap<Place, String>,
) -> AppResult<BTreeMap<Place, fx_rate::Model>> {
    use fx_rate::Column::{Base, Day, Quote};
    let mut days_of: BTreeMap<(&str, &str), (i32, i32)> = BTreeMap::new();
    for (base, quote, day) in said.keys() {
        // Days come in their order.
        days_of.entry((base.as_str(), quote.as_str())).or_insert((*day, *day)).1 = *day;
    }
    let mut known = BTreeMap::new();
    for ((base, quote), (first, last)) in days_of {
        let of_pair = tx.find::<fx_rate::Entity>().filter(Base.eq(base)).filter(Quote.eq(quote));
        for row in of_pair.filter(Day.between(first, last)).all(tx).await? {
            known.insert((row.base.clone(), row.quote.clone(), row.day), row);
        }
    }
    Ok(known)
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
                note_change(tx, now, Some(policy)).await.map(|_| ())
            })
        })
        .await
}

/// Answers in another currency are others from now on. Gives that moment, which is later than that of any change
/// before.
async fn note_change(tx: &TenantTx, now: i64, policy: Option<RatePolicy>) -> AppResult<i64> {
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
    let row = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tx.tenant().0)).one(house).await?;
    Ok(row.ok_or_else(|| AppError::not_found("tenant"))?.rates_changed_at)
}
