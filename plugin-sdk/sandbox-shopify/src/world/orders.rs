//! A shop's orders: made when somebody looks at them.
//!
//! What a million orders hold would fill the memory of a small machine. An order is made by a generator whose whole
//! state is one number, so keeping that number keeps the order. Beside it stands what orders are found by.

use super::generate::Builder;
use super::{Order, Shop};
use crate::graphql::search::{Marks, Searchable};
use crate::random::SplitMix;

/// What an order is made again from, and found by.
#[derive(Debug, Clone)]
pub struct Seed {
    pub id: u64,
    pub created_at: i64,
    pub updated_at: i64,
    random: SplitMix,
}

/// In the order of their creation.
#[derive(Debug, Clone)]
pub struct Orders {
    seeds: Vec<Seed>,
    until: i64,
}

impl Orders {
    /// Makes every order once, placed at these instants, and shows it to `look`.
    pub(super) fn make(
        placed: Vec<i64>,
        until: i64,
        random: &mut SplitMix,
        mut build: impl FnMut(usize, i64, &mut SplitMix) -> Order,
        mut look: impl FnMut(&Order),
    ) -> Self {
        let seeds = placed.into_iter().enumerate().map(|(index, created_at)| {
            let before = random.clone();
            let order = build(index, created_at, random);
            look(&order);
            Seed { id: order.id, created_at, updated_at: order.updated_at, random: before }
        });
        Self { seeds: seeds.collect(), until }
    }

    pub fn seeds(&self) -> &[Seed] {
        &self.seeds
    }
}

impl Shop {
    pub fn order_count(&self) -> usize {
        self.orders.seeds.len()
    }

    /// The order at this place in the order of creation. The same place has the same order.
    ///
    /// # Panics
    /// Beyond the last one.
    pub fn order(&self, index: usize) -> Order {
        let seed = &self.orders.seeds[index];
        let mut random = seed.random.clone();
        let mut builder = Builder::new(
            &self.profile,
            &self.products,
            &self.customers,
            &mut random,
            self.orders.until,
            index,
        );
        builder.order(index, seed.created_at)
    }

    /// All of them, in the order of their creation.
    pub fn each_order(&self) -> impl Iterator<Item = Order> {
        self.newest_orders(usize::MAX)
    }

    /// At most so many, the newest ones, in the order of their creation.
    pub fn newest_orders(&self, most: usize) -> impl Iterator<Item = Order> {
        (self.order_count().saturating_sub(most)..self.order_count()).map(|index| self.order(index))
    }
}

impl Searchable for Seed {
    fn marks(&self) -> Marks {
        Marks { id: self.id, created_at: self.created_at, updated_at: self.updated_at }
    }
}
