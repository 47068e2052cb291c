//! Runs a query over JSON objects: what is selected is copied out.

use std::sync::Arc;

use graphql_parser::query::{Field, SelectionSet};
use serde_json::{Map, Value};

use super::connection::{ItemPage, Page, page_of_array};
use super::cost::connection_cost;
use super::query::{Arguments, Query, response_key};
use super::{GraphqlError, GraphqlResult};

/// What a root field resolves to before its selection is applied.
pub enum Resolved {
    Object(Value),
    Items(ItemPage),
}

/// A node as it is sent, and what it costs.
#[derive(Debug)]
pub struct Rendered {
    pub text: String,
    pub cost: u64,
}

/// Answers the fields of the query root.
pub trait Root {
    fn resolve(&self, name: &str, arguments: &Arguments) -> GraphqlResult<Resolved>;

    /// Writes one item of a root connection.
    fn write(&self, name: &str, index: u32) -> Value;

    /// An item as it was rendered for the same question before.
    fn recall(&self, _question: u64, _index: u32) -> Option<Arc<Rendered>> {
        None
    }

    fn remember(&self, _question: u64, _index: u32, _rendered: &Arc<Rendered>) {}
}

/// `data` of an answer as text, and what it cost.
pub struct Answered {
    pub data: String,
    pub cost: u64,
}

impl<'a> Query<'a> {
    /// Runs the query.
    pub fn run(&self, root: &impl Root) -> GraphqlResult<Answered> {
        let mut answered = Answered { data: String::from("{"), cost: 0 };
        for field in self.fields(self.selection, "QueryRoot").iter() {
            let separator = if answered.data.len() > 1 { "," } else { "" };
            // Names are letters, digits and underscores: nothing to escape.
            answered.data.push_str(&format!("{separator}\"{}\":", response_key(field)));
            if field.name == "__typename" {
                answered.data.push_str("\"QueryRoot\"");
                continue;
            }
            let arguments = self.arguments(field)?;
            match root.resolve(field.name, &arguments)? {
                Resolved::Object(value) => {
                    let value = self.project(value, field, &arguments)?;
                    answered.cost += self.cost_of_answer(field, &value)?;
                    answered.data.push_str(&value.to_string());
                }
                Resolved::Items(page) => self.items(root, field, page, &mut answered)?,
            }
        }
        answered.data.push('}');
        Ok(answered)
    }

    /// A connection of the root, node by node.
    fn items(
        &self,
        root: &impl Root,
        field: &'a Field<'a, &'a str>,
        page: ItemPage,
        answered: &mut Answered,
    ) -> GraphqlResult<()> {
        let parts = self.fields(&field.selection_set, "");
        let nodes = parts.iter().find(|part| part.name == "nodes");
        let plain = parts.iter().all(|part| matches!(part.name, "nodes" | "pageInfo"));
        let (Some(nodes), true) = (nodes, plain) else {
            let made = page.items.into_iter().map(|(cursor, index)| (cursor, root.write(field.name, index)));
            let page =
                Page { nodes: made.collect(), has_next: page.has_next, has_previous: page.has_previous };
            let value = self.connection(page, &field.selection_set)?;
            answered.cost += self.cost_of_answer(field, &value)?;
            answered.data.push_str(&value.to_string());
            return Ok(());
        };
        let question = (!self.uses_variables(&nodes.selection_set)).then(|| self.question(field));
        let mut dearest = 0;
        let mut text = Vec::with_capacity(page.items.len());
        for (_, index) in &page.items {
            let recalled = question.and_then(|question| root.recall(question, *index));
            let rendered = match recalled {
                Some(rendered) => rendered,
                None => {
                    let value = self.project(root.write(field.name, *index), nodes, &Arguments::default())?;
                    let cost = self.cost_of(&nodes.selection_set, Some(&value))?;
                    let rendered = Arc::new(Rendered { text: value.to_string(), cost });
                    question.inspect(|question| root.remember(*question, *index, &rendered));
                    rendered
                }
            };
            dearest = dearest.max(rendered.cost);
            text.push(rendered);
        }
        answered.cost += connection_cost(page.items.len(), dearest);
        let empty = Page { nodes: Vec::new(), has_next: page.has_next, has_previous: page.has_previous };
        let ends = page.items.first().zip(page.items.last()).map(|(first, last)| (&*first.0, &*last.0));
        for (position, part) in parts.iter().enumerate() {
            let opening = if position == 0 { "{" } else { "," };
            answered.data.push_str(&format!("{opening}\"{}\":", response_key(part)));
            if part.name == "pageInfo" {
                let info = self.object(page_info(&empty, ends), &part.selection_set)?;
                answered.data.push_str(&info.to_string());
                continue;
            }
            answered.data.push('[');
            for (position, node) in text.iter().enumerate() {
                answered.data.push_str(if position == 0 { "" } else { "," });
                answered.data.push_str(&node.text);
            }
            answered.data.push(']');
        }
        answered.data.push('}');
        Ok(())
    }

    pub(super) fn project(
        &self,
        value: Value,
        field: &'a Field<'a, &'a str>,
        arguments: &Arguments,
    ) -> GraphqlResult<Value> {
        let selection = &field.selection_set;
        match value {
            Value::Object(object) if selection.items.is_empty() => Err(GraphqlError::new(
                "selectionMismatch",
                format!("Field '{}' must have selections ({} fields)", field.name, object.len()),
            )),
            Value::Object(object) => self.object(object, selection),
            Value::Array(items) if self.wants_connection(selection) => {
                self.connection(page_of_array(items, &arguments.page()?)?, selection)
            }
            Value::Array(items) => {
                let limit = arguments.first().unwrap_or(usize::MAX);
                // `quantities(names: [...])` of an inventory level.
                let names = arguments.get("names").and_then(Value::as_array);
                let asked = |item: &Value| names.is_none_or(|names| names.contains(&item["name"]));
                items
                    .into_iter()
                    .filter(asked)
                    .take(limit)
                    .map(|item| self.project(item, field, arguments))
                    .collect()
            }
            leaf => Ok(leaf),
        }
    }

    fn object(
        &self,
        mut object: Map<String, Value>,
        selection: &'a SelectionSet<'a, &'a str>,
    ) -> GraphqlResult<Value> {
        let typename = object.get("__typename").and_then(Value::as_str).unwrap_or_default();
        let fields = self.fields(selection, typename);
        let mut out = Map::new();
        for (index, field) in fields.iter().enumerate() {
            // A field that is asked for again, under another name, has to stay.
            let again = fields[index + 1..].iter().any(|later| later.name == field.name);
            let value = if again { object.get(field.name).cloned() } else { object.remove(field.name) };
            let value = value.ok_or_else(|| {
                let message = format!("Field '{}' is not served by the sandbox here", field.name);
                GraphqlError::new("undefinedField", message)
            })?;
            out.insert(response_key(field), self.project(value, field, &self.arguments(field)?)?);
        }
        Ok(Value::Object(out))
    }

    fn connection(&self, page: Page, selection: &'a SelectionSet<'a, &'a str>) -> GraphqlResult<Value> {
        let ends = page.nodes.first().zip(page.nodes.last()).map(|(first, last)| (&*first.0, &*last.0));
        let info = page_info(&page, ends);
        let fields = self.fields(selection, "");
        let both = fields.iter().filter(|field| field.name != "pageInfo").count() > 1;
        let mut nodes = page.nodes;
        let mut out = Map::new();
        for field in fields.iter() {
            let value = match field.name {
                "pageInfo" => self.object(info.clone(), &field.selection_set)?,
                "nodes" | "edges" => {
                    let taken = if both { nodes.clone() } else { std::mem::take(&mut nodes) };
                    let one = |(cursor, node): (String, Value)| match field.name {
                        "nodes" => self.project(node, field, &Arguments::default()),
                        _ => {
                            let parts = [("cursor".to_owned(), cursor.into()), ("node".to_owned(), node)];
                            self.object(Map::from_iter(parts), &field.selection_set)
                        }
                    };
                    taken.into_iter().map(one).collect::<GraphqlResult<Value>>()?
                }
                name => {
                    let message = format!("Field '{name}' is no part of a connection");
                    return Err(GraphqlError::new("undefinedField", message));
                }
            };
            out.insert(response_key(field), value);
        }
        Ok(Value::Object(out))
    }
}

fn page_info(page: &Page, ends: Option<(&str, &str)>) -> Map<String, Value> {
    Map::from_iter([
        ("hasNextPage".to_owned(), Value::from(page.has_next)),
        ("hasPreviousPage".to_owned(), Value::from(page.has_previous)),
        ("startCursor".to_owned(), ends.map(|(first, _)| first).into()),
        ("endCursor".to_owned(), ends.map(|(_, last)| last).into()),
    ])
}
