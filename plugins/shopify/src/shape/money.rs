//! Money in two currencies, exact.

use portolan_sdk::money;
use portolan_sdk::{BadRecord, Minor};
use serde::Deserialize;

use super::Amount;

/// `MoneyBag`: the shop's amount, and what the buyer saw.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Bag<'a> {
    pub shop_money: Amount<'a>,
    pub presentment_money: Option<Amount<'a>>,
}

/// The two currencies of one order: every amount in it has to be in them.
#[derive(Debug, Clone)]
pub struct Cash {
    pub shop: String,
    /// Only where it is another than the shop's.
    pub presentment: Option<String>,
}

impl Cash {
    pub fn new(shop: &str, presentment: Option<&str>) -> Result<Self, BadRecord> {
        let shop = money::currency(shop).map_err(|bad| bad.at("currencyCode"))?;
        let presentment = presentment.map(money::currency).transpose();
        let presentment = presentment.map_err(|bad| bad.at("presentmentCurrencyCode"))?;
        Ok(Self { presentment: presentment.filter(|currency| *currency != shop), shop })
    }

    /// The shop's amount in minor units. `path` is what to blame.
    pub fn minor(&self, bag: &Bag<'_>, path: &str) -> Result<Minor, BadRecord> {
        exact(&bag.shop_money, &self.shop, path)
    }

    /// The same; 0 where there is none.
    pub fn minor_of(&self, bag: Option<&Bag<'_>>, path: &str) -> Result<Minor, BadRecord> {
        bag.map_or(Ok(0), |bag| self.minor(bag, path))
    }

    /// What the buyer saw, where that is another currency.
    pub fn presentment(&self, bag: &Bag<'_>, path: &str) -> Result<Option<Minor>, BadRecord> {
        match (&self.presentment, &bag.presentment_money) {
            (Some(currency), Some(amount)) => exact(amount, currency, path).map(Some),
            _ => Ok(None),
        }
    }
}

fn exact(amount: &Amount<'_>, currency: &str, path: &str) -> Result<Minor, BadRecord> {
    if &*amount.currency_code != currency {
        let reason = format!("the amount is in {} where the order is in {currency}", amount.currency_code);
        return Err(BadRecord::at(path, reason));
    }
    money::minor(&amount.amount, currency).map_err(|bad| bad.at(path))
}
