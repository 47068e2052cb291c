//! Money as Shopify writes it: decimal text without needless zeros, in two currencies.

use serde_json::{Value, json};

use crate::world::{Order, Presentment, Profile};

/// `24.0`, `2.9`, `0.125`: at least one decimal, no further zeros.
pub fn amount_text(amount_minor: i64, exponent: u32) -> String {
    let scale = 10_u64.pow(exponent);
    let absolute = amount_minor.unsigned_abs();
    let sign = if amount_minor < 0 { "-" } else { "" };
    let fraction = format!("{:0width$}", absolute % scale, width = exponent as usize);
    let fraction = if exponent == 0 { "" } else { fraction.trim_end_matches('0') };
    format!("{sign}{}.{}", absolute / scale, if fraction.is_empty() { "0" } else { fraction })
}

/// Writes amounts of one order: in the shop's currency and in the one that the buyer saw.
#[derive(Clone, Copy)]
pub struct Cash<'a> {
    profile: &'a Profile,
    presentment: Option<&'a Presentment>,
}

impl<'a> Cash<'a> {
    pub fn of_order(profile: &'a Profile, order: &Order) -> Self {
        Self::of_presentment(profile, order.presentment)
    }

    /// `presentment`: index into the profile's.
    pub fn of_presentment(profile: &'a Profile, presentment: Option<u8>) -> Self {
        let presentment = presentment.and_then(|index| profile.presentments.get(usize::from(index)));
        Self { profile, presentment }
    }

    pub fn of_shop(profile: &'a Profile) -> Self {
        Self { profile, presentment: None }
    }

    /// A `MoneyBag`.
    pub fn bag(&self, amount_minor: i64) -> Value {
        json!({ "shopMoney": self.shop(amount_minor), "presentmentMoney": self.presentment(amount_minor) })
    }

    /// A `MoneyV2` in the shop's currency.
    pub fn shop(&self, amount_minor: i64) -> Value {
        json!({
            "amount": amount_text(amount_minor, self.profile.exponent),
            "currencyCode": self.profile.currency,
        })
    }

    pub fn presentment_currency(&self) -> &'a str {
        self.presentment.map_or(self.profile.currency, |presentment| presentment.currency)
    }

    fn presentment(&self, amount_minor: i64) -> Value {
        let Some(presentment) = self.presentment else { return self.shop(amount_minor) };
        let minor = crate::world::present(
            amount_minor,
            presentment.rate_micro,
            self.profile.exponent,
            presentment.exponent,
        );
        json!({ "amount": amount_text(minor, presentment.exponent), "currencyCode": presentment.currency })
    }
}
