//! What happens to orders after they are placed: edits, refunds, cancellations, late touches.

use super::generate::Builder;
use super::{
    Agreement, AgreementKind, Line, LineKind, Order, Refund, RefundLine, Sale, SaleAction, SaleKind,
    Shipping, Transaction, price,
};
use crate::time::{DAY, HOUR};

/// Lets things happen to an order, in the order of their times; nothing at or after `until`.
pub fn happen(builder: &mut Builder<'_>, order: &mut Order) {
    let mut at = order.created_at;
    if builder.random.chance(35) {
        at += builder.random.between(600, 2 * DAY);
        if at < builder.until {
            edit(builder, order, at);
        }
    }
    let draw = builder.random.below(1000);
    if draw < 25 {
        at += builder.random.between(HOUR, 3 * DAY);
        if at < builder.until {
            cancel(builder, order, at);
        }
    } else if draw < 120 {
        at += builder.random.between(3 * DAY, 30 * DAY);
        let everything = draw < 40;
        if at < builder.until {
            refund(builder, order, at, everything);
        }
        if draw >= 110 {
            at += builder.random.between(DAY, 10 * DAY);
            if at < builder.until {
                refund(builder, order, at, false);
            }
        }
    }
    order.updated_at = order.updated_at.max(last_event(order));
    if builder.random.chance(60) {
        // A tag or a note, long after: the order is served again and nothing may change.
        order.updated_at = builder.random.between(order.updated_at, builder.until - 1);
    }
}

fn last_event(order: &Order) -> i64 {
    let agreements = order.agreements.iter().map(|agreement| agreement.at);
    let payments = order.transactions.iter().map(|transaction| transaction.at);
    agreements.chain(payments).max().unwrap_or(order.created_at)
}

/// What a sale takes back of its line or shipping; positive.
#[derive(Default)]
struct Part {
    gross_minor: i64,
    discount_minor: i64,
    discount_tax_minor: i64,
    tax_minor: i64,
}

impl Part {
    /// Units of a line: their shares of every amount, so that all units together are exactly the whole.
    fn of_line(line: &Line, units: i64) -> Self {
        let before = line.removed + line.refunded;
        let part = |amount: i64| {
            price::share(amount, before + units, line.quantity) - price::share(amount, before, line.quantity)
        };
        Self {
            gross_minor: part(line.gross_minor()),
            discount_minor: part(line.all_discount_minor()),
            discount_tax_minor: part(line.discount_tax_minor),
            tax_minor: part(line.tax_minor),
        }
    }

    fn of_shipping(shipping: &Shipping) -> Self {
        Self {
            gross_minor: shipping.price_minor,
            discount_minor: shipping.discount_minor,
            discount_tax_minor: shipping.discount_tax_minor,
            tax_minor: shipping.tax_minor,
        }
    }

    fn untaxed(gross_minor: i64) -> Self {
        Self { gross_minor, ..Self::default() }
    }

    fn taken_back(self, id: u64, kind: SaleKind, quantity: Option<i64>) -> Sale {
        Sale {
            id,
            kind,
            action: SaleAction::Return,
            quantity,
            gross_minor: -self.gross_minor,
            discount_minor: -self.discount_minor,
            discount_tax_minor: -self.discount_tax_minor,
            tax_minor: -self.tax_minor,
        }
    }
}

fn edit(builder: &mut Builder<'_>, order: &mut Order, at: i64) {
    let goods = order.lines.iter().position(|line| line.kind == LineKind::Goods);
    let sale = match (builder.random.below(3), goods) {
        (0, Some(index)) if order.lines[index].quantity > 1 || order.lines.len() > 1 => {
            let part = Part::of_line(&order.lines[index], 1);
            order.lines[index].removed += 1;
            part.taken_back(builder.id(), SaleKind::Line(index), Some(-1))
        }
        (1, Some(index)) => {
            let line = &order.lines[index];
            let discount_minor = price::share(line.gross_minor() - line.discount_minor, 8, 100);
            let new_tax = builder.tax(line.gross_minor() - line.discount_minor - discount_minor);
            let tax_minor = new_tax - line.tax_minor;
            let new_discount_tax = builder.discount_tax(line.discount_minor + discount_minor);
            let discount_tax_minor = new_discount_tax - line.discount_tax_minor;
            let line = &mut order.lines[index];
            line.edit_discount_minor = discount_minor;
            line.discount_tax_minor = new_discount_tax;
            line.tax_minor = new_tax;
            let kind = SaleKind::Line(index);
            let id = builder.id();
            Sale {
                id,
                kind,
                action: SaleAction::Update,
                quantity: None,
                gross_minor: 0,
                discount_minor,
                discount_tax_minor,
                tax_minor,
            }
        }
        _ => {
            let product = builder.random_product();
            let line = builder.line(product, 1, None);
            let owed_minor =
                line.gross_minor() + if builder.profile.taxes_included { 0 } else { line.tax_minor };
            order.transactions.push(Transaction {
                id: builder.id(),
                kind: "SALE",
                status: "SUCCESS",
                gateway: if order.test { "bogus" } else { builder.profile.gateway },
                at,
                amount_minor: owed_minor,
                parent: None,
            });
            let sale = Sale {
                id: builder.id(),
                kind: SaleKind::Line(order.lines.len()),
                action: SaleAction::Order,
                quantity: Some(1),
                gross_minor: line.gross_minor(),
                discount_minor: 0,
                discount_tax_minor: 0,
                tax_minor: line.tax_minor,
            };
            order.lines.push(line);
            sale
        }
    };
    order.agreements.push(Agreement { id: builder.id(), at, kind: AgreementKind::Edit, sales: vec![sale] });
}

fn cancel(builder: &mut Builder<'_>, order: &mut Order, at: i64) {
    let reason = *builder.random.pick(&["CUSTOMER", "INVENTORY", "FRAUD", "DECLINED", "OTHER"]);
    order.cancelled = Some((at, reason));
    order.fulfilled = false;
    let all = order.lines.iter().map(Line::standing).collect::<Vec<_>>();
    give_back(builder, order, at, &all, "CANCEL", true, 0);
}

fn refund(builder: &mut Builder<'_>, order: &mut Order, at: i64, everything: bool) {
    if order.paid_minor() == 0 {
        return;
    }
    let mut units = order.lines.iter().map(Line::standing).collect::<Vec<_>>();
    let (mut shipping, mut adjustment_minor) = (everything, 0);
    let mut restock = "RETURN";
    if !everything {
        for (count, line) in units.iter_mut().zip(&order.lines) {
            let wanted = line.kind == LineKind::Goods && builder.random.chance(600);
            *count = if wanted { builder.random.between(1, (*count).max(1)).min(*count) } else { 0 };
        }
        shipping = builder.random.chance(150);
        restock = if builder.random.chance(200) { "NO_RESTOCK" } else { "RETURN" };
        let goodwill = builder.random.chance(80);
        let anything = units.iter().any(|count| *count > 0);
        if goodwill || !anything {
            adjustment_minor = builder.profile.price_unit_minor;
        } else if builder.random.chance(40) {
            adjustment_minor = -builder.profile.price_unit_minor / 2;
        }
    }
    give_back(builder, order, at, &units, restock, shipping, adjustment_minor);
}

/// Records a refund and the agreement that says the same.
fn give_back(
    builder: &mut Builder<'_>,
    order: &mut Order,
    at: i64,
    units: &[i64],
    restock: &'static str,
    with_shipping: bool,
    adjustment_minor: i64,
) {
    let included = builder.profile.taxes_included;
    let mut sales = Vec::new();
    let mut lines = Vec::new();
    for (index, count) in units.iter().copied().enumerate().filter(|(_, count)| *count > 0) {
        let part = Part::of_line(&order.lines[index], count);
        order.lines[index].refunded += count;
        lines.push(RefundLine {
            id: builder.id(),
            line: index,
            quantity: count,
            restock,
            subtotal_minor: part.gross_minor - part.discount_minor,
            tax_minor: part.tax_minor,
        });
        sales.push(part.taken_back(builder.id(), SaleKind::Line(index), Some(-count)));
    }
    let already = order.refunds.iter().any(|refund| refund.shipping_minor != 0);
    let (mut shipping_minor, mut shipping_tax_minor, mut duty_minor) = (0, 0, 0);
    if let Some(shipping) = order.shipping.as_ref().filter(|_| with_shipping && !already) {
        shipping_minor = shipping.price_minor - shipping.discount_minor;
        shipping_tax_minor = shipping.tax_minor;
        sales.push(Part::of_shipping(shipping).taken_back(builder.id(), SaleKind::Shipping, Some(-1)));
    }
    if with_shipping && !already && order.duty_minor != 0 && restock == "CANCEL" {
        duty_minor = order.duty_minor;
        sales.push(Part::untaxed(duty_minor).taken_back(builder.id(), SaleKind::Duty, None));
    }
    if adjustment_minor != 0 {
        sales.push(Part::untaxed(adjustment_minor).taken_back(builder.id(), SaleKind::Adjustment, None));
    }
    let on_top = |tax: i64| if included { 0 } else { tax };
    let lines_minor = lines.iter().map(|line| line.subtotal_minor + on_top(line.tax_minor)).sum::<i64>();
    let worth_minor =
        lines_minor + shipping_minor + on_top(shipping_tax_minor) + duty_minor + adjustment_minor;
    let total_minor = if order.paid_minor() == 0 { 0 } else { worth_minor };
    let id = builder.id();
    if total_minor != 0 {
        let parent = order
            .transactions
            .iter()
            .find(|other| other.status == "SUCCESS" && other.kind != "AUTHORIZATION");
        let (parent, gateway) = parent.map_or((None, "manual"), |other| (Some(other.id), other.gateway));
        order.transactions.push(Transaction {
            id: builder.id(),
            kind: "REFUND",
            status: "SUCCESS",
            gateway,
            at,
            amount_minor: total_minor,
            parent,
        });
    }
    let kind = AgreementKind::Refund(order.refunds.len());
    order.agreements.push(Agreement { id: builder.id(), at, kind, sales });
    order.refunds.push(Refund {
        id,
        at,
        lines,
        shipping_minor,
        shipping_tax_minor,
        duty_minor,
        adjustment_minor,
        total_minor,
    });
}
