//! Values at random from a string of bytes, with a liking for the edges. When the bytes are used up, zeroes
//! follow: so every script ends.

use crate::portolan::plugin::types::{Decimal, Moment};

pub struct Dice<'a> {
    bytes: &'a [u8],
}

const TEXTS: [&str; 14] = [
    "",
    "a",
    "EUR",
    "eur",
    "X-POINTS",
    "orders",
    "customers",
    "json",
    "csv;delimiter=%3B",
    "\0",
    "\u{1b}[2J\n\r\t",
    "\u{202e}\u{10348}é",
    "{{token}}",
    "https://acme.shops.example/a?b=c",
];

const INTEGERS: [i64; 12] = [
    0,
    1,
    -1,
    100,
    i64::MAX,
    i64::MIN,
    i32::MAX as i64,
    u32::MAX as i64,
    1_790_000_000_000_000,
    253_402_300_799_999_999,
    253_402_300_800_000_000,
    -62_135_596_800_000_001,
];

impl<'a> Dice<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn below(&mut self, limit: u8) -> usize {
        usize::from(self.byte() % limit)
    }

    pub fn long(&mut self) -> i64 {
        match self.byte() {
            choice if choice < 200 => INTEGERS[usize::from(choice) % INTEGERS.len()],
            _ => i64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// Mostly small, as counts and indices are.
    pub fn count(&mut self) -> u32 {
        match self.byte() {
            250.. => u32::MAX,
            byte => u32::from(byte) % 7,
        }
    }

    pub fn text(&mut self) -> String {
        match self.byte() {
            choice if choice < 220 => TEXTS[usize::from(choice) % TEXTS.len()].to_owned(),
            choice if choice < 240 => (0..self.below(40)).map(|_| char::from(self.byte())).collect(),
            choice if choice < 250 => "long ".repeat(60),
            _ => "longer ".repeat(900),
        }
    }

    /// A text that is accepted more often than not.
    pub fn word(&mut self) -> String {
        if self.byte() < 230 { format!("k{}", self.byte() % 5) } else { self.text() }
    }

    pub fn currency(&mut self) -> String {
        if self.byte() < 230 { "EUR".to_owned() } else { self.text() }
    }

    pub fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(value(self)) } else { None }
    }

    pub fn list<T>(&mut self, value: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| value(self)).collect()
    }

    pub fn pairs(&mut self) -> Vec<(String, String)> {
        self.list(|dice| (dice.word(), dice.text()))
    }

    pub fn moment(&mut self) -> Moment {
        let at = if self.byte() < 220 { 1_790_000_000_000_000 } else { self.long() };
        if self.flag() { Moment::At(at) } else { Moment::Local(at) }
    }

    pub fn day(&mut self) -> i32 {
        if self.byte() < 220 { 20_000 } else { self.long() as i32 }
    }

    pub fn decimal(&mut self) -> Decimal {
        let scale = if self.byte() < 230 { self.byte() % 10 } else { self.byte() };
        Decimal { unscaled: self.long(), scale }
    }
}
