//! What Stripe tells of as events: everything that is made, and what changes on it afterwards.

use super::{Account, Outcome};

/// What an event is about; an index into the account's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Charge(usize),
    Refund(usize),
    Dispute(usize),
    Intent(usize),
    Payout(usize),
    Customer(usize),
    Product(usize),
}

/// One event: what happened to which object.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub created: i64,
    pub kind: &'static str,
    pub subject: Subject,
}

pub fn tell(account: &mut Account) {
    let mut told = of_payments(account);
    for (index, payout) in account.payouts.iter().enumerate() {
        let subject = Subject::Payout(index);
        told.push((payout.created, "payout.created", subject));
        told.push(match payout.failed_at {
            Some(at) => (at, "payout.failed", subject),
            None => (payout.arrives, "payout.paid", subject),
        });
    }
    for (index, customer) in account.customers.iter().enumerate() {
        let subject = Subject::Customer(index);
        told.push((customer.created, "customer.created", subject));
        told.extend(customer.deleted_at.map(|at| (at, "customer.deleted", subject)));
    }
    for (index, product) in account.products.iter().enumerate() {
        let subject = Subject::Product(index);
        told.push((product.created, "product.created", subject));
        told.push((product.updated, "product.updated", subject));
        told.extend(product.deleted_at.map(|at| (at, "product.deleted", subject)));
    }
    told.sort_unstable();
    let events = told.into_iter().enumerate().map(|(number, (created, kind, subject))| Event {
        id: format!("evt_{number:09}"),
        created,
        kind,
        subject,
    });
    account.events = events.collect();
}

fn of_payments(account: &Account) -> Vec<(i64, &'static str, Subject)> {
    let mut told = Vec::new();
    for (index, charge) in account.charges.iter().enumerate() {
        let subject = Subject::Charge(index);
        told.push((
            charge.created,
            if charge.failed { "charge.failed" } else { "charge.succeeded" },
            subject,
        ));
        if let Some(at) = charge.captured_at.filter(|at| *at != charge.created) {
            told.push((at, "charge.captured", subject));
        }
        for index in &charge.refunds {
            let refund = &account.refunds[*index];
            told.push((refund.created, "charge.refunded", subject));
            told.push((refund.succeeds_at, "charge.refund.updated", Subject::Refund(*index)));
        }
    }
    for (index, intent) in account.intents.iter().enumerate() {
        told.push((intent.created, "payment_intent.created", Subject::Intent(index)));
        let Some(charge) = intent.charge.map(|index| &account.charges[index]) else { continue };
        let authorized = "payment_intent.amount_capturable_updated";
        told.push((charge.created, authorized, Subject::Intent(index)));
        told.extend(charge.captured_at.map(|at| (at, "payment_intent.succeeded", Subject::Intent(index))));
    }
    for (index, dispute) in account.disputes.iter().enumerate() {
        let subject = Subject::Dispute(index);
        told.push((dispute.created, "charge.dispute.created", subject));
        told.push((dispute.answered_at, "charge.dispute.updated", subject));
        if let Some((at, outcome)) = dispute.closed {
            told.push((at, "charge.dispute.closed", subject));
            if outcome == Outcome::Won {
                told.push((at, "charge.dispute.funds_reinstated", subject));
            }
        }
    }
    told
}
