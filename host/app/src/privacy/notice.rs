//! Telling the owners that a channel asks for customers, by mail where there is a mail server. The page tells it in any case.

use portolan_access::{SystemRole, members};
use portolan_db::entity::privacy_request::PrivacyKind;
use portolan_db::entity::tenant;
use portolan_db::{DbError, TenantTx};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::App;
use crate::mail::{Letter, is_mail_address, outbox};
use crate::web::error::AppResult;

/// Owners who are told at most: whoever has more has other ways.
const MOST_TOLD: usize = 20;

pub async fn tell_owners(app: &App, tx: &TenantTx, kind: PrivacyKind) -> AppResult<()> {
    if app.mail.is_none() {
        return Ok(());
    }
    let house = tx.host_wide();
    let own = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tx.tenant().0)).one(house).await;
    let company = own.map_err(DbError::from)?.map(|row| row.name).unwrap_or_default();
    let owner = SystemRole::Owner.as_str();
    let owners = members(tx).await?.into_iter();
    let owners = owners.filter(|person| person.roles.contains(owner) && person.ban.is_none());
    for person in owners.filter(|person| is_mail_address(&person.sign_in_name)).take(MOST_TOLD) {
        let letter = Letter::CustomersWish {
            to: person.sign_in_name,
            company: company.clone(),
            erases: kind == PrivacyKind::EraseShop,
        };
        outbox::post_for_tenant(app, tx, &letter).await?;
    }
    Ok(())
}
