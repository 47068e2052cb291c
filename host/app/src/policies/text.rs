//! Policies as people write them in a form: a rule a line, columns with commas between.

use portolan_analytics::Dimension;
use portolan_analytics::FilterOp;
use portolan_analytics::policy::{ColumnEffect, ColumnPolicy, RowPolicy, RowRule, RuleValue};

const UNKNOWN: &str = "unknown";
const ATTRIBUTE: &str = "attr.";

/// `country in DE, AT, unknown, attr.countries`: one such rule a line. Errors say which line.
pub fn read_rules(text: &str) -> Result<RowPolicy, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let rules = lines.map(|line| {
        read_rule(line).ok_or_else(|| {
            let line: String = line.chars().take(80).collect();
            format!("{line:?} is no rule: write it like “country in DE, AT” or “channel not in stripe”.")
        })
    });
    Ok(RowPolicy { rules: rules.collect::<Result<_, _>>()? })
}

fn read_rule(line: &str) -> Option<RowRule> {
    let (dimension, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    let (op, values) = match rest.strip_prefix("not ") {
        Some(rest) => (FilterOp::NotIn, rest.trim_start().strip_prefix("in ")?),
        None => (FilterOp::In, rest.strip_prefix("in ")?),
    };
    let values = values.split(',').map(|value| match value.trim() {
        UNKNOWN => RuleValue::Literal(None),
        text => match text.strip_prefix(ATTRIBUTE) {
            Some(attribute) => RuleValue::Attribute { attribute: attribute.to_owned() },
            None => RuleValue::Literal(Some(text.to_owned())),
        },
    });
    Some(RowRule { dimension: Dimension::find(dimension)?, op, values: values.collect() })
}

/// The same in turn; nothing where a value can't be written so that it is read back.
pub fn write_rules(policy: &RowPolicy) -> Option<String> {
    let lines: Vec<String> = policy.rules.iter().map(write_rule).collect();
    let text = lines.join("\n");
    (read_rules(&text).as_ref() == Ok(policy)).then_some(text)
}

fn write_rule(rule: &RowRule) -> String {
    let op = match rule.op {
        FilterOp::In => "in",
        FilterOp::NotIn => "not in",
    };
    let values = rule.values.iter().map(|value| match value {
        RuleValue::Literal(None) => UNKNOWN.to_owned(),
        RuleValue::Literal(Some(text)) => text.clone(),
        RuleValue::Attribute { attribute } => format!("{ATTRIBUTE}{attribute}"),
    });
    format!("{} {op} {}", rule.dimension.id(), values.collect::<Vec<_>>().join(", "))
}

/// `costs, cash`.
pub fn read_columns(text: &str, hide: bool) -> ColumnPolicy {
    let names = text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
    let effect = if hide { ColumnEffect::Hide } else { ColumnEffect::Mask };
    ColumnPolicy { columns: names.map(str::to_owned).collect(), effect }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_back_as_they_were_written() {
        let text = "country in DE, AT, unknown, attr.countries\nchannel not in stripe";
        let policy = read_rules(&format!("\n {text}\n")).expect("a policy");
        assert_eq!(policy.check(), Ok(()));
        assert_eq!(policy.rules[0].values[2], RuleValue::Literal(None));
        assert_eq!(policy.rules[1].op, FilterOp::NotIn);
        assert_eq!(write_rules(&policy).as_deref(), Some(text));
        for wrong in ["country", "country DE", "weather in wet", "country is DE", "country not DE"] {
            assert!(read_rules(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_line_cannot_hold_is_not_written() {
        for value in ["a, b", "unknown", "attr.x", " a"] {
            let values = vec![RuleValue::Literal(Some(value.to_owned()))];
            let rule = RowRule { dimension: Dimension::Store, op: FilterOp::In, values };
            assert_eq!(write_rules(&RowPolicy { rules: vec![rule] }), None, "{value:?}");
        }
    }
}
