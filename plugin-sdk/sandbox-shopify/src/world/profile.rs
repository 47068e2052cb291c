//! The shops of the world: where they are, what they charge in, how tax works there.

use chrono_tz::Tz;

/// A currency that a buyer may see instead of the shop's own.
#[derive(Debug, Clone)]
pub struct Presentment {
    pub currency: &'static str,
    pub exponent: u32,
    /// Presentment units for a million shop units.
    pub rate_micro: i64,
    pub country: &'static str,
    pub province: &'static str,
}

#[derive(Debug, Clone)]
pub struct Profile {
    /// Path prefix `/shops/{name}` and subdomain of `myshopify.com`.
    pub name: &'static str,
    pub title: &'static str,
    pub currency: &'static str,
    /// Digits of the minor unit.
    pub exponent: u32,
    pub zone: Tz,
    pub country: &'static str,
    pub provinces: &'static [&'static str],
    pub taxes_included: bool,
    pub tax_titles: &'static [&'static str],
    /// Basis points (1,800 = 18 %), shared equally by the tax titles.
    pub tax_basis_points: i64,
    /// Minor units that a price of "1" stands for: keeps prices plausible per currency.
    pub price_unit_minor: i64,
    pub gateway: &'static str,
    pub presentments: Vec<Presentment>,
}

/// India with tax inside its prices, Germany with summer time, Japan without decimals.
pub fn all() -> Vec<Profile> {
    vec![
        Profile {
            name: "demo-kolkata",
            title: "Hooghly Tea & Textiles",
            currency: "INR",
            exponent: 2,
            zone: chrono_tz::Asia::Kolkata,
            country: "IN",
            provinces: &["WB", "MH", "KA", "DL", "TN", "GJ", "AS"],
            taxes_included: true,
            tax_titles: &["CGST", "SGST"],
            tax_basis_points: 1800,
            price_unit_minor: 100 * 80,
            gateway: "stripe",
            presentments: vec![
                Presentment {
                    currency: "USD",
                    exponent: 2,
                    rate_micro: 11_900,
                    country: "US",
                    province: "CA",
                },
                Presentment {
                    currency: "GBP",
                    exponent: 2,
                    rate_micro: 9_300,
                    country: "GB",
                    province: "ENG",
                },
                Presentment {
                    currency: "KWD",
                    exponent: 3,
                    rate_micro: 3_650,
                    country: "KW",
                    province: "KU",
                },
            ],
        },
        Profile {
            name: "demo-berlin",
            title: "Spree Outfitters",
            currency: "EUR",
            exponent: 2,
            zone: chrono_tz::Europe::Berlin,
            country: "DE",
            provinces: &["BE", "BY", "HH", "NW", "SN"],
            taxes_included: true,
            tax_titles: &["DE MwSt (VAT)"],
            tax_basis_points: 1900,
            price_unit_minor: 100,
            gateway: "shopify_payments",
            presentments: vec![Presentment {
                currency: "CHF",
                exponent: 2,
                rate_micro: 945_000,
                country: "CH",
                province: "ZH",
            }],
        },
        Profile {
            name: "demo-tokyo",
            title: "Sumida Paper",
            currency: "JPY",
            exponent: 0,
            zone: chrono_tz::Asia::Tokyo,
            country: "JP",
            provinces: &["JP-13", "JP-27", "JP-26"],
            taxes_included: false,
            tax_titles: &["Consumption tax"],
            tax_basis_points: 1000,
            price_unit_minor: 160,
            gateway: "shopify_payments",
            presentments: vec![Presentment {
                currency: "USD",
                exponent: 2,
                rate_micro: 6_700,
                country: "US",
                province: "NY",
            }],
        },
    ]
}
