//! Figures as a line in the terminal and as tables in docs/benchmarks.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

const HEAD: &str = "\
# Benchmarks

The last run of `cargo xtask bench`, which wrote this file. Figures of a small, shared machine are floors and
ratios, not promises; what they are measured against is in the column *target*. No test looks at them.
";

/// One measured number.
#[derive(Debug)]
pub struct Figure {
    name: String,
    value: f64,
    unit: String,
    target: Option<f64>,
    /// Whether more is better, as for rates; else less is, as for durations.
    higher_is_better: bool,
    note: String,
    /// The size of the ledger that it is of; figures of several sizes make a table.
    events: Option<u64>,
}

impl Figure {
    pub fn of(value: &Value) -> Option<Self> {
        Some(Self {
            name: value["figure"].as_str()?.to_owned(),
            value: value["value"].as_f64()?,
            unit: value["unit"].as_str()?.to_owned(),
            target: value["target"].as_f64(),
            higher_is_better: value["better"] == "higher",
            note: value["note"].as_str().unwrap_or_default().to_owned(),
            events: value["events"].as_u64(),
        })
    }

    pub fn to_json(&self, bench: &str) -> Value {
        json!({"bench": bench, "figure": self.name, "value": self.value, "unit": self.unit, "target": self.target,
            "met": self.met(), "note": self.note, "events": self.events})
    }

    pub fn print(&self) {
        let of_size = self.events.map(|events| format!("{} events: ", grouped(events as f64)));
        println!(
            "  {:<52} {:>14} {:<9} {}",
            of_size.unwrap_or_default() + &self.name,
            grouped(self.value),
            self.unit,
            self.against_target()
        );
    }

    fn met(&self) -> Option<bool> {
        self.target
            .map(|target| if self.higher_is_better { self.value >= target } else { self.value <= target })
    }

    fn against_target(&self) -> String {
        let Some(target) = self.target else { return String::new() };
        let bound = if self.higher_is_better { "≥" } else { "≤" };
        let verdict = if self.met() == Some(true) { "met" } else { "missed" };
        format!("{bound} {} {verdict}", grouped(target))
    }
}

/// The body of a benchmark's section.
pub fn section(what: &str, figures: &[Figure]) -> String {
    let mut text = format!("{}{}.\n\n", what[..1].to_uppercase(), &what[1..]);
    let (sized, plain): (Vec<&Figure>, Vec<&Figure>) =
        figures.iter().partition(|figure| figure.events.is_some());
    if !sized.is_empty() {
        text += &table_of_sizes(&sized);
        text += "\n";
    }
    text += "| figure | value | target | note |\n|---|--:|---|---|\n";
    for figure in plain {
        let value = grouped(figure.value);
        text += &format!(
            "| {} | {value} {} | {} | {} |\n",
            figure.name,
            figure.unit,
            figure.against_target(),
            figure.note
        );
    }
    text
}

/// A row for each figure, a column for each size of the ledger.
fn table_of_sizes(figures: &[&Figure]) -> String {
    let sizes: BTreeSet<u64> = figures.iter().filter_map(|figure| figure.events).collect();
    let mut names: Vec<(&str, &str)> = Vec::new();
    for figure in figures {
        if !names.contains(&(&figure.name, &figure.unit)) {
            names.push((&figure.name, &figure.unit));
        }
    }
    let heads: Vec<String> = sizes.iter().map(|events| grouped(*events as f64)).collect();
    let mut text = format!("| events in the ledger | {} |\n", heads.join(" | "));
    text += &format!("|---|{}\n", "--:|".repeat(sizes.len()));
    for (name, unit) in names {
        let value = |events: &u64| {
            let of_size = |figure: &&&Figure| figure.name == name && figure.events == Some(*events);
            figures.iter().find(of_size).map_or_else(String::new, |figure| grouped(figure.value))
        };
        let values: Vec<String> = sizes.iter().map(value).collect();
        text += &format!("| {name}, {unit} | {} |\n", values.join(" | "));
    }
    text
}

/// Replaces the sections that ran and keeps the others.
pub fn write(file: &Path, machine: &Value, sections: &[(&str, String)]) -> Result<()> {
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let mut kept: BTreeMap<String, String> = sections_of(&before);
    let ran = format!(
        "\n{} · {} cores · {} GB · {} · {}{}\n",
        text_of(machine, "cpu"),
        text_of(machine, "cores"),
        text_of(machine, "memory_gb"),
        text_of(machine, "system"),
        text_of(machine, "date"),
        other_build(machine)
    );
    for (bench, body) in sections {
        kept.insert((*bench).to_owned(), format!("{ran}\n{body}"));
    }
    let mut text = HEAD.to_owned();
    for (bench, _) in super::BENCHES {
        if let Some(body) = kept.get(*bench) {
            text += &format!("\n## {bench}\n{body}");
        }
    }
    std::fs::write(file, text)?;
    println!("\nwritten to {}", file.display());
    Ok(())
}

fn sections_of(text: &str) -> BTreeMap<String, String> {
    text.split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .map(|(name, body)| (name.to_owned(), format!("{}\n", body.trim_end())))
        .collect()
}

/// What the figures were measured on.
pub fn machine(profile: &str) -> Result<Value> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once([':', '=']))
            .map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let memory_kb = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let date = crate::process::stdout_of(std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    Ok(json!({
        "cpu": field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        "cores": std::thread::available_parallelism()?.get(),
        "memory_gb": memory_kb.unwrap_or_default() / 1_048_576,
        "system": field(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.to_owned()),
        "date": date.trim(),
        "profile": profile,
    }))
}

/// A warning where it was not the release that was measured.
fn other_build(machine: &Value) -> String {
    match machine["profile"].as_str() {
        None | Some("release") => String::new(),
        Some(profile) => format!(" · **built with profile `{profile}`, slower than a release**"),
    }
}

fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().map_or_else(|| value[name].to_string(), str::to_owned)
}

/// `12,345` from a hundred on, `12.3` from ten on, `1.23` below.
fn grouped(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Figure, grouped, section, sections_of, write};

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(123_456.4), "123,456");
        assert_eq!(grouped(-1_234.0), "-1,234");
        assert_eq!(grouped(28.34), "28.3");
        assert_eq!(grouped(0.5), "0.50");
    }

    #[test]
    fn a_rate_meets_its_target_from_below() {
        let rate = json!({"figure": "orders", "value": 130_000, "unit": "orders/s", "target": 120_000, "better": "higher"});
        assert_eq!(Figure::of(&rate).unwrap().against_target(), "≥ 120,000 met");
        let duration = json!({"figure": "cold", "value": 300.0, "unit": "ms", "target": 250});
        assert_eq!(Figure::of(&duration).unwrap().against_target(), "≤ 250 missed");
    }

    #[test]
    fn figures_of_sizes_stand_in_columns() {
        let figure = |name: &str, events: u64, value: f64| {
            Figure::of(&json!({"figure": name, "value": value, "unit": "ms", "events": events})).unwrap()
        };
        let plain =
            Figure::of(&json!({"figure": "ratio", "value": 1.2, "unit": "×", "target": 1.5})).unwrap();
        let figures = [
            figure("fold", 10_000, 5.5),
            figure("cold", 10_000, 20.0),
            figure("fold", 1_000_000, 6.0),
            figure("cold", 1_000_000, 300.0),
            figure("peer", 1_000_000, 200.0),
            plain,
        ];
        let text = section("scale", &figures);
        let table = "| events in the ledger | 10,000 | 1,000,000 |\n|---|--:|--:|\n| fold, ms | 5.50 | 6.00 |\n\
                     | cold, ms | 20.0 | 300 |\n| peer, ms |  | 200 |\n";
        assert!(text.contains(table), "{text}");
        assert!(text.contains("| ratio | 1.20 × | ≤ 1.50 met |"), "{text}");
    }

    #[test]
    fn a_section_is_found_again_in_the_written_file() {
        let figure = Figure::of(&json!({"figure": "cold", "value": 300.0, "unit": "ms"})).unwrap();
        let body = section("queries", &[figure]);
        assert!(body.starts_with("Queries.\n\n| figure"));
        let text = format!("# Benchmarks\n\nhead\n\n## query\n{body}\n## sync\nother\n");
        let found = sections_of(&text);
        assert_eq!(found["query"], body);
        assert_eq!(found["sync"], "other\n");
    }

    #[test]
    fn a_run_of_one_benchmark_keeps_the_others() {
        let file = std::env::temp_dir().join(format!("portolan-benchmarks-{}.md", std::process::id()));
        let machine = |date: &str| json!({"cpu": "a", "cores": 2, "memory_gb": 8, "system": "b", "profile": "release", "date": date});
        write(&file, &machine("2026-01-01"), &[("sync", "old\n".to_owned()), ("query", "kept\n".to_owned())])
            .unwrap();
        write(&file, &machine("2026-02-02"), &[("sync", "new\n".to_owned())]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(text.contains("## sync\n\na · 2 cores · 8 GB · b · 2026-02-02\n\nnew\n"), "{text}");
        assert!(text.contains("## query\n\na · 2 cores · 8 GB · b · 2026-01-01\n\nkept\n"), "{text}");
        assert!(!text.contains("old"));
    }
}
