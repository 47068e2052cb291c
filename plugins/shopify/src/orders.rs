//! An order of Shopify as documents: the order with its history, its refunds, its transactions.
//!
//! Amounts are in the shop's currency and in its price basis: with tax inside where `taxesIncluded`.
//! Lines are as sold, additions by edits included; what was taken out again is told by `agreements`.

use std::collections::BTreeSet;

use portolan_sdk::commerce::{self, TaxLine};
use portolan_sdk::{BadRecord, Decimal, Moment, RecordResult, Sink, Text, money, time};

use crate::history;
use crate::shape::{Allocation, Bag, Cash, Line, Order, Tax, key};

/// What the parts of one order are mapped with.
pub struct Context<'a> {
    pub src: u32,
    pub order: &'a Order<'a>,
    pub cash: Cash,
    pub store: &'a str,
    pub key: String,
    pub updated_at: Moment,
    pub placed_at: Moment,
    /// Lines that are tips: Shopify keeps a tip as a line, and says so in its sale.
    pub tips: BTreeSet<&'a str>,
}

/// Maps one order; nothing of it stands unless all does.
pub fn map(src: u32, order: &Order<'_>, store: &str, out: &mut Sink) -> RecordResult {
    let cash = Cash::new(&order.currency_code, order.presentment_currency_code.as_deref())?;
    let placed = order.processed_at.as_ref().unwrap_or(&order.created_at);
    let sales = order.agreements.nodes.iter().flat_map(|agreement| &agreement.sales.nodes);
    let tips = sales.filter(|sale| &*sale.line_type == "TIP").filter_map(|sale| sale.line_item.as_ref());
    let context = Context {
        src,
        order,
        cash,
        store,
        key: key(&order.id),
        updated_at: moment(&order.updated_at, "updatedAt")?,
        placed_at: moment(placed, "processedAt")?,
        tips: tips.map(|line| line.id.as_str()).collect(),
    };
    out.push(context.order()?);
    for refund in &order.refunds {
        out.push(context.refund(refund)?);
    }
    for transaction in &order.transactions {
        out.push(context.transaction(transaction)?);
    }
    Ok(())
}

/// An exact moment; `path` is what to blame.
pub fn moment(text: &str, path: &str) -> Result<Moment, BadRecord> {
    time::instant(text).map(Moment::At).map_err(|bad| bad.at(path))
}

/// A text that goes into a document.
pub fn owned(text: &Option<Text<'_>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

/// The same, where an empty text says nothing.
pub fn owned_unless_empty(text: &Option<Text<'_>>) -> Option<String> {
    text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Shopify's words in lower case.
pub fn word(text: Option<&str>) -> String {
    text.map_or_else(|| "unknown".to_owned(), str::to_ascii_lowercase)
}

impl Context<'_> {
    /// Country and region of where it goes, else of who pays.
    pub fn place(&self) -> (Option<String>, Option<String>) {
        let addresses = [&self.order.shipping_address, &self.order.billing_address];
        let address = addresses.into_iter().flatten().find(|address| address.country_code_v2.is_some());
        address.map_or((None, None), |place| (owned(&place.country_code_v2), owned(&place.province_code)))
    }

    fn order(&self) -> Result<commerce::Order, BadRecord> {
        let order = self.order;
        let goods = order.line_items.nodes.iter().filter(|line| !self.tips.contains(line.id.as_str()));
        let lines = goods.map(|line| self.line(line)).collect::<Result<Vec<_>, _>>()?;
        let standing = order.shipping_lines.nodes.iter().filter(|line| !line.is_removed);
        let (mut shipping, mut shipping_taxes) = (0, Vec::new());
        for line in standing {
            shipping += self.minor(&line.discounted_price_set, "shippingLines/discountedPriceSet")?;
            shipping_taxes.extend(self.taxes(&line.tax_lines, "shippingLines/taxLines")?);
        }
        let cancelled_at = order.cancelled_at.as_deref().map(|at| moment(at, "cancelledAt")).transpose()?;
        let state = match (&cancelled_at, &order.closed_at) {
            (Some(_), _) => "cancelled",
            (None, Some(_)) => "closed",
            (None, None) => "open",
        };
        let (country, region) = self.place();
        let total = |bag: Option<&Bag<'_>>, path: &str| self.cash.minor_of(bag, path);
        Ok(commerce::Order {
            test: order.test,
            number: owned(&order.name),
            cancelled_at,
            cancel_reason: order.cancel_reason.as_deref().map(str::to_ascii_lowercase),
            channel: owned(&order.source_name),
            store: Some(self.store.to_owned()),
            location: order.retail_location.as_ref().map(|location| location.key()),
            state: state.to_owned(),
            payment_state: word(order.display_financial_status.as_deref()),
            fulfilment_state: word(order.display_fulfillment_status.as_deref()),
            customer: order.customer.as_ref().map(|customer| customer.key()),
            country,
            region,
            presentment_currency: self.cash.presentment.clone(),
            gross: sum(lines.iter().map(|line| line.gross))?,
            discount: sum(lines.iter().map(|line| line.discount))?,
            shipping,
            tax: total(order.total_tax_set.as_ref(), "totalTaxSet")?,
            tip: total(order.total_tip_received_set.as_ref(), "totalTipReceivedSet")?,
            duty: total(order.original_total_duties_set.as_ref(), "originalTotalDutiesSet")?,
            total: self.minor(&order.total_price_set, "totalPriceSet")?,
            tax_included: order.taxes_included,
            lines,
            shipping_taxes,
            agreements: history::agreements(self)?,
            attributes: self.attributes(),
            ..commerce::Order::new(
                self.src,
                self.key.clone(),
                self.updated_at,
                self.placed_at,
                self.cash.shop.clone(),
            )
        })
    }

    fn line(&self, line: &Line<'_>) -> Result<commerce::OrderLine, BadRecord> {
        let unit_price = &line.original_unit_price_set;
        let unit = self.minor(unit_price, "lineItems/originalUnitPriceSet")?;
        let exact = money::decimal(&unit_price.shop_money.amount);
        let unit_price = exact.map_err(|bad| bad.at("lineItems/originalUnitPriceSet"))?;
        let gross = unit.checked_mul(line.quantity).ok_or_else(|| too_large("lineItems/quantity"))?;
        let allocations = line.discount_allocations.iter().map(|one| self.allocation(one));
        let allocations = allocations.collect::<Result<Vec<_>, _>>()?;
        let taxes = self.taxes(&line.tax_lines, "lineItems/taxLines")?;
        let title = match line.variant_title.as_deref() {
            None | Some("" | "Default Title") => line.title.as_str().to_owned(),
            Some(variant) => format!("{} – {variant}", line.title),
        };
        Ok(commerce::OrderLine {
            product: line.product.as_ref().map(|product| product.key()),
            variant: line.variant.as_ref().map(|variant| variant.key()),
            sku: owned_unless_empty(&line.sku),
            unit_price: Some(unit_price),
            gross,
            discount: sum(allocations.iter().map(|allocation| allocation.amount))?,
            tax: sum(taxes.iter().map(|tax| tax.amount))?,
            gift_card: line.is_gift_card,
            allocations,
            taxes,
            ..commerce::OrderLine::new(key(&line.id), title, Decimal::whole(line.quantity))
        })
    }

    fn allocation(&self, allocation: &Allocation<'_>) -> Result<commerce::Allocation, BadRecord> {
        let application = allocation.discount_application.as_ref();
        let code = application.and_then(|application| owned(&application.code));
        let kind = match application.and_then(|application| application.typename.as_deref()) {
            Some("DiscountCodeApplication") => "code",
            Some("ManualDiscountApplication") => "manual",
            _ if code.is_some() => "code",
            _ => "automatic",
        };
        let amount = self.minor(&allocation.allocated_amount_set, "lineItems/discountAllocations")?;
        Ok(commerce::Allocation { code, kind: kind.to_owned(), amount })
    }

    pub fn taxes(&self, taxes: &[Tax<'_>], path: &str) -> Result<Vec<TaxLine>, BadRecord> {
        let map = |tax: &Tax<'_>| {
            Ok(TaxLine {
                kind: tax_kind(&tax.title).to_owned(),
                // Shopify names no place; the title ("CGST", "DE MwSt") says the most there is.
                jurisdiction: tax.title.as_str().to_owned(),
                rate: tax.rate.as_ref().and_then(|rate| rate.decimal().ok()),
                amount: self.minor(&tax.price_set, path)?,
                collector: if tax.channel_liable == Some(true) { "marketplace" } else { "seller" }.to_owned(),
            })
        };
        taxes.iter().map(map).collect()
    }

    pub fn minor(&self, bag: &Bag<'_>, path: &str) -> Result<i64, BadRecord> {
        self.cash.minor(bag, path)
    }

    fn attributes(&self) -> Vec<(String, String)> {
        let order = self.order;
        let visit = order.customer_journey_summary.as_ref().and_then(|journey| journey.last_visit.as_ref());
        let utm = visit.and_then(|visit| visit.utm_parameters.as_ref());
        let facts = [
            ("source", visit.and_then(|visit| visit.source.as_ref())),
            ("utm_source", utm.and_then(|utm| utm.source.as_ref())),
            ("utm_medium", utm.and_then(|utm| utm.medium.as_ref())),
            ("utm_campaign", utm.and_then(|utm| utm.campaign.as_ref())),
        ];
        let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let codes = order.discount_codes.iter().map(|code| ("discount_code", code));
        facts.chain(codes).map(|(name, value)| (name.to_owned(), value.as_str().to_owned())).collect()
    }
}

/// Adds without wrapping around.
pub fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64, BadRecord> {
    let total = amounts.into_iter().try_fold(0_i64, i64::checked_add);
    total.ok_or_else(|| too_large(""))
}

fn too_large(path: &str) -> BadRecord {
    BadRecord::at(path, "the amounts are too large to add")
}

/// What kind of tax a title speaks of, by the words that tax offices use.
fn tax_kind(title: &str) -> &'static str {
    let title = title.to_ascii_uppercase();
    let words = title.split(|character: char| !character.is_alphanumeric()).collect::<Vec<_>>();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if has(&["GST", "CGST", "SGST", "IGST", "UTGST", "HST"]) {
        "gst"
    } else if has(&["VAT", "MWST", "UST", "TVA", "IVA", "BTW", "MOMS", "CONSUMPTION"]) {
        "vat"
    } else if has(&["TCS"]) {
        "tcs"
    } else if has(&["TDS"]) {
        "tds"
    } else if has(&["DUTY", "DUTIES"]) {
        "duty"
    } else {
        "sales"
    }
}

#[cfg(test)]
mod tests {
    use super::tax_kind;

    #[test]
    fn tax_titles_tell_their_kind() {
        let kinds = ["CGST", "DE MwSt (VAT)", "Consumption tax", "California State Tax", "HST"].map(tax_kind);
        assert_eq!(kinds, ["gst", "vat", "vat", "sales", "gst"]);
    }
}
