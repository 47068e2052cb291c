//! The verbs about policies: each in one transaction, by somebody, in their tenant.

use portolan_access::Rights;
use portolan_access::audit::Who;
use portolan_access::data_policies::{
    Attributes, DataPolicyError, DataPolicyKind, Restrictions, restrictions_of, set_attributes,
};
use portolan_analytics::Visibility;
use portolan_analytics::policy::{ColumnPolicy, PolicyFault, RowPolicy, check_attribute_name};
use portolan_core::{TenantId, UserId};
use portolan_db::{TenantTx, Work};
use serde_json::Value;

use crate::App;
use crate::people::ops::sentence;
use crate::web::error::{AppError, AppResult};
use crate::web::seen::visibility;

/// Longest text of an attribute.
const LONGEST_ITEM_CHARS: usize = 500;

/// What a policy keeps: rows or columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Rows(RowPolicy),
    Columns(ColumnPolicy),
}

impl Kept {
    /// As it is stored; fails where it would not do what it says.
    pub fn checked(&self) -> AppResult<(DataPolicyKind, Value)> {
        let (kind, body) = match self {
            Self::Rows(policy) => {
                policy.check().map_err(|fault| fault_at("rows", &fault))?;
                (DataPolicyKind::Rows, serde_json::to_value(policy))
            }
            Self::Columns(policy) => {
                policy.check().map_err(|fault| fault_at("columns", &fault))?;
                (DataPolicyKind::Columns, serde_json::to_value(policy))
            }
        };
        Ok((kind, body.map_err(AppError::internal)?))
    }
}

fn fault_at(field: &str, fault: &PolicyFault) -> AppError {
    AppError::invalid(&format!("{field}/{}", fault.path), fault.message.clone())
}

/// Does one change of what is kept from whom.
pub async fn change<T: Send + 'static>(
    app: &App,
    tenant: TenantId,
    work: impl for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, DataPolicyError> + Send + 'static,
) -> AppResult<T> {
    Ok(app.db.write(tenant, work).await?)
}

/// Says what is known of somebody.
pub async fn save_attributes(
    app: &App,
    tenant: TenantId,
    by: Who,
    of: UserId,
    attributes: Attributes,
) -> AppResult<()> {
    for (name, items) in &attributes {
        check_attribute_name(name).map_err(|message| AppError::invalid("attributes", message))?;
        let bad = |item: &&String| {
            let length = item.chars().count();
            length == 0 || length > LONGEST_ITEM_CHARS || item.chars().any(char::is_control)
        };
        if items.iter().any(|item| bad(&item)) {
            let message = format!("A value of an attribute has 1 to {LONGEST_ITEM_CHARS} characters.");
            return Err(AppError::invalid(&format!("attributes/{name}"), message));
        }
    }
    let now = app.clock.now();
    change(app, tenant, move |tx| {
        Box::pin(async move { set_attributes(tx, &by, of, &attributes, now).await })
    })
    .await
}

/// What somebody sees, with the policies that make it so.
pub async fn what_sees(tx: &TenantTx, user: UserId) -> AppResult<(Visibility, Restrictions)> {
    let restrictions = restrictions_of(tx, user).await?;
    let allowed = Rights::load(tx).await?.allowed(user);
    Ok((visibility(&restrictions, |permission| allowed.contains(&permission)), restrictions))
}

impl From<DataPolicyError> for AppError {
    fn from(error: DataPolicyError) -> Self {
        let said = sentence(&error.to_string());
        match error {
            DataPolicyError::Database(error) => error.into(),
            DataPolicyError::Unknown => Self::not_found("policy"),
            DataPolicyError::NotMember => Self::not_found("person"),
            DataPolicyError::OwnersOnly => Self::refused(said),
            DataPolicyError::NameTaken(_) | DataPolicyError::TooMany | DataPolicyError::OtherKind => {
                Self::conflict(said)
            }
            DataPolicyError::Name => Self::invalid("name", said),
            DataPolicyError::Owner | DataPolicyError::NoSubject(_) | DataPolicyError::TooManySubjects => {
                Self::invalid("applies_to", said)
            }
            DataPolicyError::TooManyAttributes => Self::invalid("attributes", said),
        }
    }
}
