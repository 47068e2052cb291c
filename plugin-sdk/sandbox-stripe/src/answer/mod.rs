//! Objects as Stripe writes them, with what an expansion adds, as of a moment.
//!
//! They carry what real ones carry about buyers, made up of their ids: whoever reads them has to leave it out.

mod balance;
mod catalogue;
mod event;
mod payment;

use serde_json::{Value, json};

use crate::server::Kind;
use crate::world::Account;

/// An account as it is at a moment.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub account: &'a Account,
    pub now: i64,
}

impl View<'_> {
    /// The object at an index of the account's list.
    pub fn object(&self, kind: Kind, index: usize, expand: &[String]) -> Value {
        let expands = |name: &str| expand.iter().any(|wanted| wanted == name);
        match kind {
            Kind::Entries => self.entry(index, expands("source"), expands("source.charge")),
            Kind::Charges => self.charge(index),
            Kind::Refunds => self.refund(index, expands("charge")),
            Kind::Disputes => self.dispute(index, expands("charge")),
            Kind::Payouts => self.payout(index),
            Kind::Intents => self.intent(index, expands("latest_charge")),
            Kind::Customers => self.customer(index),
            Kind::Products => self.product(index, expands("default_price")),
            Kind::Events => self.event(index),
        }
    }
}

/// Stripe writes currencies in lower case.
fn code(currency: &str) -> String {
    currency.to_ascii_lowercase()
}

/// Who runs the account.
pub fn account(account: &Account) -> Value {
    let profile = &account.profile;
    json!({
        "id": format!("acct_{}", profile.name.replace('-', "")),
        "object": "account",
        "business_profile": { "name": profile.title, "support_email": "owner@shop.example" },
        "country": profile.country,
        "default_currency": code(profile.currency),
        "settings": {
            "branding": {},
            "card_payments": {},
            "dashboard": { "display_name": profile.title, "timezone": profile.zone.name() },
            "payments": {},
        },
        "type": "standard",
    })
}
