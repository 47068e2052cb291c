//! Shopify's search terms: `updated_at:>='2026-01-01T00:00:00Z' updated_at:<'2026-02-01'`.

use super::{GraphqlError, GraphqlResult};
use crate::time::parse_instant;

/// What a search may ask about one thing, and by what it is sorted.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    pub id: u64,
    pub created_at: i64,
    pub updated_at: i64,
}

pub trait Searchable {
    fn marks(&self) -> Marks;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
    Equal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Id,
    CreatedAt,
    UpdatedAt,
}

/// Terms that all have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search(Vec<(Subject, Comparison, i64)>);

impl Search {
    /// Reads a query. Shopify ignores what it does not know; the sandbox refuses it, so that a
    /// misspelt filter is found here and not in somebody's figures.
    pub fn parse(query: &str) -> GraphqlResult<Self> {
        let mut terms = Vec::new();
        for term in split_terms(query) {
            let refused = || {
                GraphqlError::new(
                    "BAD_REQUEST",
                    format!("the sandbox does not know the search term {term:?}"),
                )
            };
            let (name, rest) = term.split_once(':').ok_or_else(refused)?;
            let (comparison, value) = comparison(rest);
            let value = value.trim_matches(['\'', '"']);
            let term = match name {
                "status" if value == "any" => continue,
                "id" => (Subject::Id, comparison, value.parse().map_err(|_| refused())?),
                "created_at" | "processed_at" => {
                    (Subject::CreatedAt, comparison, parse_instant(value).ok_or_else(refused)?)
                }
                "updated_at" => (Subject::UpdatedAt, comparison, parse_instant(value).ok_or_else(refused)?),
                _ => return Err(refused()),
            };
            terms.push(term);
        }
        Ok(Self(terms))
    }

    pub fn matches(&self, item: &impl Searchable) -> bool {
        let Marks { id, created_at, updated_at } = item.marks();
        self.0.iter().all(|(subject, comparison, bound)| {
            let value = match subject {
                Subject::Id => id as i64,
                Subject::CreatedAt => created_at,
                Subject::UpdatedAt => updated_at,
            };
            match comparison {
                Comparison::AtLeast => value >= *bound,
                Comparison::Above => value > *bound,
                Comparison::AtMost => value <= *bound,
                Comparison::Below => value < *bound,
                Comparison::Equal => value == *bound,
            }
        })
    }
}

/// Splits at white space outside quotes.
fn split_terms(query: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut quote = None;
    for character in query.chars() {
        match quote {
            None if character.is_whitespace() => {
                terms.push(String::new());
                continue;
            }
            None if character == '\'' || character == '"' => quote = Some(character),
            Some(open) if character == open => quote = None,
            _ => {}
        }
        if let Some(term) = terms.last_mut() {
            term.push(character);
        }
    }
    terms.retain(|term| !term.is_empty() && term != "AND");
    terms
}

fn comparison(text: &str) -> (Comparison, &str) {
    let prefixes = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::Above),
        ("<", Comparison::Below),
    ];
    for (prefix, comparison) in prefixes {
        if let Some(rest) = text.strip_prefix(prefix) {
            return (comparison, rest);
        }
    }
    (Comparison::Equal, text)
}
