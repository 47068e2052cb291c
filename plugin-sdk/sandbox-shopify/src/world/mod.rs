//! The demo world: shops with products, customers and orders that happened to them.
//!
//! Amounts are minor units of the shop's currency, in the shop's own price basis (including tax
//! where `taxes_included`). Signs follow the seller: what it gains is positive.

mod catalogue;
mod export;
mod generate;
mod history;
mod orders;
mod price;
mod profile;
mod stock;
pub mod truth;

pub use orders::{Orders, Seed};
pub use price::present;
pub(crate) use price::tax as tax_share;
pub use profile::{Presentment, Profile};
pub use stock::{Checkout, Level, Location};

use crate::random::SplitMix;

/// How much of a world to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 240 orders: for tests.
    Tiny,
    /// 20,000 orders over two years, 200 products, 8,000 customers.
    S,
    /// 1,000,000 orders of 300,000 customers: a year or two of a large merchant.
    M,
    /// 5,000,000 orders of 1,200,000 customers.
    L,
}

impl Size {
    fn orders(self) -> usize {
        match self {
            Self::Tiny => 240,
            Self::S => 20_000,
            Self::M => 1_000_000,
            Self::L => 5_000_000,
        }
    }
    fn products(self) -> usize {
        match self {
            Self::Tiny => 24,
            Self::S => 200,
            Self::M => 5_000,
            Self::L => 20_000,
        }
    }
    fn customers(self) -> usize {
        match self {
            Self::Tiny => 90,
            Self::S => 8_000,
            Self::M => 300_000,
            Self::L => 1_200_000,
        }
    }
}

/// Everything the sandbox serves.
#[derive(Debug, Clone)]
pub struct World {
    pub seed: u64,
    /// Nothing happened at or after this instant.
    pub until: i64,
    /// The first is the one that answers without a path prefix.
    pub shops: Vec<Shop>,
}

impl World {
    /// Makes the world. The same arguments give the same world.
    pub fn generate(size: Size, seed: u64, until: i64) -> Self {
        let profiles = profile::all();
        let shops = profiles
            .into_iter()
            .enumerate()
            .map(|(index, profile)| {
                // The first shop has the full size; the others are branches a tenth of it.
                let divisor = if index == 0 { 1 } else { 10 };
                let seed = seed.wrapping_mul(31).wrapping_add(index as u64);
                let mut shop = generate::shop(profile, size, divisor, until, SplitMix::new(seed));
                shop.locations = stock::locations(&shop.profile);
                shop.levels = stock::levels(&shop.products, until, seed);
                shop.checkouts = stock::checkouts(&shop, until, seed);
                shop
            })
            .collect();
        Self { seed, until, shops }
    }

    pub fn shop(&self, name: &str) -> Option<&Shop> {
        self.shops.iter().find(|shop| shop.profile.name == name)
    }
}

#[derive(Debug, Clone)]
pub struct Shop {
    pub profile: Profile,
    pub products: Vec<Product>,
    pub customers: Vec<Customer>,
    /// See [`Shop::order`] and [`Shop::each_order`].
    pub orders: Orders,
    pub locations: Vec<Location>,
    pub levels: Vec<Level>,
    /// By id.
    pub checkouts: Vec<Checkout>,
}

#[derive(Debug, Clone)]
pub struct Product {
    pub id: u64,
    pub title: String,
    pub category: &'static str,
    pub vendor: &'static str,
    pub gift_card: bool,
    pub created_at: i64,
    pub updated_at: i64,
    pub variants: Vec<Variant>,
}

#[derive(Debug, Clone)]
pub struct Variant {
    pub id: u64,
    pub title: String,
    pub sku: String,
    pub barcode: String,
    pub price_minor: i64,
    pub cost_minor: i64,
}

#[derive(Debug, Clone)]
pub struct Customer {
    pub id: u64,
    pub country: &'static str,
    pub province: &'static str,
    pub created_at: i64,
    pub updated_at: i64,
    pub orders: u32,
    pub wholesale: bool,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub id: u64,
    pub number: u32,
    pub created_at: i64,
    pub updated_at: i64,
    pub cancelled: Option<(i64, &'static str)>,
    pub test: bool,
    /// Index into the shop's customers; `None` for a guest.
    pub customer: Option<u32>,
    pub country: &'static str,
    pub province: &'static str,
    pub source: &'static str,
    /// Index into the profile's presentments; `None` where the buyer saw the shop's currency.
    pub presentment: Option<u8>,
    pub discount: Option<Discount>,
    pub lines: Vec<Line>,
    pub shipping: Option<Shipping>,
    /// Import duty, charged on the first line.
    pub duty_minor: i64,
    pub agreements: Vec<Agreement>,
    pub refunds: Vec<Refund>,
    pub transactions: Vec<Transaction>,
    pub fulfilled: bool,
    pub campaign: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discount {
    Code(&'static str, i64),
    Automatic(&'static str, i64),
    Manual(&'static str, i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    Goods,
    GiftCard,
    Tip,
}

/// A line as it stands after edits that added to it; what was taken out is in `removed`.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: u64,
    pub kind: LineKind,
    /// Indices into products and their variants; meaningless for a tip.
    pub product: usize,
    pub variant: usize,
    pub quantity: i64,
    pub removed: i64,
    pub refunded: i64,
    pub unit_minor: i64,
    /// Discounts by order of application: the order's, then an edit's.
    pub discount_minor: i64,
    pub edit_discount_minor: i64,
    /// Tax inside both discounts, rounded once for the line; 0 where prices exclude tax.
    pub discount_tax_minor: i64,
    pub tax_minor: i64,
}

impl Line {
    pub fn gross_minor(&self) -> i64 {
        self.unit_minor * self.quantity
    }
    pub fn all_discount_minor(&self) -> i64 {
        self.discount_minor + self.edit_discount_minor
    }
    fn standing(&self) -> i64 {
        self.quantity - self.removed - self.refunded
    }
}

#[derive(Debug, Clone)]
pub struct Shipping {
    pub id: u64,
    pub title: &'static str,
    pub price_minor: i64,
    pub discount_minor: i64,
    /// As on a line.
    pub discount_tax_minor: i64,
    pub tax_minor: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreementKind {
    Order,
    Edit,
    /// Index into the order's refunds.
    Refund(usize),
}

/// What Shopify records as having been agreed at one moment.
#[derive(Debug, Clone)]
pub struct Agreement {
    pub id: u64,
    pub at: i64,
    pub kind: AgreementKind,
    pub sales: Vec<Sale>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleKind {
    /// Index into the order's lines.
    Line(usize),
    Shipping,
    Duty,
    Adjustment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleAction {
    Order,
    Update,
    Return,
}

/// One signed movement, in the shop's price basis.
#[derive(Debug, Clone)]
pub struct Sale {
    pub id: u64,
    pub kind: SaleKind,
    pub action: SaleAction,
    pub quantity: Option<i64>,
    pub gross_minor: i64,
    pub discount_minor: i64,
    /// Its share of the line's `discount_tax_minor`: the sales of a line add up to it.
    pub discount_tax_minor: i64,
    pub tax_minor: i64,
}

#[derive(Debug, Clone)]
pub struct RefundLine {
    pub id: u64,
    pub line: usize,
    pub quantity: i64,
    pub restock: &'static str,
    pub subtotal_minor: i64,
    pub tax_minor: i64,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: u64,
    pub at: i64,
    pub lines: Vec<RefundLine>,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub duty_minor: i64,
    /// What was given back beyond (positive) or below (negative) the lines.
    pub adjustment_minor: i64,
    /// What the buyer got back.
    pub total_minor: i64,
}

#[derive(Debug, Clone)]
pub struct Transaction {
    pub id: u64,
    pub kind: &'static str,
    pub status: &'static str,
    pub gateway: &'static str,
    pub at: i64,
    pub amount_minor: i64,
    pub parent: Option<u64>,
}
