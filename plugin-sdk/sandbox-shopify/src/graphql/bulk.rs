//! What Shopify lets a bulk query ask, and how it writes the answer: an object per line, children below their parent
//! with its id as `__parentId`.

use graphql_parser::query::{Field, SelectionSet};
use serde_json::{Map, Value};

use super::query::{Arguments, Query};
use super::{GraphqlError, GraphqlResult};

/// As recorded in 2026-04: the root counts, and what hangs on a node's node is the deepest.
const MOST_CONNECTIONS: usize = 5;
const DEEPEST: usize = 2;

/// Fields of the served world that are lists and no connections.
const LISTS: &[&str] = &["refunds", "transactions", "taxLines", "discountAllocations", "duties", "taxes"];

/// What is wrong with the connections of a query.
#[derive(Default)]
struct Findings {
    connections: usize,
    deepest: usize,
    by_nodes: Vec<String>,
    without_id: Vec<String>,
    in_list: bool,
}

impl<'a> Query<'a> {
    /// Every objection to running this query in bulk, in Shopify's words.
    pub fn bulk_objections(&self) -> Vec<String> {
        if self.mutation {
            return vec!["Invalid operation type. Only `query` operations are supported.".to_owned()];
        }
        let mut findings = Findings::default();
        let mut objections = Vec::new();
        let mut roots = Vec::new();
        self.collect(self.selection, None, &mut roots);
        for root in &roots {
            if matches!(root.name, "node" | "nodes") {
                objections.push(format!("Bulk queries cannot contain a top level `{}` field.", root.name));
            }
            self.look(root, 0, false, &mut findings);
        }
        if findings.connections == 0 {
            objections.push("Bulk queries must contain at least one connection.".to_owned());
        }
        if findings.connections > MOST_CONNECTIONS {
            objections.push(format!("Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."));
        }
        if findings.deepest > DEEPEST {
            let deepest = format!("a nesting depth greater than {DEEPEST}");
            objections.push(format!("Bulk queries cannot contain connections with {deepest}."));
        }
        if !findings.by_nodes.is_empty() {
            let fields = findings.by_nodes.join(", ");
            objections.push(format!(
                "Selecting via 'nodes' is not supported. Invalid connection fields: {fields}."
            ));
        }
        if !findings.without_id.is_empty() {
            let fields = findings.without_id.join(", ");
            objections.push(format!(
                "The parent 'node' field for a nested connection must select the 'id' field. Connection fields without 'id': {fields}."
            ));
        }
        if findings.in_list {
            let what = "Queries that contain a connection field within a list field";
            objections.push(format!("{what} are not currently supported."));
        }
        objections
    }

    fn look(&self, field: &'a Field<'a, &'a str>, depth: usize, in_list: bool, findings: &mut Findings) {
        let inner = self.every_field(&field.selection_set);
        let is_connection = inner.iter().any(|part| matches!(part.name, "nodes" | "edges" | "pageInfo"));
        if !is_connection {
            let in_list = in_list || LISTS.contains(&field.name);
            inner.iter().for_each(|part| self.look(part, depth, in_list, findings));
            return;
        }
        findings.connections += 1;
        findings.deepest = findings.deepest.max(depth);
        findings.in_list |= in_list;
        let Some(node) = self.node_of(field) else {
            findings.by_nodes.push(format!("'{}'", field.name));
            return;
        };
        let parts = self.every_field(&node.selection_set);
        let nested = findings.connections;
        parts.iter().for_each(|part| self.look(part, depth + 1, false, findings));
        let has_id = parts.iter().any(|part| part.name == "id" && part.alias.is_none());
        if findings.connections > nested && !has_id {
            findings.without_id.push(field.name.to_owned());
        }
    }

    fn every_field(&self, selection: &'a SelectionSet<'a, &'a str>) -> Vec<&'a Field<'a, &'a str>> {
        let mut fields = Vec::new();
        self.collect(selection, None, &mut fields);
        fields
    }

    /// The field `node` inside the `edges` of a connection.
    pub fn node_of(&self, field: &'a Field<'a, &'a str>) -> Option<&'a Field<'a, &'a str>> {
        let inner = self.every_field(&field.selection_set);
        let edges = inner.into_iter().find(|part| part.name == "edges")?;
        self.every_field(&edges.selection_set).into_iter().find(|part| part.name == "node")
    }

    /// The root connection of a bulk query, and what its arguments say.
    pub fn bulk_root(&self) -> GraphqlResult<(&'a Field<'a, &'a str>, Arguments)> {
        let roots = self.every_field(self.selection);
        let root = roots.into_iter().find(|root| self.node_of(root).is_some());
        let root = root.ok_or_else(|| GraphqlError::new("BAD_REQUEST", "no connection at the root"))?;
        Ok((root, self.arguments(root)?))
    }

    /// The lines of one object and of everything that hangs on it by connections.
    pub fn bulk_lines(
        &self,
        value: Value,
        node: &'a Field<'a, &'a str>,
        parent: Option<&str>,
        lines: &mut Vec<String>,
    ) -> GraphqlResult<()> {
        let Value::Object(mut object) = value else { return Ok(()) };
        let typename = object.get("__typename").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let fields = self.fields(&node.selection_set, &typename);
        let mut line = Map::new();
        let mut below = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let again = fields[index + 1..].iter().any(|later| later.name == field.name);
            let part = if again { object.get(field.name).cloned() } else { object.remove(field.name) };
            let part = part.ok_or_else(|| {
                GraphqlError::new("undefinedField", format!("Field '{}' is not served in bulk", field.name))
            })?;
            match (self.node_of(field), part) {
                (Some(node), Value::Array(items)) => below.push((node, items)),
                (_, part) => {
                    let part = self.project(part, field, &self.arguments(field)?)?;
                    line.insert(field.alias.unwrap_or(field.name).to_owned(), part);
                }
            }
        }
        line.extend(parent.map(|parent| ("__parentId".to_owned(), parent.into())));
        lines.push(Value::Object(line).to_string());
        for (node, items) in below {
            for item in items {
                self.bulk_lines(item, node, Some(&id), lines)?;
            }
        }
        Ok(())
    }
}
