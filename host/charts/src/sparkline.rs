//! A line without axes, beside a figure. It says up or down and no more, so it is drawn here in a few
//! bytes instead of by the script that lays charts out.

use crate::Unit;
use crate::fit::largest_triangles;

const WIDTH: f64 = 168.0;
const HEIGHT: f64 = 32.0;
/// Room for the stroke and the dot.
const MARGIN: f64 = 3.0;
/// More points than that are no longer seen.
const MOST_POINTS: usize = 84;

/// How one figure went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparkline {
    pub unit: Unit,
    /// What each value is of, in full: "12 Nov 2026".
    pub labels: Vec<String>,
    /// In the unit's smallest parts; `None` is a gap and stays one.
    pub values: Vec<Option<i64>>,
    /// From here on the period is not over: drawn dashed.
    pub unfinished_from: Option<usize>,
}

impl Sparkline {
    /// One `<svg>` element in the colour of the text around it, without style attributes; empty where
    /// fewer than two values are known: a dot goes nowhere.
    pub fn to_svg(&self) -> String {
        let points = self.points();
        if points.len() < 2 {
            return String::new();
        }
        let unfinished = self.unfinished_from.unwrap_or(usize::MAX);
        let (mut firm, mut dashed) = (String::new(), String::new());
        for (position, (index, x, y)) in points.iter().enumerate() {
            let before = position.checked_sub(1).map(|before| points[before]);
            // A line goes on where no gap lies between.
            let joined = before.filter(|(before, ..)| !self.gap_between(*before, *index));
            let path = if *index >= unfinished { &mut dashed } else { &mut firm };
            match joined {
                Some((_, x, y)) if path.is_empty() => path.push_str(&format!("M{x:.1} {y:.1}")),
                Some(_) => {}
                None => path.push_str(&format!("M{x:.1} {y:.1}")),
            }
            if joined.is_some() {
                path.push_str(&format!("L{x:.1} {y:.1}"));
            }
        }
        let path = |way: &str, dash: &str| match way {
            "" => String::new(),
            way => format!(r#"<path d="{way}"{dash}/>"#),
        };
        let (_, x, y) = points[points.len() - 1];
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round">{}{}<circle cx="{x:.1}" cy="{y:.1}" r="1.5" fill="currentColor"/></svg>"#,
            path(&firm, ""),
            path(&dashed, r#" stroke-dasharray="2 3""#),
        )
    }

    /// The same for people who do not see it: `highest 12.50 EUR (3 Nov 2026), lowest …, last …`.
    pub fn summary(&self) -> String {
        let known: Vec<(usize, i64)> =
            self.values.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?))).collect();
        let first = |best: (usize, i64), one: (usize, i64), better: bool| if better { one } else { best };
        let highest = known.iter().copied().reduce(|best, one| first(best, one, one.1 > best.1));
        let lowest = known.iter().copied().reduce(|best, one| first(best, one, one.1 < best.1));
        let (Some(highest), Some(lowest), Some(last)) = (highest, lowest, known.last()) else {
            return "Nothing is known.".to_owned();
        };
        let told = |(index, value): (usize, i64)| {
            let label = self.labels.get(index).map(String::as_str).unwrap_or_default();
            format!("{} ({label})", self.unit.exact_with_name(value.into()))
        };
        if highest.1 == lowest.1 {
            return format!("Always {}.", self.unit.exact_with_name(highest.1.into()));
        }
        let open = self.unfinished_from.is_some_and(|from| last.0 >= from);
        let unfinished = if open { ", not over yet" } else { "" };
        format!("Highest {}, lowest {}, last {}{unfinished}.", told(highest), told(lowest), told(*last))
    }

    /// Index, x and y of what is drawn.
    fn points(&self) -> Vec<(usize, f64, f64)> {
        let values: Vec<f64> = self.values.iter().map(|value| value.unwrap_or_default() as f64).collect();
        let known = self.values.iter().flatten().map(|value| *value as f64);
        let lowest = known.clone().fold(f64::INFINITY, f64::min);
        let span = known.fold(f64::NEG_INFINITY, f64::max) - lowest;
        let step = (WIDTH - 2.0 * MARGIN) / (values.len().max(2) - 1) as f64;
        let place = |index: usize| {
            let value = (*self.values.get(index)?)? as f64;
            let share = if span > 0.0 { (value - lowest) / span } else { 0.5 };
            Some((index, MARGIN + step * index as f64, HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN)))
        };
        largest_triangles(&values, MOST_POINTS).into_iter().filter_map(place).collect()
    }

    fn gap_between(&self, one: usize, other: usize) -> bool {
        self.values[one..other].iter().any(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: Vec<Option<i64>>) -> Sparkline {
        let labels = (1..=values.len()).map(|day| format!("{day} Nov")).collect();
        Sparkline { unit: Unit::Count, labels, values, unfinished_from: None }
    }

    fn way(svg: &str) -> Vec<&str> {
        svg.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn the_highest_is_on_top_and_the_last_has_the_dot() {
        let svg = line(vec![Some(0), Some(10), Some(5)]).to_svg();
        assert_eq!(way(&svg), ["M3.0 29.0L84.0 3.0L165.0 16.0"]);
        assert!(svg.contains(r#"cx="165.0" cy="16.0""#), "{svg}");
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let svg = line(vec![Some(0), Some(10), None, Some(5), Some(0)]).to_svg();
        assert_eq!(way(&svg), ["M3.0 29.0L43.5 3.0M124.5 16.0L165.0 29.0"]);
    }

    #[test]
    fn what_is_not_over_is_dashed_and_hangs_on_what_is() {
        let open = Sparkline { unfinished_from: Some(2), ..line(vec![Some(0), Some(10), Some(5)]) };
        let svg = open.to_svg();
        assert_eq!(way(&svg), ["M3.0 29.0L84.0 3.0", "M84.0 3.0L165.0 16.0"]);
        assert!(svg.contains("stroke-dasharray"));
        assert!(open.summary().ends_with("last 5 (3 Nov), not over yet."), "{}", open.summary());
    }

    #[test]
    fn where_nothing_can_go_up_or_down_there_is_no_line() {
        assert_eq!(line(vec![]).to_svg(), "");
        assert_eq!(line(vec![None, Some(3), None]).to_svg(), "");
        assert_eq!(line(vec![None]).summary(), "Nothing is known.");
        // Always the same is a level line, not a fall to the floor.
        assert_eq!(way(&line(vec![Some(7), Some(7)]).to_svg()), ["M3.0 16.0L165.0 16.0"]);
        assert_eq!(line(vec![Some(7), Some(7)]).summary(), "Always 7.");
    }

    #[test]
    fn words_name_extremes_and_the_last_but_no_total() {
        let told = line(vec![Some(4), None, Some(-2), Some(9), Some(9)]).summary();
        assert_eq!(told, "Highest 9 (4 Nov), lowest \u{2212}2 (3 Nov), last 9 (5 Nov).");
    }

    #[test]
    fn many_points_and_great_numbers_stay_small_and_inside() {
        let values = (0..5_000).map(|index| Some(if index % 2 == 0 { i64::MIN } else { i64::MAX })).collect();
        let svg = line(values).to_svg();
        assert!(svg.len() < 2_000, "{} bytes", svg.len());
        for pair in way(&svg)[0].split(['M', 'L']).filter(|pair| !pair.is_empty()) {
            let (x, y) = pair.split_once(' ').expect("two numbers");
            let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
            assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{pair}");
        }
    }
}
