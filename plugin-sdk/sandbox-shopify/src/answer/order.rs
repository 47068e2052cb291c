//! An order with its lines and shipping.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::money::Cash;
use super::{catalogue, gid, history};
use crate::time::instant_text;
use crate::world::{Discount, Line, LineKind, Order, Profile, SaleKind, Shipping, Shop};

/// Writes one order.
pub struct OrderWriter<'a> {
    pub shop: &'a Shop,
    pub order: &'a Order,
    pub cash: Cash<'a>,
    asked: &'a HashSet<&'a str>,
}

impl<'a> OrderWriter<'a> {
    /// `asked`: the names of every field that the query asks for; the dear ones are made on demand.
    pub fn new(shop: &'a Shop, order: &'a Order, asked: &'a HashSet<&'a str>) -> Self {
        Self { shop, order, cash: Cash::of_order(&shop.profile, order), asked }
    }

    /// A part where the query asks for a field of this name, else nothing.
    pub fn part(&self, name: &str, make: impl FnOnce() -> Value) -> Value {
        if self.asked.contains(name) { make() } else { Value::Null }
    }

    /// A money bag where it is asked for.
    pub fn bag(&self, name: &str, amount_minor: i64) -> Value {
        self.part(name, || self.cash.bag(amount_minor))
    }

    fn profile(&self) -> &Profile {
        &self.shop.profile
    }

    /// The whole `Order`, connections as arrays.
    pub fn write(&self) -> Value {
        let mut value = self.facts();
        let totals = self.totals();
        let parts = json!({
            "lineItems": self.part("lineItems", || self.lines().into()),
            "shippingLines": self.part("shippingLines", || self.shipping_lines().into()),
            "shippingLine": self.part("shippingLine", || self.shipping_lines().pop().into()),
            "agreements": self.part("agreements", || history::agreements(self).into()),
            "refunds": self.part("refunds", || history::refunds(self).into()),
            "transactions": self.part("transactions", || history::transactions(self).into()),
        });
        if let Some(map) = value.as_object_mut() {
            for part in [totals, parts] {
                map.extend(part.as_object().cloned().unwrap_or_default());
            }
        }
        value
    }

    fn facts(&self) -> Value {
        let order = self.order;
        let address = catalogue::address(order.country, order.province, order.id);
        let customer = order
            .customer
            .map(|index| json!({ "id": gid("Customer", self.shop.customers[index as usize].id) }));
        let codes = match order.discount {
            Some(Discount::Code(code, _)) => vec![code],
            _ => Vec::new(),
        };
        json!({
            "__typename": "Order",
            "id": gid("Order", order.id),
            "legacyResourceId": order.id.to_string(),
            "name": format!("#{}", order.number),
            "number": order.number,
            "createdAt": instant_text(order.created_at),
            "processedAt": instant_text(order.created_at),
            "updatedAt": instant_text(order.updated_at),
            "closed": order.fulfilled,
            "closedAt": order.fulfilled.then(|| instant_text(order.updated_at)),
            "cancelledAt": order.cancelled.map(|(at, _)| instant_text(at)),
            "cancelReason": order.cancelled.map(|(_, reason)| reason),
            "confirmed": true,
            "edited": order.agreements.iter().any(|one| one.kind == crate::world::AgreementKind::Edit),
            "test": order.test,
            "taxesIncluded": self.profile().taxes_included,
            "currencyCode": self.profile().currency,
            "presentmentCurrencyCode": self.cash.presentment_currency(),
            "displayFinancialStatus": self.financial_status(),
            "displayFulfillmentStatus": if order.fulfilled { "FULFILLED" } else { "UNFULFILLED" },
            "sourceName": order.source,
            "app": { "id": gid("OrderApp", 580_111), "name": order.source },
            "retailLocation": (order.source == "pos").then(|| json!({ "id": gid("Location", 1), "name": "Shop floor" })),
            "customer": customer,
            "shippingAddress": if order.source == "pos" { Value::Null } else { address.clone() },
            "billingAddress": address,
            "discountCode": codes.first(),
            "discountCodes": codes,
            "paymentGatewayNames": order.transactions.iter().map(|one| one.gateway).take(1).collect::<Vec<_>>(),
            "tags": Vec::<String>::new(),
            "customerJourneySummary": order.campaign.map(|campaign| journey(campaign, order)),
        })
    }

    fn totals(&self) -> Value {
        let order = self.order;
        let subtotal = order.lines.iter().filter(|line| line.kind != LineKind::Tip);
        let subtotal = subtotal.map(|line| line.gross_minor() - line.all_discount_minor()).sum();
        let tips = order.lines.iter().filter(|line| line.kind == LineKind::Tip).map(Line::gross_minor).sum();
        let shipping = order.shipping.as_ref();
        let shipping_tax = shipping.map_or(0, |one| one.tax_minor);
        let tax = order.lines.iter().map(|line| line.tax_minor).sum::<i64>() + shipping_tax;
        let discounts = order.lines.iter().map(Line::all_discount_minor).sum::<i64>()
            + shipping.map_or(0, |one| one.discount_minor);
        let refunded_shipping = order.refunds.iter().map(|one| one.shipping_minor).sum();
        let (current, current_tax) = self.standing(order.agreements.len());
        let (original, _) = self.standing(1);
        let received = order.paid_minor();
        let refunded = order.refunded_minor();
        json!({
            "totalPriceSet": self.bag("totalPriceSet", order.total_minor(self.profile())),
            "originalTotalPriceSet": self.bag("originalTotalPriceSet", original),
            "currentTotalPriceSet": self.bag("currentTotalPriceSet", current),
            "subtotalPriceSet": self.bag("subtotalPriceSet", subtotal),
            "totalTaxSet": self.bag("totalTaxSet", tax),
            "currentTotalTaxSet": self.bag("currentTotalTaxSet", current_tax),
            "totalDiscountsSet": self.bag("totalDiscountsSet", discounts),
            "totalShippingPriceSet": self.bag("totalShippingPriceSet", shipping.map_or(0, |one| one.price_minor)),
            "totalTipReceivedSet": self.bag("totalTipReceivedSet", tips),
            "originalTotalDutiesSet": if order.duty_minor == 0 { Value::Null } else { self.cash.bag(order.duty_minor) },
            "originalTotalAdditionalFeesSet": null,
            "totalReceivedSet": self.bag("totalReceivedSet", received),
            "totalRefundedSet": self.bag("totalRefundedSet", refunded),
            "totalRefundedShippingSet": self.bag("totalRefundedShippingSet", refunded_shipping),
            "netPaymentSet": self.bag("netPaymentSet", received - refunded),
            "totalOutstandingSet": self.bag("totalOutstandingSet", current - (received - refunded)),
        })
    }

    /// What the buyer owes, and the tax in it, after the first so many agreements.
    fn standing(&self, agreements: usize) -> (i64, i64) {
        let on_top = if self.profile().taxes_included { 0 } else { 1 };
        let sales = self.order.agreements.iter().take(agreements).flat_map(|agreement| &agreement.sales);
        let sales = sales.filter(|sale| sale.kind != SaleKind::Adjustment);
        sales.fold((0, 0), |(total, tax), sale| {
            (total + sale.gross_minor - sale.discount_minor + sale.tax_minor * on_top, tax + sale.tax_minor)
        })
    }

    fn financial_status(&self) -> &'static str {
        let (received, refunded) = (self.order.paid_minor(), self.order.refunded_minor());
        match (received, refunded) {
            (0, _) if self.order.cancelled.is_some() => "VOIDED",
            (0, _) => "PENDING",
            (_, 0) => "PAID",
            _ if refunded >= received => "REFUNDED",
            _ => "PARTIALLY_REFUNDED",
        }
    }

    fn lines(&self) -> Vec<Value> {
        (0..self.order.lines.len()).map(|index| self.line(index)).collect()
    }

    /// A `LineItem`; also what sales and refund lines point to.
    pub fn line(&self, index: usize) -> Value {
        let line = &self.order.lines[index];
        let cash = &self.cash;
        let tip = line.kind == LineKind::Tip;
        let product = &self.shop.products[line.product];
        let variant = &product.variants[line.variant];
        let net_minor = line.gross_minor() - line.all_discount_minor();
        json!({
            "__typename": "LineItem",
            "id": gid("LineItem", line.id),
            "title": if tip { "Tip" } else { &product.title },
            "name": if tip { "Tip" } else { &product.title },
            "variantTitle": if tip { Value::Null } else { json!(variant.title) },
            "sku": if tip { Value::Null } else { json!(variant.sku) },
            "vendor": if tip { Value::Null } else { json!(product.vendor) },
            "quantity": line.quantity,
            "currentQuantity": line.quantity - line.removed - line.refunded,
            "isGiftCard": line.kind == LineKind::GiftCard,
            "requiresShipping": line.kind == LineKind::Goods,
            "taxable": line.tax_minor != 0,
            "product": if tip { Value::Null } else { json!({ "id": gid("Product", product.id), "title": product.title }) },
            "variant": if tip { Value::Null } else { json!({ "id": gid("ProductVariant", variant.id), "sku": variant.sku }) },
            "originalUnitPriceSet": cash.bag(line.unit_minor),
            "originalTotalSet": self.bag("originalTotalSet", line.gross_minor()),
            "discountedTotalSet": self.bag("discountedTotalSet", net_minor),
            "totalDiscountSet": self.bag("totalDiscountSet", line.all_discount_minor()),
            "discountAllocations": self.allocations(line),
            "taxLines": self.taxes(line.tax_minor),
            "duties": if index == 0 && self.order.duty_minor != 0 { vec![self.duty()] } else { Vec::new() },
        })
    }

    pub fn duty(&self) -> Value {
        json!({
            "id": gid("Duty", self.order.id),
            "harmonizedSystemCode": "6304.92",
            "countryCodeOfOrigin": self.profile().country,
            "price": self.cash.bag(self.order.duty_minor),
            "taxLines": Vec::<Value>::new(),
        })
    }

    fn allocations(&self, line: &Line) -> Vec<Value> {
        let mut allocations = Vec::new();
        if line.discount_minor != 0 {
            allocations.push(json!({
                "allocatedAmountSet": self.cash.bag(line.discount_minor),
                "discountApplication": application(self.order.discount, 0),
            }));
        }
        if line.edit_discount_minor != 0 {
            allocations.push(json!({
                "allocatedAmountSet": self.cash.bag(line.edit_discount_minor),
                "discountApplication": application(Some(Discount::Manual("Price match", 8)), 1),
            }));
        }
        allocations
    }

    /// `TaxLine`s that add up to the tax: equal shares, the remainder on the first.
    pub fn taxes(&self, tax_minor: i64) -> Vec<Value> {
        let titles = self.profile().tax_titles;
        let count = titles.len() as i64;
        let rate = self.profile().tax_basis_points as f64 / 10_000.0 / count as f64;
        let each = tax_minor / count;
        let tax = |(index, title): (usize, &&str)| {
            let amount_minor = if index == 0 { tax_minor - each * (count - 1) } else { each };
            json!({
                "title": title,
                "rate": rate,
                "ratePercentage": rate * 100.0,
                "source": "Shopify",
                "channelLiable": false,
                "priceSet": self.cash.bag(amount_minor),
            })
        };
        if tax_minor == 0 { Vec::new() } else { titles.iter().enumerate().map(tax).collect() }
    }

    fn shipping_lines(&self) -> Vec<Value> {
        self.order.shipping.iter().map(|one| self.shipping(one)).collect()
    }

    pub fn shipping(&self, shipping: &Shipping) -> Value {
        let cash = &self.cash;
        let allocations = if shipping.discount_minor == 0 {
            Vec::new()
        } else {
            vec![json!({
                "allocatedAmountSet": cash.bag(shipping.discount_minor),
                "discountApplication": application(Some(Discount::Code("FREESHIP", 100)), 2),
            })]
        };
        json!({
            "__typename": "ShippingLine",
            "id": gid("ShippingLine", shipping.id),
            "title": shipping.title,
            "code": shipping.title,
            "source": "shopify",
            "custom": false,
            "isRemoved": false,
            "originalPriceSet": cash.bag(shipping.price_minor),
            "discountedPriceSet": cash.bag(shipping.price_minor - shipping.discount_minor),
            "discountAllocations": allocations,
            "taxLines": self.taxes(shipping.tax_minor),
        })
    }
}

fn application(discount: Option<Discount>, index: u64) -> Value {
    let (typename, percent) = match discount {
        Some(Discount::Code(_, percent)) => ("DiscountCodeApplication", percent),
        Some(Discount::Automatic(_, percent)) => ("AutomaticDiscountApplication", percent),
        Some(Discount::Manual(_, percent)) => ("ManualDiscountApplication", percent),
        None => ("AutomaticDiscountApplication", 0),
    };
    let mut value = json!({
        "__typename": typename,
        "index": index,
        "allocationMethod": "ACROSS",
        "targetSelection": "ALL",
        "targetType": "LINE_ITEM",
        "value": { "__typename": "PricingPercentageValue", "percentage": percent as f64 },
    });
    match discount {
        Some(Discount::Code(code, _)) => value["code"] = json!(code),
        Some(Discount::Automatic(title, _) | Discount::Manual(title, _)) => value["title"] = json!(title),
        None => value["title"] = json!(""),
    }
    value
}

fn journey(campaign: &str, order: &Order) -> Value {
    json!({
        "customerOrderIndex": null,
        "daysToConversion": 1,
        "ready": true,
        "firstVisit": null,
        "lastVisit": {
            "__typename": "CustomerVisit",
            "id": gid("CustomerVisit", order.id),
            "occurredAt": instant_text(order.created_at - 1_200),
            "source": "newsletter",
            "utmParameters": {
                "campaign": campaign, "medium": "email", "source": "newsletter", "content": null, "term": null,
            },
        },
    })
}
