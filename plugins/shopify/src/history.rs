//! What happened to an order: agreements and their sales, refunds, transactions.

use portolan_sdk::commerce;
use portolan_sdk::{BadRecord, Decimal, Moment};

use crate::orders::{Context, moment, owned_unless_empty, sum, word};
use crate::shape::{Refund, RefundLine, Sale, Transaction, key};

/// The order's own history.
pub fn agreements(context: &Context<'_>) -> Result<Vec<commerce::Agreement>, BadRecord> {
    let map = |agreement: &crate::shape::Agreement<'_>| {
        Ok(commerce::Agreement {
            key: key(&agreement.id),
            happened_at: moment(&agreement.happened_at, "agreements/happenedAt")?,
            reason: match agreement.reason.as_str() {
                "ORDER_EDIT" => "edit".to_owned(),
                reason => reason.to_ascii_lowercase(),
            },
            location: None,
            staff: None,
            sales: agreement.sales.nodes.iter().map(|one| sale(context, one)).collect::<Result<_, _>>()?,
        })
    };
    context.order.agreements.nodes.iter().map(map).collect()
}

/// A sale in the order's price basis: `gross` − `discount` is what was charged, with tax inside where
/// prices include it and without it where not.
fn sale(context: &Context<'_>, sale: &Sale<'_>) -> Result<commerce::Sale, BadRecord> {
    let total = context.minor(&sale.total_amount, "agreements/sales/totalAmount")?;
    let tax = context.minor(&sale.total_tax_amount, "agreements/sales/totalTaxAmount")?;
    let (charged, discount) = if context.order.taxes_included {
        (total, &sale.total_discount_amount_after_taxes)
    } else {
        (sum([total, -tax])?, &sale.total_discount_amount_before_taxes)
    };
    let discount = context.minor(discount, "agreements/sales/totalDiscountAmount")?;
    let untaxed =
        context.minor(&sale.total_discount_amount_before_taxes, "agreements/sales/totalDiscountAmount")?;
    let discount_tax = context.order.taxes_included.then(|| sum([discount, -untaxed])).transpose()?;
    let presentment = context.cash.presentment(&sale.total_amount, "agreements/sales/totalAmount")?;
    let gross = sum([charged, discount])?;
    // What is taken back is negative, whether it is written so or not.
    let taken_back = &*sale.action_type == "RETURN";
    let sign = if taken_back && charged > 0 { -1 } else { 1 };
    let quantity = sale.quantity.map(|quantity| if taken_back { -quantity.abs() } else { quantity });
    let line_kind = sale.line_type.to_ascii_lowercase().replace('_', "-");
    let line = sale.line_item.as_ref().filter(|_| line_kind != "tip").map(|line| line.key());
    Ok(commerce::Sale {
        line,
        action: sale.action_type.to_ascii_lowercase(),
        line_kind,
        quantity: quantity.map(Decimal::whole),
        gross: gross * sign,
        discount: discount * sign,
        discount_tax: discount_tax.map(|tax| tax * sign),
        tax: tax * sign,
        presentment: presentment.map(|amount| amount * sign),
    })
}

impl Context<'_> {
    pub fn refund(&self, refund: &Refund<'_>) -> Result<commerce::Refund, BadRecord> {
        let order = self.order;
        let at = refund.processed_at.as_ref().or(refund.created_at.as_ref()).or(refund.updated_at.as_ref());
        let at = at.ok_or_else(|| BadRecord::at("refunds/processedAt", "the refund has no date"))?;
        let at = moment(at, "refunds/processedAt")?;
        let updated_at =
            refund.updated_at.as_deref().map(|at| moment(at, "refunds/updatedAt")).transpose()?;
        let (mut lines, mut tip, mut tax) = (Vec::new(), 0, 0);
        for line in &refund.refund_line_items.nodes {
            let mapped = self.refund_line(line)?;
            tax = sum([tax, mapped.tax])?;
            if self.tips.contains(line.line_item.id.as_str()) {
                tip = sum([tip, mapped.amount])?;
            } else {
                lines.push(mapped);
            }
        }
        let (mut shipping, mut shipping_tax, mut duty) = (0, 0, 0);
        for line in &refund.refund_shipping_lines.nodes {
            let amount =
                self.minor(&line.subtotal_amount_set, "refunds/refundShippingLines/subtotalAmountSet")?;
            let path = "refunds/refundShippingLines/taxAmountSet";
            shipping = sum([shipping, amount])?;
            shipping_tax = sum([shipping_tax, self.cash.minor_of(line.tax_amount_set.as_ref(), path)?])?;
        }
        for one in refund.duties.iter().flatten() {
            duty = sum([duty, self.minor(&one.amount_set, "refunds/duties/amountSet")?])?;
        }
        let total = self.minor(&refund.total_refunded_set, "refunds/totalRefundedSet")?;
        let on_top = if order.taxes_included { 0 } else { sum([tax, shipping_tax])? };
        let goods = sum(lines.iter().map(|line| line.amount))?;
        let (country, _) = self.place();
        Ok(commerce::Refund {
            order: Some(self.key.clone()),
            order_placed_at: Some(self.placed_at),
            customer: order.customer.as_ref().map(|customer| customer.key()),
            country,
            store: Some(self.store.to_owned()),
            total,
            tax,
            shipping,
            shipping_tax,
            duty,
            tip,
            adjustment: sum([total, -goods, -shipping, -duty, -tip, -on_top])?,
            lines,
            ..commerce::Refund::new(
                self.src,
                key(&refund.id),
                updated_at.unwrap_or(at),
                at,
                self.cash.shop.clone(),
            )
        })
    }

    fn refund_line(&self, line: &RefundLine<'_>) -> Result<commerce::RefundLine, BadRecord> {
        let amount = self.minor(&line.subtotal_set, "refunds/refundLineItems/subtotalSet")?;
        let tax = self.cash.minor_of(line.total_tax_set.as_ref(), "refunds/refundLineItems/totalTaxSet")?;
        Ok(commerce::RefundLine {
            product: line.line_item.product.as_ref().map(|product| product.key()),
            tax,
            restock: word(line.restock_type.as_deref()),
            ..commerce::RefundLine::new(key(&line.line_item.id), Decimal::whole(line.quantity), amount)
        })
    }

    pub fn transaction(&self, transaction: &Transaction<'_>) -> Result<commerce::Transaction, BadRecord> {
        let at = transaction.processed_at.as_ref().or(transaction.created_at.as_ref());
        let at = match at {
            Some(at) => moment(at, "transactions/processedAt")?,
            None => self.placed_at,
        };
        let kind = match transaction.kind.as_str() {
            "EMV_AUTHORIZATION" => "authorization".to_owned(),
            kind => kind.to_ascii_lowercase(),
        };
        let state = match transaction.status.as_str() {
            "SUCCESS" => "succeeded",
            "FAILURE" | "ERROR" => "failed",
            "PENDING" | "AWAITING_RESPONSE" => "pending",
            _ => "unknown",
        };
        Ok(commerce::Transaction {
            src: self.src,
            key: key(&transaction.id),
            // A transaction has no update time of its own: its order's is the nearest.
            updated_at: latest(at, self.updated_at),
            order: Some(self.key.clone()),
            parent: transaction.parent_transaction.as_ref().map(|parent| parent.key()),
            kind,
            state: state.to_owned(),
            at,
            gateway: transaction.gateway.as_deref().unwrap_or("unknown").to_owned(),
            provider_reference: owned_unless_empty(&transaction.payment_id),
            currency: self.cash.shop.clone(),
            amount: self.minor(&transaction.amount_set, "transactions/amountSet")?,
            test: transaction.test,
        })
    }
}

fn latest(one: Moment, other: Moment) -> Moment {
    match (one, other) {
        (Moment::At(left), Moment::At(right)) => Moment::At(left.max(right)),
        _ => other,
    }
}
