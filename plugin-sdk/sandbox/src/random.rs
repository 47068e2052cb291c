//! SplitMix64: the same seed gives the same world on every machine.

/// A small deterministic generator; not for secrets.
#[derive(Debug, Clone)]
pub struct SplitMix(u64);

impl SplitMix {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 for an empty range.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw() % bound }
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// True in `permille` of a thousand draws.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// An index below `count` that prefers small ones: a few sell a lot, many a little.
    pub fn skewed(&mut self, count: usize) -> usize {
        let draw = self.below(1 << 20);
        let squared = (draw * draw) >> 20;
        ((squared * count as u64) >> 20) as usize
    }

    /// An index by weight, given running totals.
    pub fn weighted(&mut self, running_totals: &[u64]) -> usize {
        let draw = self.below(running_totals.last().copied().unwrap_or(0));
        running_totals.partition_point(|total| *total <= draw)
    }
}
