//! The money of an order: what its payments did to the providers' balances, and the payouts it went out with.

use std::collections::{BTreeMap, BTreeSet};

use portolan_commerce::cash::{CashTotals, totals};
use portolan_core::Currency;
use portolan_db::TenantTx;
use portolan_db::entity::document;
use uuid::Uuid;

use crate::finance::links::{self, PaymentId, PaymentRecord, PaymentsOfOrder};
use crate::syncs::queries::connection_labels;
use crate::web::error::AppResult;

/// An order's payments, and what is needed to show them.
pub struct OrderMoney {
    pub payments: PaymentsOfOrder,
    /// Documents of the payouts that the entries name.
    pub payouts: BTreeMap<PaymentId, Uuid>,
    /// Labels of connections.
    pub labels: BTreeMap<Uuid, String>,
}

impl OrderMoney {
    pub async fn load(tx: &TenantTx, order: &document::Model) -> AppResult<Self> {
        let payments = links::payments_of_order(tx, order).await?;
        let payouts = links::payouts_by_key(tx, &payout_keys(&payments)).await?;
        Ok(Self { payments, payouts, labels: connection_labels(tx).await? })
    }

    /// What the linked payments did to the balances; unlike currencies stay apart.
    pub fn totals(&self) -> BTreeMap<Currency, CashTotals> {
        totals(self.payments.linked.iter().flat_map(|(payment, _)| &payment.entries))
    }

    pub fn label(&self, connection: Uuid) -> &str {
        self.labels.get(&connection).map_or("", String::as_str)
    }

    /// The document of the payout that an entry went out with.
    pub fn payout(&self, payment: &PaymentRecord, key: &str) -> Option<Uuid> {
        self.payouts.get(&(payment.connection, key.to_owned())).copied()
    }
}

fn payout_keys(payments: &PaymentsOfOrder) -> BTreeSet<PaymentId> {
    let keys = payments.linked.iter().flat_map(|(payment, _)| {
        let named = payment.entries.iter().filter_map(|entry| entry.payout_key.clone());
        named.map(|key| (payment.connection, key))
    });
    keys.collect()
}
