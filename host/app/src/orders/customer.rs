//! Who an order's customer is at the channel: for those alone whom neither a lacking permission nor a policy keeps from
//! what is personal.

use portolan_analytics::Visibility;
use portolan_analytics::policy::ColumnGroup;
use portolan_db::TenantTx;
use serde::Serialize;
use utoipa::ToSchema;

use super::queries::OrderRecord;
use crate::App;
use crate::subjects::{self, Identity};
use crate::web::error::AppResult;

/// Who the customer is at the channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelCustomerResponse {
    /// The channel's id, as far as it is the same in all places; absent once the person was erased.
    pub id: Option<String>,
    /// RFC 3339: when the person was erased.
    pub erased_at: Option<String>,
}

impl From<Identity> for ChannelCustomerResponse {
    fn from(identity: Identity) -> Self {
        match identity {
            Identity::Known { channel_customer_id } => {
                Self { id: Some(channel_customer_id), erased_at: None }
            }
            Identity::Erased { at } => Self { id: None, erased_at: Some(at.to_rfc3339()) },
        }
    }
}

/// None where the order names no customer, where its connection keeps ids as they were sent, or where it is not for whoever
/// asks.
pub async fn channel_customer(
    app: &App,
    tx: &TenantTx,
    seen: &Visibility,
    record: &OrderRecord,
) -> AppResult<Option<Identity>> {
    if seen.of_group(ColumnGroup::Personal).is_some() {
        return Ok(None);
    }
    let Some(pseudonym) = &record.order.customer else { return Ok(None) };
    match subjects::of_pseudonym(tx, record.head.connection_id, pseudonym).await? {
        Some(subject) => Ok(Some(subjects::identity(app, tx, &subject).await?)),
        None => Ok(None),
    }
}
