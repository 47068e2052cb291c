//! How a company looks, on every page of its own: name, logo, colours; and whom its mails name.

pub mod colours;

use portolan_admin_ui::parts::Brand;
use portolan_core::TenantId;
use portolan_db::entity::tenant_branding::{Column, Entity};
use portolan_db::{DbError, TenantTx};
use sea_orm::QuerySelect;

use self::colours::{Accent, style_address};
use crate::App;
use crate::web::error::AppResult;

/// Where the logo of a company with this content is.
pub fn logo_address(tenant: TenantId, hash: &str) -> String {
    format!("/brand/logos/{tenant}/{hash}")
}

/// The brand of a company, without the bytes of its logo.
pub async fn brand_of(app: &App, tenant: TenantId) -> AppResult<Brand> {
    type Row = (Option<String>, Option<String>, Option<String>);
    let tx = app.db.read(tenant).await?;
    let columns = tx.find::<Entity>().select_only().columns([Column::Name, Column::Accent, Column::LogoHash]);
    let row: Option<Row> = columns.into_tuple().one(&tx).await.map_err(DbError::from)?;
    let Some((name, accent, logo)) = row else { return Ok(Brand::default()) };
    Ok(Brand {
        name,
        logo: logo.map(|hash| logo_address(tenant, &hash)),
        style: accent.and_then(|accent| accent.parse::<Accent>().ok()).map(style_address),
    })
}

/// The name that this company's mails come from, where it has said one.
pub async fn mail_sender_of(tx: &TenantTx) -> Result<Option<String>, DbError> {
    let named: Option<Option<String>> =
        tx.find::<Entity>().select_only().column(Column::MailSender).into_tuple().one(tx).await?;
    Ok(named.flatten())
}
