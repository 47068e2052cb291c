//! One account: every payment of the shop's orders, and what became of it.

use std::collections::HashMap;

use portolan_sandbox::random::SplitMix;
use portolan_sandbox::time::DAY;
use portolan_sandbox_shopify::{Order, Shop, Transaction};

use super::profile::{Profile, converted, stepped};
use super::{
    Account, Charge, Customer, Dispute, Entry, EntryKind, Intent, Money, Outcome, Product, Refund, Source,
    payouts, timeline,
};

/// Payments are kept whole in memory: of a larger shop the newest orders are paid through this provider, as if the shop had
/// moved to it then.
const MOST_ORDERS: usize = 100_000;

const BRANDS: &[&str] = &["visa", "mastercard", "amex", "rupay"];
const REASONS: &[(&str, &str)] = &[
    ("fraudulent", "10.4"),
    ("product_not_received", "13.1"),
    ("product_unacceptable", "13.3"),
    ("duplicate", "12.6.1"),
    ("general", "00"),
];

/// Makes one account with everything in it.
pub fn account(profile: Profile, shop: &Shop, until: i64, seed: u64) -> Account {
    let mut random = SplitMix::new(seed);
    let customers = customers(shop, until, &mut random);
    let products = products(&profile, shop, until, &mut random);
    let mut builder = Builder {
        shop,
        until,
        random,
        account: Account {
            profile,
            customers,
            products,
            intents: Vec::new(),
            charges: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            payouts: Vec::new(),
            entries: Vec::new(),
            events: Vec::new(),
        },
    };
    for order in shop.newest_orders(MOST_ORDERS).filter(|order| !order.test) {
        builder.order(&order);
    }
    let Builder { mut account, random, .. } = builder;
    payouts::settle(&mut account, until, random);
    timeline::tell(&mut account);
    account
}

fn customers(shop: &Shop, until: i64, random: &mut SplitMix) -> Vec<Customer> {
    let customers = shop.customers.iter().map(|customer| Customer {
        id: format!("cus_{}", customer.id),
        created: customer.created_at,
        country: customer.country,
        deleted_at: random.chance(10).then(|| random.between(customer.created_at, until + 10 * DAY)),
    });
    customers.collect()
}

fn products(profile: &Profile, shop: &Shop, until: i64, random: &mut SplitMix) -> Vec<Product> {
    let products = shop.products.iter().filter_map(|product| {
        let variant = product.variants.first()?;
        Some(Product {
            id: format!("prod_{}", product.id),
            name: product.title.clone(),
            sku: variant.sku.clone(),
            created: product.created_at,
            updated: product.updated_at,
            price_minor: stepped(
                variant.price_minor,
                if profile.shop == profile.name { profile.step_minor } else { 1 },
            ),
            currency: shop.profile.currency,
            deleted_at: random.chance(30).then(|| random.between(product.updated_at, until + 10 * DAY)),
        })
    });
    products.collect()
}

struct Builder<'a> {
    shop: &'a Shop,
    until: i64,
    random: SplitMix,
    account: Account,
}

impl Builder<'_> {
    fn order(&mut self, order: &Order) {
        let ours = |transaction: &&Transaction| transaction.gateway == self.shop.profile.gateway;
        let transactions: Vec<&Transaction> = order.transactions.iter().filter(ours).collect();
        // The shop's transaction that took the money, and the charge that it was.
        let mut charge_of = HashMap::new();
        let mut failed = Vec::new();
        for transaction in transactions.iter().filter(|transaction| transaction.amount_minor > 0) {
            match (transaction.kind, transaction.status) {
                ("SALE", "FAILURE") => failed.push(*transaction),
                ("SALE" | "AUTHORIZATION", "SUCCESS") => {
                    let capture = transactions
                        .iter()
                        .find(|other| other.parent == Some(transaction.id) && other.kind == "CAPTURE");
                    let captured_at = match transaction.kind {
                        "SALE" => Some(transaction.at),
                        _ => capture.map(|capture| capture.at),
                    };
                    let index = self.charge(order, transaction, captured_at, std::mem::take(&mut failed));
                    charge_of.insert(transaction.id, index);
                    charge_of.extend(capture.map(|capture| (capture.id, index)));
                }
                ("REFUND", "SUCCESS") => {
                    let charge = transaction.parent.and_then(|parent| charge_of.get(&parent).copied());
                    if let Some(charge) = charge {
                        self.refund(order, charge, transaction);
                    }
                }
                _ => {}
            }
        }
        if self.random.chance(60) {
            self.abandoned(order);
        }
    }

    /// An amount of the order as its buyer sees it.
    fn seen(&self, order: &Order, shop_minor: i64) -> Money {
        let profile = &self.shop.profile;
        match order.presentment.and_then(|index| profile.presentments.get(usize::from(index))) {
            None => Money { currency: profile.currency, minor: shop_minor },
            Some(seen) => {
                let minor = converted(shop_minor, seen.rate_micro, profile.exponent, seen.exponent);
                let step = if seen.exponent == 3 { 10 } else { 1 };
                Money { currency: seen.currency, minor: stepped(minor, step) }
            }
        }
    }

    /// What an amount that the buyer saw is in the balance, on a day.
    fn settled(&self, order: &Order, seen: Money, at: i64) -> (i64, Option<i64>) {
        let profile = &self.account.profile;
        match profile.rate_micro(self.shop, order.presentment, at) {
            None => (seen.minor, None),
            Some(rate) => {
                let presentments = &self.shop.profile.presentments;
                let presentment = order.presentment.and_then(|index| presentments.get(usize::from(index)));
                let exponent = presentment.map_or(self.shop.profile.exponent, |seen| seen.exponent);
                let minor = converted(seen.minor, rate, exponent, profile.exponent);
                (profile.stepped(minor), Some(rate))
            }
        }
    }

    fn charge(
        &mut self,
        order: &Order,
        transaction: &Transaction,
        captured_at: Option<i64>,
        failed: Vec<&Transaction>,
    ) -> usize {
        let customer = order.customer.map(|index| index as usize);
        let amount = self.seen(order, transaction.amount_minor);
        let intent = self.account.intents.len();
        let first = failed.first().map_or(transaction.at, |failed| failed.at);
        let brand = *self.random.pick(BRANDS);
        let charge = Charge {
            id: format!("ch_{}", transaction.id),
            intent,
            created: transaction.at,
            order_number: order.number,
            order_id: order.id,
            customer,
            amount,
            brand,
            failed: false,
            captured_at,
            entry: None,
            refunds: Vec::new(),
            dispute: None,
        };
        for failed in failed {
            let id = format!("ch_{}", failed.id);
            self.account.charges.push(Charge {
                id,
                created: failed.at,
                failed: true,
                captured_at: None,
                ..charge.clone()
            });
        }
        let index = self.account.charges.len();
        self.account.charges.push(charge);
        self.account.intents.push(Intent {
            id: format!("pi_{}", transaction.id),
            created: first - 20,
            order_number: order.number,
            customer,
            amount,
            charge: Some(index),
        });
        if let Some(at) = captured_at.filter(|_| amount.minor > 0) {
            let (minor, rate_micro) = self.settled(order, amount, at);
            let fee = self.account.profile.fee(minor);
            let entry = self.entry(EntryKind::Charge, Source::Charge(index), at, (minor, fee), rate_micro);
            self.account.charges[index].entry = Some(entry);
            self.dispute(order, index, at);
        }
        index
    }

    fn refund(&mut self, order: &Order, charge: usize, transaction: &Transaction) {
        let given: i64 =
            self.account.charges[charge].refunds.iter().map(|index| self.account.refunds[*index].minor).sum();
        let of = self.account.charges[charge].amount;
        // Stripe gives back no more than was paid: what the shop gave beyond that it gave in another way.
        let minor = self.seen(order, transaction.amount_minor).minor.min(of.minor - given);
        let contested = self.account.charges[charge].dispute.is_some();
        if minor <= 0 || contested || self.account.charges[charge].entry.is_none() {
            return;
        }
        let (taken, rate_micro) = self.settled(order, Money { minor, ..of }, transaction.at);
        let profile = &self.account.profile;
        let returned = if profile.fees_returned { profile.fee(taken) } else { (0, 0) };
        let fee = (-(returned.0 - profile.fee_fixed_minor).max(0), -returned.1);
        let index = self.account.refunds.len();
        let entry =
            self.entry(EntryKind::Refund, Source::Refund(index), transaction.at, (-taken, fee), rate_micro);
        let succeeds_at = transaction.at + self.random.between(60, 4 * DAY);
        let id = format!("re_{}", transaction.id);
        self.account.refunds.push(Refund { id, charge, created: transaction.at, succeeds_at, minor, entry });
        self.account.charges[charge].refunds.push(index);
    }

    /// Some buyers go to their bank. What has been given back already is not fought over.
    fn dispute(&mut self, order: &Order, charge: usize, paid_at: i64) {
        if !self.random.chance(12) || !order.refunds.is_empty() {
            return;
        }
        let created = paid_at + self.random.between(4 * DAY, 30 * DAY);
        let inquiry = self.random.chance(200);
        let answered_at = created + self.random.between(DAY, 8 * DAY);
        let closed_at = answered_at + self.random.between(10 * DAY, 50 * DAY);
        let won = self.random.chance(400);
        let (reason, code) = *self.random.pick(REASONS);
        if created >= self.until {
            return;
        }
        let index = self.account.disputes.len();
        let amount = self.account.charges[charge].amount;
        let outcome = match (inquiry, won) {
            (true, _) => Outcome::Closed,
            (false, true) => Outcome::Won,
            (false, false) => Outcome::Lost,
        };
        let closed = (closed_at < self.until).then_some((closed_at, outcome));
        let mut entries = Vec::new();
        if !inquiry {
            let fee = (self.account.profile.dispute_fee_minor, 0);
            let (minor, rate) = self.settled(order, amount, created);
            entries.push(self.entry(
                EntryKind::Dispute,
                Source::Dispute(index),
                created,
                (-minor, fee),
                rate,
            ));
            if let Some((at, Outcome::Won)) = closed {
                let (minor, rate) = self.settled(order, amount, at);
                let fee = (-fee.0, 0);
                entries.push(self.entry(
                    EntryKind::DisputeReversal,
                    Source::Dispute(index),
                    at,
                    (minor, fee),
                    rate,
                ));
            }
        }
        self.account.disputes.push(Dispute {
            id: format!("dp_{}", self.account.charges[charge].id.trim_start_matches("ch_")),
            charge,
            created,
            due_by: created + 14 * DAY,
            inquiry,
            answered_at,
            closed,
            reason,
            code,
            minor: amount.minor,
            entries,
        });
        self.account.charges[charge].dispute = Some(index);
    }

    fn abandoned(&mut self, order: &Order) {
        let created = order.created_at - self.random.between(200, 2_000);
        let shop_minor = self.shop.profile.price_unit_minor * self.random.between(5, 60);
        let amount = self.seen(order, shop_minor);
        self.account.intents.push(Intent {
            id: format!("pi_{}9", order.id),
            created,
            order_number: order.number,
            customer: order.customer.map(|index| index as usize),
            amount,
            charge: None,
        });
    }

    fn entry(
        &mut self,
        kind: EntryKind,
        source: Source,
        created: i64,
        (minor, (fee_minor, fee_tax_minor)): (i64, (i64, i64)),
        rate_micro: Option<i64>,
    ) -> usize {
        let entries = &mut self.account.entries;
        let midnight = created - created.rem_euclid(DAY);
        entries.push(Entry {
            id: format!("txn_{:09}", entries.len()),
            kind,
            source,
            created,
            available_on: midnight + if minor > 0 { 3 * DAY } else { 0 },
            minor,
            fee_minor,
            fee_tax_minor,
            rate_micro,
            payout: None,
        });
        entries.len() - 1
    }
}
