//! What happened to an order: agreements and their sales, refunds, transactions.

use serde_json::{Value, json};

use super::gid;
use super::order::OrderWriter;
use crate::time::instant_text;
use crate::world::{
    Agreement, AgreementKind, LineKind, Refund, RefundLine, Sale, SaleAction, SaleKind, Transaction,
    tax_share,
};

pub fn agreements(writer: &OrderWriter<'_>) -> Vec<Value> {
    writer.order.agreements.iter().map(|one| agreement(writer, one)).collect()
}

fn agreement(writer: &OrderWriter<'_>, agreement: &Agreement) -> Value {
    let (typename, reason) = match agreement.kind {
        AgreementKind::Order => ("OrderAgreement", "ORDER"),
        AgreementKind::Edit => ("OrderEditAgreement", "ORDER_EDIT"),
        AgreementKind::Refund(_) => ("RefundAgreement", "REFUND"),
    };
    let mut value = json!({
        "__typename": typename,
        "id": gid("SalesAgreement", agreement.id),
        "happenedAt": instant_text(agreement.at),
        "reason": reason,
        "sales": agreement.sales.iter().map(|one| sale(writer, one)).collect::<Vec<_>>(),
    });
    if let AgreementKind::Refund(index) = agreement.kind {
        value["refund"] = json!({ "id": gid("Refund", writer.order.refunds[index].id) });
    }
    value
}

fn sale(writer: &OrderWriter<'_>, sale: &Sale) -> Value {
    let (cash, profile) = (&writer.cash, &writer.shop.profile);
    let line_kind = match sale.kind {
        SaleKind::Line(index) => Some(writer.order.lines[index].kind),
        _ => None,
    };
    let (typename, line_type) = match (sale.kind, line_kind) {
        (_, Some(LineKind::Goods)) => ("ProductSale", "PRODUCT"),
        (_, Some(LineKind::GiftCard)) => ("GiftCardSale", "GIFT_CARD"),
        (_, Some(LineKind::Tip)) => ("TipSale", "TIP"),
        (SaleKind::Shipping, _) => ("ShippingLineSale", "SHIPPING"),
        (SaleKind::Duty, _) => ("DutySale", "DUTY"),
        _ => ("AdjustmentSale", "ADJUSTMENT"),
    };
    let taxed =
        sale.tax_minor != 0 || matches!(line_kind, Some(LineKind::Goods)) || sale.kind == SaleKind::Shipping;
    let rate = if taxed { profile.tax_basis_points } else { 0 };
    let included = profile.taxes_included;
    let (before, after) = if included {
        (sale.discount_minor - sale.discount_tax_minor, sale.discount_minor)
    } else {
        (sale.discount_minor, sale.discount_minor + tax_share(sale.discount_minor, rate, false))
    };
    let total = sale.gross_minor - sale.discount_minor + if included { 0 } else { sale.tax_minor };
    let taxes = writer.part("taxes", || {
        let lines = writer.taxes(sale.tax_minor).into_iter().enumerate();
        let tax = |(index, line): (usize, Value)| {
            json!({ "id": gid("SaleTax", sale.id * 8 + index as u64), "amount": line["priceSet"], "taxLine": line })
        };
        lines.map(tax).collect()
    });
    let mut value = json!({
        "__typename": typename,
        "id": gid("Sale", sale.id),
        "lineType": line_type,
        "actionType": match sale.action {
            SaleAction::Order => "ORDER",
            SaleAction::Update => "UPDATE",
            SaleAction::Return => "RETURN",
        },
        "quantity": sale.quantity,
        "totalAmount": cash.bag(total),
        "totalTaxAmount": cash.bag(sale.tax_minor),
        "totalDiscountAmountBeforeTaxes": cash.bag(before),
        "totalDiscountAmountAfterTaxes": cash.bag(after),
        "taxes": taxes,
    });
    match sale.kind {
        SaleKind::Line(index) => value["lineItem"] = line_reference(writer, index),
        SaleKind::Shipping => {
            let shipping = || writer.order.shipping.as_ref().map(|one| writer.shipping(one)).into();
            value["shippingLine"] = writer.part("shippingLine", shipping);
        }
        SaleKind::Duty => value["duty"] = writer.part("duty", || writer.duty()),
        SaleKind::Adjustment => {}
    }
    value
}

/// The part of a `LineItem` that sales and refunds are asked for.
fn line_reference(writer: &OrderWriter<'_>, index: usize) -> Value {
    let line = &writer.order.lines[index];
    let product = (line.kind != LineKind::Tip)
        .then(|| json!({ "id": gid("Product", writer.shop.products[line.product].id) }));
    json!({ "id": gid("LineItem", line.id), "product": product, "isGiftCard": line.kind == LineKind::GiftCard })
}

pub fn refunds(writer: &OrderWriter<'_>) -> Vec<Value> {
    writer.order.refunds.iter().map(|one| refund(writer, one)).collect()
}

pub fn refund(writer: &OrderWriter<'_>, refund: &Refund) -> Value {
    let cash = &writer.cash;
    let shipping = writer.order.shipping.as_ref().filter(|_| refund.shipping_minor != 0);
    let shipping = shipping.map(|line| {
        json!({
            "id": gid("RefundShippingLine", refund.id),
            "shippingLine": writer.part("shippingLine", || writer.shipping(line)),
            "subtotalAmountSet": cash.bag(refund.shipping_minor),
            "taxAmountSet": cash.bag(refund.shipping_tax_minor),
        })
    });
    // Shopify signs a discrepancy as the seller sees it: money that left beyond the lines is negative.
    let adjustment = (refund.adjustment_minor != 0).then(|| {
        json!({
            "id": gid("OrderAdjustment", refund.id),
            "amountSet": cash.bag(-refund.adjustment_minor),
            "taxAmountSet": cash.bag(0),
            "reason": "REFUND_DISCREPANCY",
        })
    });
    let duties = (refund.duty_minor != 0)
        .then(|| vec![json!({ "amountSet": cash.bag(refund.duty_minor), "originalDuty": writer.duty() })]);
    json!({
        "__typename": "Refund",
        "id": gid("Refund", refund.id),
        "legacyResourceId": refund.id.to_string(),
        "createdAt": instant_text(refund.at),
        "processedAt": instant_text(refund.at),
        "updatedAt": instant_text(refund.at),
        "note": null,
        "totalRefundedSet": cash.bag(refund.total_minor),
        "duties": duties,
        "refundLineItems": refund.lines.iter().map(|one| refund_line(writer, one)).collect::<Vec<_>>(),
        "refundShippingLines": shipping.into_iter().collect::<Vec<_>>(),
        "orderAdjustments": adjustment.into_iter().collect::<Vec<_>>(),
    })
}

fn refund_line(writer: &OrderWriter<'_>, line: &RefundLine) -> Value {
    json!({
        "id": gid("RefundLineItem", line.id),
        "lineItem": line_reference(writer, line.line),
        "quantity": line.quantity,
        "restockType": line.restock,
        "restocked": line.restock != "NO_RESTOCK",
        "subtotalSet": writer.cash.bag(line.subtotal_minor),
        "totalTaxSet": writer.cash.bag(line.tax_minor),
    })
}

pub fn transactions(writer: &OrderWriter<'_>) -> Vec<Value> {
    writer.order.transactions.iter().map(|one| transaction(writer, one)).collect()
}

fn transaction(writer: &OrderWriter<'_>, transaction: &Transaction) -> Value {
    json!({
        "__typename": "OrderTransaction",
        "id": gid("OrderTransaction", transaction.id),
        "kind": transaction.kind,
        "status": transaction.status,
        "gateway": transaction.gateway,
        "formattedGateway": transaction.gateway,
        "createdAt": instant_text(transaction.at),
        "processedAt": instant_text(transaction.at),
        "amountSet": writer.cash.bag(transaction.amount_minor),
        "paymentId": format!("pay_{}", transaction.id),
        "parentTransaction": transaction.parent.map(|id| json!({ "id": gid("OrderTransaction", id) })),
        "test": writer.order.test,
    })
}
