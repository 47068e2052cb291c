//! Changing what a company says about itself.

use portolan_access::audit::{self, Who};
use portolan_connector::FieldError;
use portolan_core::calendar::StoreCalendar;
use portolan_core::{Currency, TenantId};
use portolan_db::entity::tenant;
use portolan_db::{DbError, TenantTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

use crate::App;
use crate::web::error::{AppError, AppResult};

const LONGEST_NAME_CHARS: usize = 120;
/// Monday to Sunday.
const WEEKDAYS: std::ops::RangeInclusive<i32> = 1..=7;

/// What was typed, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedCompany {
    pub name: String,
    pub reporting_currency: String,
    pub time_zone: String,
    pub week_start: String,
}

/// What can be stored.
struct Company {
    name: String,
    reporting_currency: Currency,
    time_zone: String,
    week_start: i32,
}

impl TypedCompany {
    pub fn of(tenant: &tenant::Model) -> Self {
        Self {
            name: tenant.name.clone(),
            reporting_currency: tenant.reporting_currency.clone(),
            time_zone: tenant.time_zone.clone(),
            week_start: tenant.week_start.to_string(),
        }
    }

    /// All faults at once, each beside its field.
    fn check(&self) -> AppResult<Company> {
        let mut faults = Vec::new();
        let mut fault = |path: &str, message: &str| {
            faults.push(FieldError { path: path.to_owned(), message: message.to_owned() });
        };
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARS || name.chars().any(char::is_control)
        {
            fault("name", "Write a name of 1 to 120 characters.");
        }
        let currency = self.reporting_currency.trim().to_uppercase().parse::<Currency>();
        if currency.is_err() {
            fault("reporting_currency", "Write the three letters of a currency, such as EUR.");
        }
        let time_zone = self.time_zone.trim();
        if StoreCalendar::new(time_zone, 0).is_err() {
            fault("time_zone", "Write a place of the time zone database, such as Europe/Berlin.");
        }
        let week_start = self.week_start.parse().ok().filter(|day| WEEKDAYS.contains(day));
        if week_start.is_none() {
            fault("week_start", "Choose a day.");
        }
        match (currency, week_start) {
            (Ok(reporting_currency), Some(week_start)) if faults.is_empty() => Ok(Company {
                name: name.to_owned(),
                reporting_currency,
                time_zone: time_zone.to_owned(),
                week_start,
            }),
            _ => Err(AppError::invalid_fields(faults)),
        }
    }
}

/// Answers are made anew from now on: weeks, days and "reporting currency" mean something else.
pub async fn change_company(app: &App, tenant: TenantId, who: Who, typed: &TypedCompany) -> AppResult<()> {
    let (company, now) = (typed.check()?, app.clock.now());
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let before = own_row(tx).await?;
                store(tx, &company).await?;
                let after = own_row(tx).await?;
                tx.bump_data_version().await?;
                let entry = who.did("company.change", "tenant", tenant).before(told(&before));
                let mut told_after = told(&after);
                // Of a name only that it is another: events hold none.
                told_after["renamed"] = json!(before.name != after.name);
                audit::write(tx, now, entry.after(told_after));
                Ok(())
            })
        })
        .await
}

async fn own_row(tx: &TenantTx) -> AppResult<tenant::Model> {
    let house = tx.host_wide();
    let own = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tx.tenant().0)).one(house).await?;
    own.ok_or_else(|| AppError::not_found("company"))
}

async fn store(tx: &TenantTx, company: &Company) -> Result<(), DbError> {
    let house = tx.host_wide();
    house
        .update_many::<tenant::Entity>()
        .col_expr(tenant::Column::Name, Expr::value(company.name.as_str()))
        .col_expr(tenant::Column::ReportingCurrency, Expr::value(company.reporting_currency.to_string()))
        .col_expr(tenant::Column::TimeZone, Expr::value(company.time_zone.as_str()))
        .col_expr(tenant::Column::WeekStart, Expr::value(company.week_start))
        .filter(tenant::Column::Id.eq(tx.tenant().0))
        .exec(house)
        .await?;
    Ok(())
}

fn told(row: &tenant::Model) -> Value {
    json!({
        "reporting_currency": row.reporting_currency,
        "time_zone": row.time_zone,
        "week_start": row.week_start,
    })
}
