//! A parsed query ready to be asked of: its operation, variables, and opened selections.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use graphql_parser::query::{
    Definition, Directive, Document, Field, OperationDefinition, Selection, SelectionSet, TypeCondition,
    Value as Literal, VariableDefinition,
};
use serde_json::{Map, Value};

use super::connection::{LARGEST_PAGE, PageArguments};
use super::{GraphqlError, GraphqlResult};

/// A field's arguments with variables filled in.
#[derive(Debug, Clone, Default)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub fn first(&self) -> Option<usize> {
        self.0.get("first").and_then(Value::as_u64).map(|first| first as usize)
    }

    /// The page that `first` and `after` ask for.
    pub fn page(&self) -> GraphqlResult<PageArguments> {
        let refuse = |message: &str| Err(GraphqlError::new("BAD_REQUEST", message));
        if self.0.contains_key("last") || self.text("before").is_some() {
            return refuse("the sandbox pages forwards only: use first and after");
        }
        match self.first() {
            None => refuse("you must provide one of first or last"),
            Some(first) if first > LARGEST_PAGE => refuse("first cannot exceed 250"),
            Some(first) => Ok(PageArguments { first, after: self.text("after").map(str::to_owned) }),
        }
    }
}

/// A query that can be run: one operation with its fragments and variables.
pub struct Query<'a> {
    document: &'a Document<'a, &'a str>,
    pub selection: &'a SelectionSet<'a, &'a str>,
    /// Whether the operation changes something.
    pub mutation: bool,
    variables: Map<String, Value>,
    text_hash: u64,
    /// Opened selections by address and type: the same few are asked of every node of a page.
    opened: RefCell<HashMap<usize, Vec<Opened<'a>>>>,
}

/// A type name, and the fields that a selection asks of it.
type Opened<'a> = (String, Rc<[&'a Field<'a, &'a str>]>);

impl<'a> Query<'a> {
    /// Chooses the operation, by name where there are several, and fills in defaults. `text` is what the
    /// document was parsed from.
    pub fn new(
        text: &str,
        document: &'a Document<'a, &'a str>,
        name: Option<&str>,
        given: &Value,
    ) -> GraphqlResult<Self> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut variables = Map::new();
        let (mut chosen, mut mutation) = (None, false);
        for definition in &document.definitions {
            let Definition::Operation(operation) = definition else { continue };
            match operation {
                OperationDefinition::SelectionSet(selection) => chosen = Some(selection),
                OperationDefinition::Query(query) if name.is_none() || query.name == name => {
                    chosen = Some(&query.selection_set);
                    variables.extend(filled_in(&query.variable_definitions, given)?);
                }
                OperationDefinition::Mutation(query) if name.is_none() || query.name == name => {
                    (chosen, mutation) = (Some(&query.selection_set), true);
                    variables.extend(filled_in(&query.variable_definitions, given)?);
                }
                OperationDefinition::Query(_) | OperationDefinition::Mutation(_) => {}
                OperationDefinition::Subscription(_) => {
                    return Err(GraphqlError::new("BAD_REQUEST", "the sandbox knows no subscriptions"));
                }
            }
        }
        let selection = chosen.ok_or_else(|| GraphqlError::new("BAD_REQUEST", "no such operation"))?;
        let (text_hash, opened) = (hasher.finish(), RefCell::default());
        Ok(Self { document, selection, mutation, variables, text_hash, opened })
    }

    /// What is asked of a root connection: the same for the same text.
    pub fn question(&self, field: &Field<'a, &'a str>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.text_hash, field.name, response_key(field)).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether the answer to a selection depends on more than its text.
    pub fn uses_variables(&self, selection: &'a SelectionSet<'a, &'a str>) -> bool {
        let variable = |(_, value): &(&'a str, Literal<'a, &'a str>)| !matches!(value, Literal::Variable(_));
        let fixed = |directives: &[Directive<'a, &'a str>]| {
            directives.iter().all(|directive| directive.arguments.iter().all(variable))
        };
        !selection.items.iter().all(|item| match item {
            Selection::Field(field) => {
                field.arguments.iter().all(variable)
                    && fixed(&field.directives)
                    && !self.uses_variables(&field.selection_set)
            }
            Selection::InlineFragment(fragment) => {
                fixed(&fragment.directives) && !self.uses_variables(&fragment.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let fragments = self.document.definitions.iter().filter_map(|definition| match definition {
                    Definition::Fragment(fragment) if fragment.name == spread.fragment_name => Some(fragment),
                    _ => None,
                });
                let mut fragments = fragments;
                fixed(&spread.directives)
                    && fragments.all(|fragment| !self.uses_variables(&fragment.selection_set))
            }
        })
    }

    /// The fields of a selection that apply to an object of this type, fragments opened.
    pub fn fields(
        &self,
        selection: &'a SelectionSet<'a, &'a str>,
        typename: &str,
    ) -> Rc<[&'a Field<'a, &'a str>]> {
        let address = std::ptr::from_ref(selection).addr();
        let mut opened = self.opened.borrow_mut();
        let of_selection = opened.entry(address).or_default();
        if let Some((_, fields)) = of_selection.iter().find(|(name, _)| name == typename) {
            return Rc::clone(fields);
        }
        let mut fields = Vec::new();
        self.collect(selection, Some(typename), &mut fields);
        let fields = Rc::from(fields);
        of_selection.push((typename.to_owned(), Rc::clone(&fields)));
        fields
    }

    /// Whether the query asks for a field of this name anywhere: what nobody asks for need not be made.
    pub fn names(&self) -> HashSet<&'a str> {
        let mut names = HashSet::new();
        let mut waiting = vec![self.selection];
        for definition in &self.document.definitions {
            if let Definition::Fragment(fragment) = definition {
                waiting.push(&fragment.selection_set);
            }
        }
        while let Some(selection) = waiting.pop() {
            for item in &selection.items {
                match item {
                    Selection::Field(field) => {
                        names.insert(field.name);
                        waiting.push(&field.selection_set);
                    }
                    Selection::InlineFragment(fragment) => waiting.push(&fragment.selection_set),
                    Selection::FragmentSpread(_) => {}
                }
            }
        }
        names
    }

    /// `typename` of `None` takes every fragment, whatever its condition.
    pub fn collect(
        &self,
        selection: &'a SelectionSet<'a, &'a str>,
        typename: Option<&str>,
        fields: &mut Vec<&'a Field<'a, &'a str>>,
    ) {
        let applies = |condition: &TypeCondition<'a, &'a str>| {
            let TypeCondition::On(name) = condition;
            // An object without a type name is not behind an interface: its fragments always apply.
            typename.is_none_or(|typename| typename.is_empty() || typename == *name || is_interface(name))
        };
        for item in &selection.items {
            match item {
                Selection::Field(field) if self.included(&field.directives) => fields.push(field),
                Selection::InlineFragment(fragment)
                    if self.included(&fragment.directives)
                        && fragment.type_condition.as_ref().is_none_or(applies) =>
                {
                    self.collect(&fragment.selection_set, typename, fields);
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                    for definition in &self.document.definitions {
                        if let Definition::Fragment(fragment) = definition
                            && fragment.name == spread.fragment_name
                            && applies(&fragment.type_condition)
                        {
                            self.collect(&fragment.selection_set, typename, fields);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    pub fn arguments(&self, field: &Field<'a, &'a str>) -> GraphqlResult<Arguments> {
        if field.arguments.is_empty() {
            return Ok(Arguments::default());
        }
        let mut arguments = Map::new();
        for (name, value) in &field.arguments {
            if let Literal::Variable(variable) = value
                && !self.variables.contains_key(*variable)
            {
                continue;
            }
            arguments.insert((*name).to_owned(), literal(value, &self.variables)?);
        }
        Ok(Arguments(arguments))
    }

    fn included(&self, directives: &[Directive<'a, &'a str>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.arguments.iter().find(|(name, _)| *name == "if");
            let condition = condition.and_then(|(_, value)| literal(value, &self.variables).ok());
            let condition = condition.and_then(|value| value.as_bool()).unwrap_or(true);
            match directive.name {
                "include" => condition,
                "skip" => !condition,
                _ => true,
            }
        })
    }

    /// Whether an array is asked for as pages: by `nodes`, `edges` or `pageInfo`.
    pub fn wants_connection(&self, selection: &'a SelectionSet<'a, &'a str>) -> bool {
        let fields = self.fields(selection, "");
        fields.iter().any(|field| matches!(field.name, "nodes" | "edges" | "pageInfo"))
    }
}

/// The values of an operation's variables, its defaults where none is given.
fn filled_in<'a>(
    definitions: &[VariableDefinition<'a, &'a str>],
    given: &Value,
) -> GraphqlResult<Vec<(String, Value)>> {
    let mut filled = Vec::new();
    for variable in definitions {
        let default = variable.default_value.as_ref().map(|default| literal(default, &Map::new()));
        let value = given.get(variable.name).cloned().or(default.transpose()?);
        filled.extend(value.map(|value| (variable.name.to_owned(), value)));
    }
    Ok(filled)
}

pub fn response_key<'a>(field: &Field<'a, &'a str>) -> String {
    field.alias.unwrap_or(field.name).to_owned()
}

/// Conditions that the world's objects meet by what they are.
fn is_interface(name: &str) -> bool {
    matches!(
        name,
        "Sale" | "SalesAgreement" | "DiscountApplication" | "Node" | "PricingValue" | "CustomerMoment"
    )
}

fn literal<'a>(value: &Literal<'a, &'a str>, variables: &Map<String, Value>) -> GraphqlResult<Value> {
    Ok(match value {
        Literal::Variable(name) => variables.get(*name).cloned().unwrap_or(Value::Null),
        Literal::Int(number) => number.as_i64().into(),
        Literal::Float(number) => (*number).into(),
        Literal::String(text) => text.as_str().into(),
        Literal::Boolean(boolean) => (*boolean).into(),
        Literal::Null => Value::Null,
        Literal::Enum(name) => (*name).into(),
        Literal::List(items) => {
            items.iter().map(|item| literal(item, variables)).collect::<GraphqlResult<Value>>()?
        }
        Literal::Object(fields) => {
            let fields =
                fields.iter().map(|(name, value)| Ok(((*name).to_owned(), literal(value, variables)?)));
            Value::Object(fields.collect::<GraphqlResult<Map<_, _>>>()?)
        }
    })
}
