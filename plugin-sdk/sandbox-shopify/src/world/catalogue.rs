//! What the shops sell, and to whom.

use super::{Customer, Product, Profile, Variant};
use crate::random::SplitMix;
use crate::time::DAY;

const MATERIALS: &[&str] = &[
    "Cotton", "Linen", "Jute", "Silk", "Bamboo", "Ceramic", "Brass", "Teak", "Wool", "Paper", "Copper",
    "Clay",
];
const THINGS: &[(&str, &str, i64)] = &[
    ("Tea Towel", "Home > Kitchen", 6),
    ("Kettle", "Home > Kitchen", 34),
    ("Notebook", "Office > Paper", 7),
    ("Shirt", "Apparel > Tops", 29),
    ("Scarf", "Apparel > Accessories", 24),
    ("Lantern", "Home > Lighting", 41),
    ("Tote", "Apparel > Bags", 15),
    ("Tea Tin", "Food > Tea", 11),
    ("Cushion", "Home > Living", 22),
    ("Bowl", "Home > Kitchen", 13),
    ("Throw", "Home > Living", 49),
    ("Tray", "Home > Kitchen", 18),
    ("Lamp", "Home > Lighting", 64),
    ("Apron", "Apparel > Workwear", 19),
];
const VENDORS: &[&str] = &["Hooghly Works", "Spree Atelier", "Sumida Mill", "Kasai & Daughters"];
const SIZES: &[&str] = &["Small", "Medium", "Large"];

/// Products, the most popular first; the last one is a gift card.
pub fn products(profile: &Profile, count: usize, until: i64, random: &mut SplitMix) -> Vec<Product> {
    let mut products = Vec::with_capacity(count);
    for index in 0..count {
        let gift_card = index + 1 == count;
        let (thing, category, price) = THINGS[index % THINGS.len()];
        let material = MATERIALS[(index / THINGS.len() + index) % MATERIALS.len()];
        let title = if gift_card {
            "Gift Card".to_owned()
        } else {
            format!("{material} {thing} No. {}", index / 12 + 1)
        };
        let created_at = until - 760 * DAY + random.between(0, 20 * DAY);
        let id = 7_000_000_000 + index as u64 * 16;
        let variant_count = if gift_card { 2 } else { [1, 3, 1, 2][index % 4] };
        let variants = (0..variant_count)
            .map(|number| {
                let percent = 90 + random.between(0, 25) + 12 * number as i64;
                let base = if gift_card { 20 * (number as i64 + 1) * 100 } else { price * percent };
                let price_minor = (base * profile.price_unit_minor / 100).max(1);
                Variant {
                    id: 41_000_000_000 + index as u64 * 16 + number as u64,
                    title: if variant_count == 1 { "Default Title" } else { SIZES[number] }.to_owned(),
                    sku: format!("{}-{:04}-{}", if gift_card { "GIFT" } else { "PT" }, index + 1, number + 1),
                    barcode: format!("29{:09}{}", index + 1, number),
                    price_minor,
                    cost_minor: if gift_card { 0 } else { price_minor * random.between(35, 60) / 100 },
                }
            })
            .collect();
        products.push(Product {
            id,
            title,
            category,
            vendor: VENDORS[index % VENDORS.len()],
            gift_card,
            created_at,
            updated_at: random.between(created_at, until - 1),
            variants,
        });
    }
    products
}

/// Customers; their dates and counts are set when their orders are known.
pub fn customers(profile: &Profile, count: usize, until: i64, random: &mut SplitMix) -> Vec<Customer> {
    (0..count)
        .map(|index| {
            let abroad = random.chance(90);
            let (country, province) = if abroad {
                let presentment = random.pick(&profile.presentments);
                (presentment.country, presentment.province)
            } else {
                (profile.country, *random.pick(profile.provinces))
            };
            let created_at = until - 740 * DAY + random.between(0, 735 * DAY);
            Customer {
                id: 8_000_000_000 + index as u64,
                country,
                province,
                created_at,
                updated_at: created_at,
                orders: 0,
                wholesale: random.chance(30),
            }
        })
        .collect()
}
