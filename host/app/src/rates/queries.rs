//! Reads about exchange rates.

use std::collections::BTreeMap;

use portolan_core::calendar::DateRange;
use portolan_core::{Currency, LocalDate, RatePolicy, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::{fx_rate, tenant};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};

use crate::web::error::{AppError, AppResult};

/// Each is three parameters of a statement.
const PAIRS_AT_ONCE: usize = 100;

/// What is known of one pair of currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPair {
    pub base: String,
    pub quote: String,
    pub first_day: LocalDate,
    pub last_day: LocalDate,
    /// On how many days something was said.
    pub days: i64,
}

/// Every pair of which something is known, in alphabetical order.
pub async fn known_pairs(tx: &TenantTx) -> AppResult<Vec<KnownPair>> {
    use fx_rate::Column::{Base, Day, Quote};
    let pairs: Vec<(String, String, i32, i32, i64)> = tx
        .find::<fx_rate::Entity>()
        .select_only()
        .columns([Base, Quote])
        .column_as(Day.min(), "first_day")
        .column_as(Day.max(), "last_day")
        .column_as(Day.count(), "days")
        .group_by(Base)
        .group_by(Quote)
        .order_by_asc(Base)
        .order_by_asc(Quote)
        .into_tuple()
        .all(tx)
        .await?;
    let pair = |(base, quote, first, last, days)| KnownPair {
        base,
        quote,
        first_day: LocalDate(first),
        last_day: LocalDate(last),
        days,
    };
    Ok(pairs.into_iter().map(pair).collect())
}

/// The newest rate of each pair.
pub async fn newest_rates(
    tx: &TenantTx,
    pairs: &[KnownPair],
) -> AppResult<BTreeMap<(String, String), fx_rate::Model>> {
    use fx_rate::Column::{Base, Day, Quote};
    let mut newest = BTreeMap::new();
    for some in pairs.chunks(PAIRS_AT_ONCE) {
        let mut wanted = Condition::any();
        for pair in some {
            let (base, quote) = (pair.base.as_str(), pair.quote.as_str());
            let day = Day.eq(pair.last_day.0);
            wanted = wanted.add(Condition::all().add(Base.eq(base)).add(Quote.eq(quote)).add(day));
        }
        let rows = tx.find::<fx_rate::Entity>().filter(wanted).all(tx).await?;
        newest.extend(rows.into_iter().map(|row| ((row.base.clone(), row.quote.clone()), row)));
    }
    Ok(newest)
}

/// What was said of one pair on these days, newest first.
pub async fn rates_of(
    tx: &TenantTx,
    base: Currency,
    quote: Currency,
    days: DateRange,
) -> AppResult<Vec<fx_rate::Model>> {
    use fx_rate::Column::{Base, Day, Quote};
    Ok(tx
        .find::<fx_rate::Entity>()
        .filter(Base.eq(base.as_str()))
        .filter(Quote.eq(quote.as_str()))
        .filter(Day.gte(days.from.0))
        .filter(Day.lt(days.until.0))
        .order_by_desc(Day)
        .all(tx)
        .await?)
}

/// What the tenant converts into, and by which rates.
pub async fn policy(tx: &TenantTx, id: TenantId) -> AppResult<(Currency, RatePolicy)> {
    let house = tx.host_wide();
    let row = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id.0)).one(house).await?;
    let row = row.ok_or_else(|| AppError::not_found("tenant"))?;
    let currency = row.reporting_currency.parse().map_err(AppError::internal)?;
    Ok((currency, row.rate_policy.parse().map_err(AppError::internal)?))
}
