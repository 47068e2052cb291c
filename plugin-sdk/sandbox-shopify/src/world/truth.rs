//! The totals that the world expects of anyone who reads it: computed from the world itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{AgreementKind, LineKind, Order, SaleAction, SaleKind, Shop};
use crate::time::local_month;

/// One month of one shop in its own currency. Amounts exclude tax; test orders are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MonthTruth {
    /// Goods sold and added by edits, less their discounts and less everything taken back, refund
    /// discrepancies among it: by the date on which it happened. Exact.
    pub net_sales_minor: i64,
    /// Goods of all movements that take nothing back, before discounts.
    pub gross_sales_minor: i64,
    /// Where prices include tax, the tax inside a line's discounts is rounded once for the line, and
    /// its sales' shares add up to it: `totalDiscountAmountBeforeTaxes`.
    pub discounts_minor: i64,
    /// Goods taken back by refunds, cancellations and edits (positive), after their discounts, and
    /// refund discrepancies.
    pub returns_minor: i64,
    pub shipping_minor: i64,
    pub taxes_minor: i64,
    pub tips_minor: i64,
    pub duties_minor: i64,
    pub gift_cards_minor: i64,
    /// What was refunded beyond (positive) or below (negative) the lines.
    pub refund_discrepancy_minor: i64,
    /// Orders placed in the month: not test, not cancelled, with goods still on them after edits.
    pub orders: u64,
    pub units_ordered: i64,
    /// Units of goods, signed, by the date on which they moved.
    pub units_net: i64,
}

/// What is true of one shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    pub shop: String,
    pub currency: String,
    /// Digits of the minor unit.
    pub exponent: u32,
    pub time_zone: String,
    /// By month of the shop's own calendar, `2026-06`.
    pub months: BTreeMap<String, MonthTruth>,
    pub order_documents: u64,
    pub test_orders: u64,
    pub cancelled_orders: u64,
    pub refund_documents: u64,
    pub transaction_documents: u64,
    pub products: u64,
    pub variants: u64,
    pub customers: u64,
    pub locations: u64,
    /// Variants times the locations where they lie.
    pub inventory_levels: u64,
    pub units_on_hand: i64,
    /// Less what is promised.
    pub units_available: i64,
    pub units_incoming: i64,
    /// Checkouts that were left, finished later or not.
    pub checkouts: u64,
    /// Those that were finished later.
    pub recovered_checkouts: u64,
    /// What was in those that were not.
    pub abandoned_minor: i64,
}

impl Shop {
    /// Adds the world up.
    pub fn truth(&self) -> Truth {
        let mut months = BTreeMap::<String, MonthTruth>::new();
        let (mut test_orders, mut cancelled_orders) = (0, 0);
        let (mut refund_documents, mut transaction_documents) = (0, 0);
        for order in self.each_order() {
            test_orders += u64::from(order.test);
            cancelled_orders += u64::from(order.cancelled.is_some());
            refund_documents += order.refunds.len() as u64;
            transaction_documents += order.transactions.len() as u64;
            if !order.test {
                self.add(&order, &mut months);
            }
        }
        Truth {
            shop: self.profile.name.to_owned(),
            currency: self.profile.currency.to_owned(),
            exponent: self.profile.exponent,
            time_zone: self.profile.zone.name().to_owned(),
            months,
            order_documents: self.order_count() as u64,
            test_orders,
            cancelled_orders,
            refund_documents,
            transaction_documents,
            products: self.products.len() as u64,
            variants: self.products.iter().map(|product| product.variants.len() as u64).sum(),
            customers: self.customers.len() as u64,
            locations: self.locations.len() as u64,
            inventory_levels: self.levels.len() as u64,
            units_on_hand: self.levels.iter().map(|level| level.on_hand).sum(),
            units_available: self.levels.iter().map(|level| level.available).sum(),
            units_incoming: self.levels.iter().map(|level| level.incoming).sum(),
            checkouts: self.checkouts.len() as u64,
            recovered_checkouts: self.checkouts.iter().filter(|one| one.completed_at.is_some()).count()
                as u64,
            abandoned_minor: self
                .checkouts
                .iter()
                .filter(|one| one.completed_at.is_none())
                .map(|one| one.total_minor)
                .sum(),
        }
    }

    fn add(&self, order: &Order, months: &mut BTreeMap<String, MonthTruth>) {
        let mut standing_units = 0;
        for agreement in &order.agreements {
            let month = months.entry(local_month(self.profile.zone, agreement.at)).or_default();
            for sale in &agreement.sales {
                let included_tax = if self.profile.taxes_included { sale.tax_minor } else { 0 };
                let net_minor = sale.gross_minor - sale.discount_minor - included_tax;
                month.taxes_minor += sale.tax_minor;
                let line_kind = match sale.kind {
                    SaleKind::Line(index) => Some(order.lines[index].kind),
                    _ => None,
                };
                match (sale.kind, line_kind) {
                    (_, Some(LineKind::Goods)) => {
                        let quantity = sale.quantity.unwrap_or(0);
                        month.net_sales_minor += net_minor;
                        month.units_net += quantity;
                        if sale.action == SaleAction::Return {
                            month.returns_minor -= net_minor;
                        } else {
                            let discount_minor = sale.discount_minor - sale.discount_tax_minor;
                            month.discounts_minor += discount_minor;
                            month.gross_sales_minor += net_minor + discount_minor;
                            month.units_ordered += quantity;
                        }
                        if !matches!(agreement.kind, AgreementKind::Refund(_)) {
                            standing_units += quantity;
                        }
                    }
                    (_, Some(LineKind::GiftCard)) => month.gift_cards_minor += net_minor,
                    (_, Some(LineKind::Tip)) => month.tips_minor += net_minor,
                    (SaleKind::Shipping, _) => month.shipping_minor += net_minor,
                    (SaleKind::Duty, _) => month.duties_minor += net_minor,
                    _ => {
                        month.net_sales_minor += net_minor;
                        month.returns_minor -= net_minor;
                        month.refund_discrepancy_minor -= net_minor;
                    }
                }
            }
        }
        if order.cancelled.is_none() && standing_units > 0 {
            months.entry(local_month(self.profile.zone, order.created_at)).or_default().orders += 1;
        }
    }
}
