//! The same numbers as a table and as a sentence, exact and in full.

use crate::{ChartSpec, Series, Unit};

/// Between thousands: narrow no-break space.
const THIN_SPACE: char = '\u{202f}';

/// The numbers of a chart, formatted in full. The first column names the row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartTable {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Unit {
    fn exponent(&self) -> usize {
        match self {
            Self::Money { exponent, .. } => usize::from(*exponent),
            Self::Count => 0,
            Self::QuantityMilli => 3,
            Self::PerMille => 1,
        }
    }

    /// Empty for plain counts.
    pub fn name(&self) -> String {
        match self {
            Self::Money { currency, .. } => currency.to_string(),
            Self::PerMille => "%".to_owned(),
            Self::Count | Self::QuantityMilli => String::new(),
        }
    }

    /// In full, without the unit's name: `−1 234.50`.
    pub fn exact(&self, value: i128) -> String {
        let exponent = self.exponent();
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let fraction = if *self == Self::QuantityMilli { fraction.trim_end_matches('0') } else { fraction };
        let mut text = String::new();
        if value < 0 {
            text.push('\u{2212}');
        }
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(THIN_SPACE);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
        text
    }

    /// In full, with the unit's name.
    pub(crate) fn exact_with_name(&self, value: i128) -> String {
        let name = self.name();
        let number = self.exact(value);
        if name.is_empty() { number } else { format!("{number}{THIN_SPACE}{name}") }
    }

    /// Shares and ratios don't add up.
    fn adds_up(&self) -> bool {
        *self != Self::PerMille
    }
}

impl ChartSpec {
    /// One row per category, one column per series; a gap is "–".
    pub fn table(&self) -> ChartTable {
        let unit = self.unit.name();
        let mut head = vec![self.category_name.clone()];
        head.extend(self.series.iter().map(|series| {
            if unit.is_empty() { series.name.clone() } else { format!("{}, {unit}", series.name) }
        }));
        let row = |index: usize| {
            let mut cells = vec![self.categories[index].in_full().to_owned()];
            cells.extend(self.series.iter().map(
                |series| match series.values.get(index).copied().flatten() {
                    Some(value) => self.unit.exact(value.into()),
                    None => "–".to_owned(),
                },
            ));
            cells
        };
        ChartTable { head, rows: (0..self.categories.len()).map(row).collect() }
    }

    /// What the chart shows, for people who do not see it.
    pub fn summary(&self) -> String {
        if self.is_empty() {
            return "There is nothing to show.".to_owned();
        }
        let mut sentences: Vec<String> = self.series.iter().filter_map(|series| self.told(series)).collect();
        if let Some(category) = self.unfinished_from.and_then(|from| self.categories.get(from)) {
            sentences.push(format!("The period is not over from {} on.", category.in_full()));
        }
        sentences.join(" ")
    }

    fn told(&self, series: &Series) -> Option<String> {
        let known: Vec<(usize, i64)> =
            series.values.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?))).collect();
        let (highest_at, highest) =
            known.iter().copied().reduce(|best, one| if one.1 > best.1 { one } else { best })?;
        let (lowest_at, lowest) =
            known.iter().copied().reduce(|best, one| if one.1 < best.1 { one } else { best })?;
        let place = |index: usize| {
            let own = series.labels.get(index).map(String::as_str);
            own.or_else(|| self.categories.get(index).map(|category| category.in_full())).unwrap_or_default()
        };
        let mut text = format!("{}: ", series.name);
        if self.unit.adds_up() {
            let total = known.iter().map(|(_, value)| i128::from(*value)).sum();
            text += &format!("total {}, ", self.unit.exact_with_name(total));
        }
        text += &format!("highest {} ({})", self.unit.exact_with_name(highest.into()), place(highest_at));
        if lowest != highest {
            text += &format!(", lowest {} ({})", self.unit.exact_with_name(lowest.into()), place(lowest_at));
        }
        Some(text + ".")
    }
}
