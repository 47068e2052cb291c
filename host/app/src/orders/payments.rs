//! The money of an order: what its payments did to the providers' balances, and the payouts it went out with.

use std::collections::{BTreeMap, BTreeSet};

use portolan_analytics::Visibility;
use portolan_commerce::cash::{CashTotals, totals};
use portolan_core::Currency;
use portolan_db::TenantTx;
use portolan_db::entity::document;
use uuid::Uuid;

use crate::channels::seen::{check_cash_is_open, seen_among, seen_connections, sees_entry};
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
    /// Without the payments and other orders that whoever looks does not see.
    pub async fn load(tx: &TenantTx, seen: &Visibility, order: &document::Model) -> AppResult<Self> {
        check_cash_is_open(seen)?;
        let mut payments = links::payments_of_order(tx, order).await?;
        let connections = seen_connections(tx, seen).await?;
        let shown = |payment: &PaymentRecord| {
            let mut entries = payment.entries.iter();
            entries.all(|entry| sees_entry(seen, connections.as_ref(), payment.connection, entry))
        };
        payments.linked.retain(|(payment, _)| shown(payment));
        payments.ambiguous.retain(|(payment, _)| shown(payment));
        let others = payments.ambiguous.iter().flat_map(|(_, others)| others).map(|other| other.id);
        let others_seen = seen_among(tx, seen, others).await?;
        for (_, others) in &mut payments.ambiguous {
            others.retain(|other| others_seen.contains(&other.id));
        }
        let payouts = links::payouts_by_key(tx, &payout_keys(&payments)).await?;
        Ok(Self { payments, payouts, labels: connection_labels(tx, seen).await? })
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
