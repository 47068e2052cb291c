//! What a query costs.
//!
//! The rule is read off recorded answers of real development stores (`extensions.cost` of
//! queries with known page sizes; the tests hold a dozen of them): an object costs 1, a scalar
//! and money nothing, a count 10, and a connection of `n` costs `2 + ⌊2 ln n⌋` times (1 + what hangs
//! on each node), at least one node.

use graphql_parser::query::{Field, SelectionSet};
use serde_json::Value;

use super::GraphqlResult;
use super::query::Query;

/// The largest cost of one query.
pub const LARGEST_COST: u64 = 1_000;

impl<'a> Query<'a> {
    /// What the query may cost, from its page sizes.
    pub fn requested_cost(&self) -> GraphqlResult<u64> {
        if self.mutation {
            return Ok(self.mutation_cost());
        }
        self.cost_of(self.selection, None)
    }

    /// Ten for each, whatever it answers.
    fn mutation_cost(&self) -> u64 {
        10 * self.fields(self.selection, "").len() as u64
    }

    /// What one root field did cost, from its answer.
    pub fn cost_of_answer(&self, field: &'a Field<'a, &'a str>, answer: &Value) -> GraphqlResult<u64> {
        if self.mutation {
            return Ok(10);
        }
        if answer.is_null() { Ok(0) } else { self.cost_of_field(field, Some(answer)) }
    }

    pub fn cost_of(
        &self,
        selection: &'a SelectionSet<'a, &'a str>,
        answer: Option<&Value>,
    ) -> GraphqlResult<u64> {
        let fields = self.fields(selection, "");
        let mut seen = Vec::with_capacity(fields.len());
        let mut cost = 0;
        for field in fields.iter() {
            // A field that several fragments of an interface ask for is paid once.
            let key = field.alias.unwrap_or(field.name);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            match answer {
                Some(answer) => match answer.get(key) {
                    None | Some(Value::Null) => {}
                    part => cost += self.cost_of_field(field, part)?,
                },
                None => cost += self.cost_of_field(field, None)?,
            }
        }
        Ok(cost)
    }

    fn cost_of_field(&self, field: &'a Field<'a, &'a str>, answer: Option<&Value>) -> GraphqlResult<u64> {
        let selection = &field.selection_set;
        if selection.items.is_empty() || is_free(field.name) {
            return Ok(0);
        }
        if field.name.ends_with("Count") {
            return Ok(10);
        }
        if !self.wants_connection(selection) {
            return Ok(1 + self.largest(selection, answer)?);
        }
        let inner = self.fields(selection, "");
        let mut per_node = 0;
        let mut count = self.arguments(field)?.first().unwrap_or(0);
        for part in inner.iter() {
            let nodes = answer.and_then(|answer| answer.get(part.alias.unwrap_or(part.name)));
            match part.name {
                "nodes" => {
                    count = nodes.and_then(Value::as_array).map_or(count, Vec::len);
                    per_node = per_node.max(self.largest(&part.selection_set, nodes)?);
                }
                "edges" => {
                    count = nodes.and_then(Value::as_array).map_or(count, Vec::len);
                    // The edge itself is free; its one object is the node, which is counted below.
                    per_node = per_node.max(self.largest(&part.selection_set, nodes)?.saturating_sub(1));
                }
                _ => {}
            }
        }
        Ok(connection_cost(count, per_node))
    }

    /// The cost of a selection on one object, or on the dearest of a list.
    fn largest(
        &self,
        selection: &'a SelectionSet<'a, &'a str>,
        answer: Option<&Value>,
    ) -> GraphqlResult<u64> {
        match answer {
            Some(Value::Array(items)) => {
                let mut largest = 0;
                for item in items {
                    largest = largest.max(self.cost_of(selection, Some(item))?);
                }
                Ok(largest)
            }
            other => self.cost_of(selection, other),
        }
    }
}

/// A connection of so many nodes, the dearest of which costs so much beyond itself.
pub fn connection_cost(count: usize, per_node: u64) -> u64 {
    2 + steps(count) * (1 + per_node)
}

/// `⌊2 ln n⌋`, at least 1 for a page with anything in it.
fn steps(count: usize) -> u64 {
    if count == 0 { 0 } else { ((2.0 * (count as f64).ln()) as u64).max(1) }
}

fn is_free(name: &str) -> bool {
    matches!(name, "pageInfo" | "shopMoney" | "presentmentMoney" | "unitCost" | "amountSpent")
        || name.ends_with("Set")
        || matches!(name, "totalAmount" | "totalTaxAmount" | "totalDiscountAmountBeforeTaxes")
        || name == "totalDiscountAmountAfterTaxes"
}
