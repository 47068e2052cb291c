//! What is asked about bulk operations, and what they are asked to fetch.
//!
//! A bulk query has rules of its own, as recorded from Shopify: connections by `edges` alone, at most five of them
//! and two deep, none inside a list, an `id` wherever something hangs below, no variables. So an order comes with its
//! lines, shipping and agreements; of its refunds, whose lines are a connection inside a list, only the ids come, and
//! they are fetched by those. `__typename` tells the lines of the file apart.

use crate::queries::{self, Query};

const OPERATION: &str = "id status errorCode objectCount rootObjectCount url";

/// Below this it is cheaper to page: what a full budget holds is there at once.
pub const USUAL_LEAST_POINTS: u32 = 2_000;

/// How many of the newest operations are looked at, to find one that was begun and forgotten.
const NEWEST: u32 = 10;

/// Begins an operation; its file has children directly below their parents.
pub fn begin() -> Query {
    let text = "mutation Begin($query: String!) {
  begun: bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id }
    userErrors { message code }
  }
}";
    Query { text: text.to_owned(), points: 10 }
}

/// How an operation is.
pub fn operation() -> Query {
    let text = format!("query Operation($id: ID!) {{ operation: bulkOperation(id: $id) {{ {OPERATION} }} }}");
    Query { text, points: 1 }
}

/// The newest operations and what they were asked.
pub fn newest() -> Query {
    let text = format!(
        "query Newest {{ operations: bulkOperations(first: {NEWEST}, reverse: true) {{ nodes {{ id status query }} }} }}"
    );
    Query { text, points: queries::connection_points(NEWEST, 0) }
}

/// Everything of a window.
pub fn everything(root: &str, search: Option<&str>) -> String {
    let fields = match root {
        "orders" => format!(
            "{} refundIds: refunds {{ id }}
  lineItems {{ edges {{ node {{ __typename ...Line }} }} }}
  shippingLines {{ edges {{ node {{ __typename ...Shipping }} }} }}
  agreements {{ edges {{ node {{ ...Agreement sales {{ edges {{ node {{ ...Sale }} }} }} }} }} }}",
            queries::ORDER_FACTS
        ),
        "products" => {
            format!("{} variants {{ edges {{ node {{ __typename ...Variant }} }} }}", queries::PRODUCT_FACTS)
        }
        queries::CHECKOUTS => queries::CHECKOUT_FACTS.to_owned(),
        _ => queries::CUSTOMER_FACTS.to_owned(),
    };
    // The search is our own: instants in single quotes.
    let argument = search.map_or_else(String::new, |search| format!("(query: \"{search}\")"));
    inlined(&format!("{{ {root}{argument} {{ edges {{ node {{ {fields} }} }} }} }}"))
}

/// The text with every fragment written out where it is used: nothing says that a bulk query may have any.
fn inlined(text: &str) -> String {
    let mut text = text.to_owned();
    // A fragment may use others.
    while let Some((name, body)) = queries::FRAGMENTS.iter().find_map(|fragment| used(fragment, &text)) {
        text = text.replace(&format!("...{name}"), body);
    }
    text
}

/// Name and body of a fragment that the text uses.
fn used<'a>(fragment: &'a str, text: &str) -> Option<(&'a str, &'a str)> {
    let (head, rest) = fragment.split_once('{')?;
    let name = head.split_whitespace().nth(1)?;
    let is_word = |after: &str| !after.starts_with(|next: char| next.is_alphanumeric());
    let is_used = text.split(&format!("...{name}")).skip(1).any(is_word);
    is_used.then(|| (name, rest.trim_end().strip_suffix('}').unwrap_or(rest).trim()))
}
