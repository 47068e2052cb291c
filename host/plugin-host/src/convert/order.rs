//! Orders, refunds, fulfilments.

use portolan_commerce::document::{
    Agreement, Allocation, Document, Fulfilment, FulfilmentLine, Order, OrderLine, Refund, RefundLine, Sale,
    TaxLine,
};

use super::{BadDocument, Check, Converted};
use crate::bindings::portolan::plugin::commerce as wit;

pub fn order(check: &mut Check, order: wit::Order) -> Converted {
    check.begin("order", &order.key);
    check.spend(size_of::<Order>())?;
    check.items("also", &order.also)?;
    check.items("lines", &order.lines)?;
    check.items("agreements", &order.agreements)?;
    let records = std::iter::once(order.src).chain(order.also.iter().copied()).collect();
    let order = Order {
        src: order.src,
        also: order.also,
        key: check.key("key", order.key)?,
        updated_at: check.moment("updated-at", order.updated_at)?,
        deleted: order.deleted,
        test: order.test,
        number: check.words("number", order.number)?,
        placed_at: check.moment("placed-at", order.placed_at)?,
        cancelled_at: check.moments("cancelled-at", order.cancelled_at)?,
        cancel_reason: check.texts("cancel-reason", order.cancel_reason)?,
        channel: check.words("channel", order.channel)?,
        store: check.keys("store", order.store)?,
        location: check.keys("location", order.location)?,
        staff: check.keys("staff", order.staff)?,
        state: check.word("state", order.state)?,
        payment_state: check.word("payment-state", order.payment_state)?,
        fulfilment_state: check.word("fulfilment-state", order.fulfilment_state)?,
        customer: check.keys("customer", order.customer)?,
        country: check.words("country", order.country)?,
        region: check.words("region", order.region)?,
        currency: check.currency("currency", &order.currency)?,
        presentment_currency: check.currencies("presentment-currency", order.presentment_currency)?,
        gross_minor: order.gross,
        discount_minor: order.discount,
        shipping_minor: order.shipping,
        tax_minor: order.tax,
        tip_minor: order.tip,
        duty_minor: order.duty,
        total_minor: order.total,
        tax_included: order.tax_included,
        lines: order.lines.into_iter().map(|line| order_line(check, line)).collect::<Result<_, _>>()?,
        shipping_taxes: taxes(check, order.shipping_taxes)?,
        agreements: order
            .agreements
            .into_iter()
            .map(|item| agreement(check, item))
            .collect::<Result<_, _>>()?,
        attributes: check.pairs("attributes", order.attributes)?,
    };
    Ok((Document::Order(Box::new(order)), records))
}

fn order_line(check: &mut Check, line: wit::OrderLine) -> Result<OrderLine, BadDocument> {
    check.spend(160)?;
    Ok(OrderLine {
        key: check.key("line key", line.key)?,
        product: check.keys("line product", line.product)?,
        variant: check.keys("line variant", line.variant)?,
        sku: check.words("line sku", line.sku)?,
        title: check.text("line title", line.title)?,
        quantity: check.decimal("line quantity", line.quantity)?,
        unit_price: check.decimals("line unit-price", line.unit_price)?,
        gross_minor: line.gross,
        discount_minor: line.discount,
        tax_minor: line.tax,
        cost_minor: line.cost,
        gift_card: line.gift_card,
        allocations: allocations(check, line.allocations)?,
        taxes: taxes(check, line.taxes)?,
    })
}

fn allocations(check: &mut Check, allocations: Vec<wit::Allocation>) -> Result<Vec<Allocation>, BadDocument> {
    check.items("allocations", &allocations)?;
    allocations
        .into_iter()
        .map(|allocation| {
            Ok(Allocation {
                code: check.words("allocation code", allocation.code)?,
                kind: check.word("allocation kind", allocation.kind)?,
                amount_minor: allocation.amount,
            })
        })
        .collect()
}

fn taxes(check: &mut Check, taxes: Vec<wit::TaxLine>) -> Result<Vec<TaxLine>, BadDocument> {
    check.items("taxes", &taxes)?;
    taxes
        .into_iter()
        .map(|tax| {
            Ok(TaxLine {
                kind: check.word("tax kind", tax.kind)?,
                jurisdiction: check.word("tax jurisdiction", tax.jurisdiction)?,
                rate: check.decimals("tax rate", tax.rate)?,
                amount_minor: tax.amount,
                collector: check.word("tax collector", tax.collector)?,
            })
        })
        .collect()
}

fn agreement(check: &mut Check, agreement: wit::Agreement) -> Result<Agreement, BadDocument> {
    check.items("agreement sales", &agreement.sales)?;
    Ok(Agreement {
        key: check.key("agreement key", agreement.key)?,
        happened_at: check.moment("agreement happened-at", agreement.happened_at)?,
        reason: check.text("agreement reason", agreement.reason)?,
        location: check.keys("agreement location", agreement.location)?,
        staff: check.keys("agreement staff", agreement.staff)?,
        sales: agreement
            .sales
            .into_iter()
            .map(|sale| {
                Ok(Sale {
                    line: check.keys("sale line", sale.line)?,
                    action: check.word("sale action", sale.action)?,
                    line_kind: check.word("sale line-kind", sale.line_kind)?,
                    quantity: check.decimals("sale quantity", sale.quantity)?,
                    gross_minor: sale.gross,
                    discount_minor: sale.discount,
                    discount_tax_minor: sale.discount_tax,
                    tax_minor: sale.tax,
                    presentment_minor: sale.presentment,
                })
            })
            .collect::<Result<_, _>>()?,
    })
}

pub fn refund(check: &mut Check, refund: wit::Refund) -> Converted {
    check.begin("refund", &refund.key);
    check.spend(size_of::<Refund>())?;
    check.items("also", &refund.also)?;
    check.items("lines", &refund.lines)?;
    let records = std::iter::once(refund.src).chain(refund.also.iter().copied()).collect();
    let refund = Refund {
        src: refund.src,
        also: refund.also,
        key: check.key("key", refund.key)?,
        updated_at: check.moment("updated-at", refund.updated_at)?,
        deleted: refund.deleted,
        order: check.keys("order", refund.order)?,
        order_placed_at: check.moments("order-placed-at", refund.order_placed_at)?,
        at: check.moment("at", refund.at)?,
        state: check.word("state", refund.state)?,
        customer: check.keys("customer", refund.customer)?,
        country: check.words("country", refund.country)?,
        store: check.keys("store", refund.store)?,
        currency: check.currency("currency", &refund.currency)?,
        total_minor: refund.total,
        tax_minor: refund.tax,
        shipping_minor: refund.shipping,
        shipping_tax_minor: refund.shipping_tax,
        duty_minor: refund.duty,
        tip_minor: refund.tip,
        adjustment_minor: refund.adjustment,
        reason: check.texts("reason", refund.reason)?,
        lines: refund
            .lines
            .into_iter()
            .map(|line| {
                Ok(RefundLine {
                    line: check.word("line", line.line)?,
                    product: check.keys("line product", line.product)?,
                    quantity: check.decimal("line quantity", line.quantity)?,
                    amount_minor: line.amount,
                    tax_minor: line.tax,
                    restock: check.word("line restock", line.restock)?,
                })
            })
            .collect::<Result<_, _>>()?,
    };
    Ok((Document::Refund(Box::new(refund)), records))
}

pub fn fulfilment(check: &mut Check, fulfilment: wit::Fulfilment) -> Converted {
    check.begin("fulfilment", &fulfilment.key);
    check.items("lines", &fulfilment.lines)?;
    let src = fulfilment.src;
    let fulfilment = Fulfilment {
        src,
        key: check.key("key", fulfilment.key)?,
        updated_at: check.moment("updated-at", fulfilment.updated_at)?,
        order: check.key("order", fulfilment.order)?,
        state: check.word("state", fulfilment.state)?,
        location: check.keys("location", fulfilment.location)?,
        shipped_at: check.moments("shipped-at", fulfilment.shipped_at)?,
        promised_at: check.moments("promised-at", fulfilment.promised_at)?,
        delivered_at: check.moments("delivered-at", fulfilment.delivered_at)?,
        lines: fulfilment
            .lines
            .into_iter()
            .map(|(line, quantity)| {
                Ok(FulfilmentLine {
                    line: check.key("line", line)?,
                    quantity: check.decimal("quantity", quantity)?,
                })
            })
            .collect::<Result<_, _>>()?,
    };
    Ok((Document::Fulfilment(fulfilment), vec![src]))
}
