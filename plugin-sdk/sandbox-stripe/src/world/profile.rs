//! The accounts: whose orders they are paid for, what they settle in, what Stripe takes.

use chrono_tz::Tz;
use portolan_sandbox_shopify::Shop;

/// How one account is run.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Path prefix `/accounts/{name}`.
    pub name: &'static str,
    pub title: &'static str,
    /// The sandbox shop whose orders are paid here.
    pub shop: &'static str,
    /// What the balance is kept and paid out in.
    pub currency: &'static str,
    pub exponent: u32,
    /// Amounts are multiples of so many minor units: ten where Stripe wants the third digit to be zero.
    pub step_minor: i64,
    pub zone: Tz,
    pub country: &'static str,
    pub fee_basis_points: i64,
    pub fee_fixed_minor: i64,
    /// Tax on Stripe's own fees.
    pub fee_tax_basis_points: i64,
    pub dispute_fee_minor: i64,
    /// Whether a refund brings its share of the fee back.
    pub fees_returned: bool,
    /// Share of a month's payments that Stripe holds back for ninety days.
    pub reserve_basis_points: i64,
    /// Settlement units for a million units of the shop's own currency; 1,000,000 where they are the same.
    pub shop_rate_micro: i64,
}

/// Each shop's account, and one that is paid out in another currency than any of its buyers pays.
pub fn all() -> Vec<Profile> {
    vec![
        Profile {
            name: "demo-kolkata",
            title: "Hooghly Tea & Textiles",
            shop: "demo-kolkata",
            currency: "INR",
            exponent: 2,
            step_minor: 1,
            zone: chrono_tz::Asia::Kolkata,
            country: "IN",
            fee_basis_points: 200,
            fee_fixed_minor: 0,
            fee_tax_basis_points: 1_800,
            dispute_fee_minor: 75_000,
            fees_returned: false,
            reserve_basis_points: 100,
            shop_rate_micro: 1_000_000,
        },
        Profile {
            name: "demo-berlin",
            title: "Spree Outfitters",
            shop: "demo-berlin",
            currency: "EUR",
            exponent: 2,
            step_minor: 1,
            zone: chrono_tz::Europe::Berlin,
            country: "DE",
            fee_basis_points: 150,
            fee_fixed_minor: 25,
            fee_tax_basis_points: 0,
            dispute_fee_minor: 2_000,
            fees_returned: true,
            reserve_basis_points: 0,
            shop_rate_micro: 1_000_000,
        },
        Profile {
            name: "demo-tokyo",
            title: "Sumida Paper",
            shop: "demo-tokyo",
            currency: "JPY",
            exponent: 0,
            step_minor: 1,
            zone: chrono_tz::Asia::Tokyo,
            country: "JP",
            fee_basis_points: 360,
            fee_fixed_minor: 0,
            fee_tax_basis_points: 1_000,
            dispute_fee_minor: 1_500,
            fees_returned: false,
            reserve_basis_points: 200,
            shop_rate_micro: 1_000_000,
        },
        Profile {
            name: "demo-kuwait",
            title: "Spree Outfitters Gulf",
            shop: "demo-berlin",
            currency: "KWD",
            exponent: 3,
            step_minor: 10,
            zone: chrono_tz::Asia::Kuwait,
            country: "KW",
            fee_basis_points: 290,
            fee_fixed_minor: 250,
            fee_tax_basis_points: 0,
            dispute_fee_minor: 4_500,
            fees_returned: false,
            reserve_basis_points: 0,
            shop_rate_micro: 333_000,
        },
    ]
}

impl Profile {
    /// The nearest amount that this balance can hold.
    pub fn stepped(&self, amount_minor: i64) -> i64 {
        stepped(amount_minor, self.step_minor)
    }

    /// What Stripe takes of a payment, and how much of that is tax.
    pub fn fee(&self, amount_minor: i64) -> (i64, i64) {
        let part = i128::from(amount_minor) * i128::from(self.fee_basis_points) / 10_000;
        let fee = self.stepped(part as i64 + self.fee_fixed_minor).min(amount_minor);
        let tax = self.stepped(fee * self.fee_tax_basis_points / 10_000);
        (fee + tax, tax)
    }

    /// Settlement units for a million units of what the buyer paid in, on a day: rates move.
    pub fn rate_micro(&self, shop: &Shop, presentment: Option<u8>, at: i64) -> Option<i64> {
        let presentment = presentment.and_then(|index| shop.profile.presentments.get(usize::from(index)));
        let base = match presentment {
            None if self.currency == shop.profile.currency => return None,
            None => self.shop_rate_micro,
            Some(seen) if seen.currency == self.currency => return None,
            Some(seen) => (i128::from(self.shop_rate_micro) * 1_000_000 / i128::from(seen.rate_micro)) as i64,
        };
        let wobble = (at.div_euclid(86_400) * 7_919).rem_euclid(41) - 20;
        Some(base + base / 1_000 * wobble)
    }
}

/// To the nearest multiple.
pub fn stepped(amount_minor: i64, step_minor: i64) -> i64 {
    (amount_minor + step_minor / 2).div_euclid(step_minor) * step_minor
}

/// An amount at a rate, between currencies of other digits, rounded half up.
pub fn converted(amount_minor: i64, rate_micro: i64, from_exponent: u32, to_exponent: u32) -> i64 {
    portolan_sandbox_shopify::present(amount_minor, rate_micro, from_exponent, to_exponent)
}
