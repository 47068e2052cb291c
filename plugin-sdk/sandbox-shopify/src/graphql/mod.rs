//! Enough of GraphQL to answer real queries over JSON: selection, aliases, fragments, variables,
//! directives, Relay connections; with Shopify's query cost and its search terms.

pub mod bulk;
pub mod connection;
pub mod cost;
pub mod execute;
pub mod query;
pub mod search;

use serde_json::{Value, json};

/// An error as GraphQL tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlError {
    pub message: String,
    pub code: &'static str,
}

impl GraphqlError {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), code }
    }

    pub fn to_json(&self) -> Value {
        json!({ "message": self.message, "extensions": { "code": self.code } })
    }
}

pub type GraphqlResult<T> = Result<T, GraphqlError>;

#[cfg(test)]
mod tests;
