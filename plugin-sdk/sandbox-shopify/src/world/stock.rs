//! Where goods lie, how many, and the checkouts that nobody finished. Drawn apart from the rest, so that what was
//! there before them stays what it was.

use super::{Product, Profile, Shop};
use crate::random::SplitMix;
use crate::time::{DAY, HOUR};

#[derive(Debug, Clone)]
pub struct Location {
    pub id: u64,
    pub name: &'static str,
    pub province: &'static str,
    /// Run by somebody else for the shop.
    pub service: bool,
}

/// Stock of a variant at a location.
#[derive(Debug, Clone)]
pub struct Level {
    pub id: u64,
    /// Indices into products and their variants.
    pub product: usize,
    pub variant: usize,
    /// Index into the shop's locations.
    pub location: usize,
    pub on_hand: i64,
    pub available: i64,
    pub incoming: i64,
    pub updated_at: i64,
}

#[derive(Debug, Clone)]
pub struct Checkout {
    pub id: u64,
    pub created_at: i64,
    pub updated_at: i64,
    /// When it became an order after all.
    pub completed_at: Option<i64>,
    /// Index into the shop's customers.
    pub customer: Option<u32>,
    /// Index into the profile's presentments.
    pub presentment: Option<u8>,
    pub total_minor: i64,
}

/// The shop floor that orders name, and a warehouse.
pub fn locations(profile: &Profile) -> Vec<Location> {
    let province = profile.provinces.first().copied().unwrap_or_default();
    let at = |id, name, service| Location { id, name, province, service };
    vec![at(1, "Shop floor", false), at(2, "Warehouse", true)]
}

/// Goods lie in the warehouse, and every third on the floor as well; gift cards lie nowhere.
pub fn levels(products: &[Product], until: i64, seed: u64) -> Vec<Level> {
    let mut levels = Vec::new();
    for (product, of) in products.iter().enumerate().filter(|(_, product)| !product.gift_card) {
        for (variant, one) in of.variants.iter().enumerate() {
            for location in 0..2 {
                let mut random = SplitMix::new(seed ^ (one.id * 4 + location as u64));
                if location == 0 && !random.chance(330) {
                    continue;
                }
                let on_hand = if random.chance(80) { 0 } else { random.between(1, 400) };
                levels.push(Level {
                    id: 90_000_000_000 + one.id * 4 + location as u64,
                    product,
                    variant,
                    location,
                    on_hand,
                    // Some is promised to orders; a few are sold that are not there.
                    available: on_hand - random.between(0, 12),
                    incoming: if random.chance(150) { random.between(10, 200) } else { 0 },
                    updated_at: random.between(of.created_at, until - 1),
                });
            }
        }
    }
    levels
}

/// Checkouts of a shop, at most: a large world is there at once.
const MOST_CHECKOUTS: usize = 10_000;

/// One for every eighth order; a fifth of them was finished later.
pub fn checkouts(shop: &Shop, until: i64, seed: u64) -> Vec<Checkout> {
    let mut random = SplitMix::new(seed ^ 0x000c_4ec0);
    let step = 8.max(shop.order_count() / MOST_CHECKOUTS);
    let mut checkouts = (0..shop.order_count())
        .step_by(step)
        .map(|at| shop.order(at))
        .enumerate()
        .map(|(index, order)| {
            let created_at = (order.created_at + random.between(60, DAY)).min(until - 2 * HOUR);
            let completed_at = random.chance(200).then(|| created_at + random.between(60, HOUR));
            let quiet = created_at + random.between(60, 2 * HOUR - 1);
            Checkout {
                id: 37_000_000_000 + index as u64,
                created_at,
                updated_at: completed_at.unwrap_or(quiet),
                completed_at,
                customer: order.customer,
                presentment: order.presentment,
                total_minor: order.total_minor(&shop.profile),
            }
        })
        .collect::<Vec<_>>();
    checkouts.sort_by_key(|checkout| checkout.id);
    checkouts
}
