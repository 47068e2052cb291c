//! Stripe's amounts: whole numbers at a scale that is nearly ISO 4217's.
//! <https://stripe.com/docs/currencies#zero-decimal>

use portolan_sdk::{BadRecord, Minor, money};

/// A currency as Stripe spells it, and the digits that it keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub currency: String,
    scale: u8,
}

impl Unit {
    /// Stripe writes codes in lower case.
    pub fn new(code: &str, path: &str) -> Result<Self, BadRecord> {
        let currency = money::currency(code).map_err(|bad| bad.at(path))?;
        let scale = scale(&currency);
        Ok(Self { currency, scale })
    }

    /// Exact, or an error: 150 ISK at Stripe would be one and a half króna.
    pub fn minor(&self, amount: i64, path: &str) -> Result<Minor, BadRecord> {
        money::from_scaled(amount, self.scale, &self.currency).map_err(|bad| bad.at(path))
    }

    /// An amount as Stripe's decimals of minor units have it: `unit_amount_decimal`, "1050.5" for 10.505 USD.
    pub fn major(&self, decimal: &str, path: &str) -> Result<portolan_sdk::Decimal, BadRecord> {
        money::decimal(&format!("{decimal}e-{}", self.scale)).map_err(|bad| bad.at(path))
    }
}

/// Digits of an amount at Stripe. It differs from ISO 4217 where Stripe says so: ISK and UGX have no digits, yet are
/// sent with two that are always zero; MGA has two in ISO, though nobody counts them, and none at Stripe. Of the three
/// digits of BHD, JOD, KWD, OMR and TND the last one is always zero in what is charged; nothing here relies on it.
fn scale(currency: &str) -> u8 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    fn minor(amount: i64, code: &str) -> Option<i64> {
        Unit::new(code, "currency").expect("a currency").minor(amount, "amount").ok()
    }

    #[test]
    fn amounts_keep_their_worth_in_minor_units_of_iso_4217() {
        let table = [
            (1050, "usd", Some(1050)),
            (500, "jpy", Some(500)),
            (-500, "krw", Some(-500)),
            // 5.120 dinars.
            (5120, "kwd", Some(5120)),
            (5125, "kwd", Some(5125)),
            // 5 króna and 5 shillings, sent with two digits.
            (500, "isk", Some(5)),
            (500, "ugx", Some(5)),
            (550, "isk", None),
            // 5 ariary are 500 of ISO's hundredths.
            (5, "mga", Some(500)),
            (-100, "huf", Some(-100)),
            (i64::MAX, "mga", None),
        ];
        for (amount, code, expected) in table {
            assert_eq!(minor(amount, code), expected, "{amount} {code}");
        }
        assert!(Unit::new("dollars", "currency").is_err());
    }

    #[test]
    fn decimals_of_minor_units_become_exact_prices() {
        let usd = Unit::new("usd", "currency").expect("a currency");
        assert_eq!(usd.major("1050.5", "p").expect("a price").to_string(), "10.505");
        let jpy = Unit::new("jpy", "currency").expect("a currency");
        assert_eq!(jpy.major("300", "p").expect("a price").to_string(), "300");
    }
}
