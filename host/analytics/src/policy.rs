//! Policies as they are written and kept: rows by typed rules, columns by their names. What they mean for somebody is a
//! [`Visibility`]; what can't be read means that nothing is seen.

use std::collections::{BTreeMap, BTreeSet};

use portolan_core::{ConnectionId, Currency};
use serde::{Deserialize, Serialize};

use crate::catalogue::{self, Metric};
use crate::dimension::Dimension;
use crate::query::FilterOp;
use crate::visibility::{Closed, RowLimit, Visibility};

/// By what rows are kept to some: what single events say, and no other event can change.
pub const ROW_DIMENSIONS: [Dimension; 7] = [
    Dimension::Channel,
    Dimension::Connection,
    Dimension::SalesChannel,
    Dimension::Store,
    Dimension::Product,
    Dimension::Country,
    Dimension::Currency,
];

/// What can be kept from somebody in documents as well as in answers.
pub const CLOSABLE_DIMENSIONS: [Dimension; 5] = [
    Dimension::SalesChannel,
    Dimension::Store,
    Dimension::Product,
    Dimension::Country,
    Dimension::NewReturning,
];

const MOST_RULES: usize = 20;
const MOST_VALUES: usize = 1_000;
const LONGEST_VALUE_CHARS: usize = 500;
const MOST_COLUMNS: usize = 100;
const LONGEST_ATTRIBUTE_CHARS: usize = 40;

/// What is known of a person, by name: lists of texts that rules refer to.
pub type Attributes = BTreeMap<String, BTreeSet<String>>;

/// Whoever it applies to sees the rows that meet all of its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowPolicy {
    pub rules: Vec<RowRule>,
}

/// Rows whose dimension is (not) one of the values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowRule {
    pub dimension: Dimension,
    #[serde(default)]
    pub op: FilterOp,
    pub values: Vec<RuleValue>,
}

/// A value of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RuleValue {
    /// Every value of this attribute of the person.
    Attribute { attribute: String },
    /// A value by itself; null is unknown.
    Literal(Option<String>),
}

/// Whoever it applies to sees these columns masked, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPolicy {
    /// Groups, metrics and dimensions by their ids.
    pub columns: Vec<String>,
    pub effect: ColumnEffect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnEffect {
    Mask,
    Hide,
}

/// Columns that are closed together, in answers and in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnGroup {
    /// Payments, refunds, disputes, fees, payouts and balances.
    Cash,
    /// What goods cost, and the margins.
    Costs,
    /// Who bought, and what was noted on an order.
    Personal,
    /// Every amount of sales.
    Sales,
}

/// What a column policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnName {
    Group(ColumnGroup),
    Metric(&'static Metric),
    Dimension(Dimension),
}

/// Why a policy can't be kept: `path` says which part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct PolicyFault {
    pub path: String,
    pub message: String,
}

impl PolicyFault {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl ColumnGroup {
    pub const ALL: [Self; 4] = [Self::Cash, Self::Costs, Self::Personal, Self::Sales];

    pub const fn id(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Costs => "costs",
            Self::Personal => "personal",
            Self::Sales => "sales",
        }
    }

    pub const fn description(self) -> &'static str {
        match self {
            Self::Cash => "Payments, refunds, disputes, fees, payouts and balances.",
            Self::Costs => "What goods cost, and the margins.",
            Self::Personal => "Who bought, and what was noted on an order.",
            Self::Sales => "Every amount of sales, in answers and on orders.",
        }
    }
}

impl ColumnName {
    /// A group's, a metric's or a dimension's id.
    pub fn find(id: &str) -> Option<Self> {
        let group = ColumnGroup::ALL.into_iter().find(|group| group.id() == id).map(Self::Group);
        let metric = || catalogue::metric(id).map(Self::Metric);
        group.or_else(metric).or_else(|| Dimension::find(id).map(Self::Dimension))
    }
}

impl RowPolicy {
    /// Fails where it would not do what it says.
    pub fn check(&self) -> Result<(), PolicyFault> {
        if self.rules.is_empty() || self.rules.len() > MOST_RULES {
            return Err(PolicyFault::new("rules", format!("Write 1 to {MOST_RULES} rules.")));
        }
        for (index, rule) in self.rules.iter().enumerate() {
            rule.check(&format!("rules/{index}"))?;
        }
        Ok(())
    }

    /// What is left of the ledgers for somebody with these attributes.
    pub fn apply(&self, attributes: &Attributes, seen: &mut Visibility) {
        if self.check().is_err() {
            seen.limit(RowLimit::nothing());
        }
        for rule in &self.rules {
            seen.limit(rule.limit(attributes));
        }
    }
}

impl RowRule {
    fn check(&self, path: &str) -> Result<(), PolicyFault> {
        if !ROW_DIMENSIONS.contains(&self.dimension) {
            let known = ROW_DIMENSIONS.map(Dimension::id).join(", ");
            let message = format!("Rows can't be kept to some by {}: use {known}.", self.dimension.id());
            return Err(PolicyFault::new(format!("{path}/dimension"), message));
        }
        if self.values.is_empty() || self.values.len() > MOST_VALUES {
            let message = format!("Name 1 to {MOST_VALUES} values.");
            return Err(PolicyFault::new(format!("{path}/values"), message));
        }
        for (index, value) in self.values.iter().enumerate() {
            let complaint = match value {
                RuleValue::Literal(None) => None,
                RuleValue::Literal(Some(text)) => complaint(self.dimension, text),
                RuleValue::Attribute { attribute } => check_attribute_name(attribute).err(),
            };
            if let Some(message) = complaint {
                return Err(PolicyFault::new(format!("{path}/values/{index}"), message));
            }
        }
        Ok(())
    }

    /// An attribute that somebody does not have has no values. So nothing is "in" it, and of what is "not in" it nothing is
    /// shown either: who it was meant to keep out is not known.
    fn limit(&self, attributes: &Attributes) -> RowLimit {
        let mut values = BTreeSet::new();
        for value in &self.values {
            match value {
                RuleValue::Literal(literal) => {
                    values.insert(literal.clone());
                }
                RuleValue::Attribute { attribute } => {
                    let known: Vec<&String> = attributes.get(attribute).into_iter().flatten().collect();
                    let readable = known.iter().all(|text| complaint(self.dimension, text).is_none());
                    if self.op == FilterOp::NotIn && (known.is_empty() || !readable) {
                        return RowLimit::nothing();
                    }
                    values.extend(known.into_iter().cloned().map(Some));
                }
            }
        }
        RowLimit { dimension: self.dimension, op: self.op, values }
    }
}

impl ColumnPolicy {
    pub fn check(&self) -> Result<(), PolicyFault> {
        if self.columns.is_empty() || self.columns.len() > MOST_COLUMNS {
            return Err(PolicyFault::new("columns", format!("Name 1 to {MOST_COLUMNS} columns.")));
        }
        for (index, id) in self.columns.iter().enumerate() {
            let path = format!("columns/{index}");
            match ColumnName::find(id) {
                Some(ColumnName::Dimension(dimension)) if !CLOSABLE_DIMENSIONS.contains(&dimension) => {
                    let known = CLOSABLE_DIMENSIONS.map(Dimension::id).join(", ");
                    let message =
                        format!("{id} can't be kept from somebody who sees its amounts: use {known}.");
                    return Err(PolicyFault::new(path, message));
                }
                Some(_) => {}
                None => {
                    let id: String = id.chars().take(60).collect();
                    let groups = ColumnGroup::ALL.map(ColumnGroup::id).join(", ");
                    let message = format!("{id:?} is neither {groups} nor the id of a metric or dimension.");
                    return Err(PolicyFault::new(path, message));
                }
            }
        }
        Ok(())
    }

    /// What is closed by it: the columns, and records as they came.
    pub fn apply(&self, seen: &mut Visibility) {
        let how = match self.effect {
            ColumnEffect::Mask => Closed::Masked,
            ColumnEffect::Hide => Closed::Hidden,
        };
        seen.withhold_raw();
        for id in &self.columns {
            match ColumnName::find(id) {
                Some(name) => seen.close(name, how),
                // A column of another version: what was meant is not known.
                None => *seen = Visibility::nothing(),
            }
        }
    }
}

/// Whether an attribute may be called so.
pub fn check_attribute_name(name: &str) -> Result<(), String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    if plain && begins && name.len() <= LONGEST_ATTRIBUTE_CHARS {
        return Ok(());
    }
    Err(format!(
        "An attribute's name begins with a small letter and has at most {LONGEST_ATTRIBUTE_CHARS} small letters, digits \
         and underscores."
    ))
}

/// What is wrong with a value of a dimension. One that no row can have would make "not in" show everything.
fn complaint(dimension: Dimension, text: &str) -> Option<String> {
    if text.is_empty() || text.chars().count() > LONGEST_VALUE_CHARS || text.chars().any(char::is_control) {
        return Some(format!("A value has 1 to {LONGEST_VALUE_CHARS} characters; null stands for unknown."));
    }
    match dimension {
        Dimension::Connection if text.parse::<ConnectionId>().is_err() => {
            Some(format!("{text:?} is no connection: use the connection's id."))
        }
        Dimension::Currency => text.parse::<Currency>().err().map(|error| format!("{error}.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
