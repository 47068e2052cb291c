//! Costs as recorded from real stores, search terms, and what the executor does with fragments.

use graphql_parser::query::parse_query;
use serde_json::{Value, json};

use super::execute::{Resolved, Root};
use super::query::{Arguments, Query};
use super::search::{Marks, Search, Searchable};
use super::{GraphqlError, GraphqlResult};

fn requested_cost(text: &str, variables: Value) -> u64 {
    let document = parse_query::<&str>(text).expect("a query");
    let query = Query::new(text, &document, None, &variables).expect("an operation");
    query.requested_cost().expect("a cost")
}

#[test]
fn queries_cost_what_was_recorded() {
    let recorded = [
        (3, "query($query: String!) { customers(first: 1, query: $query) { nodes { id } } }", json!({})),
        (1, "query($id: ID!) { customer(id: $id) { id tags } }", json!({})),
        (2, "query($id: ID!) { customer(id: $id) { id defaultEmailAddress { emailAddress } } }", json!({})),
        (
            13,
            "query($first: Int!) { products(first: $first) { nodes { id } pageInfo { endCursor } } }",
            json!({ "first": 250 }),
        ),
        (3, "query($first: Int!) { markets(first: $first) { nodes { id name } } }", json!({ "first": 2 })),
        (
            14,
            "query($first: Int!) { markets(first: $first) { nodes { id
                currencySettings { baseCurrency { currencyCode } } } } }",
            json!({ "first": 10 }),
        ),
        (
            13,
            "query($id: ID!) { order(id: $id) { id lineItems(first: 10) { nodes { title quantity } }
                shippingLines(first: 10) { nodes { title } }
                totalPriceSet { shopMoney { amount currencyCode } } } }",
            json!({}),
        ),
        (
            16,
            "query($id: ID!) { order(id: $id) { id } orders(first: 5) { nodes { id } } ordersCount { count } }",
            json!({}),
        ),
        (20, "query { shopifyFunctions(first: 100) { nodes { id app { id title } } } }", json!({})),
        (
            3,
            "query($id: ID!) { order(id: $id) { id fulfillments(first: 5) { id trackingInfo(first: 5) { number } } } }",
            json!({}),
        ),
        (
            52,
            "query { webPresences(first: 20) { nodes { id domain { id } rootUrls { url } defaultLocale { name }
                alternateLocales { name } markets(first: 5) { nodes { id } } } } }",
            json!({}),
        ),
        (
            15,
            "query { matches: productsCount { count precision }
                products(first: 5) { edges { node { id title } } pageInfo { hasNextPage } } }",
            json!({}),
        ),
        (
            9,
            "query($id: ID!) { customer(id: $id) { id orders(first: 5) { nodes { id customer { id } }
                pageInfo { hasNextPage } } } }",
            json!({}),
        ),
    ];
    for (cost, query, variables) in recorded {
        assert_eq!(requested_cost(query, variables), cost, "{query}");
    }
}

struct Thing(u64, i64);

impl Searchable for Thing {
    fn marks(&self) -> Marks {
        Marks { id: self.0, created_at: self.1, updated_at: self.1 }
    }
}

#[test]
fn a_window_holds_its_start_and_not_its_end() {
    let search = Search::parse("updated_at:>='2026-01-01T00:00:00Z' updated_at:<'2026-01-02T00:00:00Z'");
    let search = search.expect("a search");
    let start = 1_767_225_600;
    let inside = [start - 1, start, start + 86_399, start + 86_400].map(|at| search.matches(&Thing(1, at)));
    assert_eq!(inside, [false, true, true, false]);
}

#[test]
fn unknown_search_terms_are_refused() {
    assert!(Search::parse("updatd_at:>2026-01-01").is_err());
    assert!(Search::parse("tea").is_err());
}

struct Fixed(Value);

impl Root for Fixed {
    fn resolve(&self, name: &str, _arguments: &Arguments) -> GraphqlResult<Resolved> {
        let value = self.0.get(name).cloned();
        value.map(Resolved::Object).ok_or_else(|| GraphqlError::new("undefinedField", name))
    }

    fn write(&self, _name: &str, _index: u32) -> Value {
        Value::Null
    }
}

fn run(text: &str, variables: Value, world: Value) -> GraphqlResult<Value> {
    let document = parse_query::<&str>(text).expect("a query");
    let answered = Query::new(text, &document, None, &variables)?.run(&Fixed(world))?;
    Ok(serde_json::from_str(&answered.data).expect("JSON"))
}

#[test]
fn fragments_aliases_and_directives_choose_what_is_answered() {
    let world = json!({ "order": { "id": "1", "sales": [
        { "__typename": "ProductSale", "id": "a", "lineItem": { "id": "l" } },
        { "__typename": "ShippingLineSale", "id": "b" },
    ] } });
    let query = "query($deep: Boolean = false) { order { key: id ...Deep @include(if: $deep)
        sales(first: 5) { nodes { id ... on ProductSale { lineItem { id } } } } } }
        fragment Deep on Order { id }";
    let answer = run(query, json!({}), world.clone()).expect("an answer");
    let nodes = json!([{ "id": "a", "lineItem": { "id": "l" } }, { "id": "b" }]);
    assert_eq!(answer, json!({ "order": { "key": "1", "sales": { "nodes": nodes } } }));
    let deep = run(query, json!({ "deep": true }), world).expect("an answer");
    assert_eq!(deep["order"]["id"], "1");
}

#[test]
fn nested_connections_page_without_loss() {
    let lines = (0..7).map(|id| json!({ "id": id })).collect::<Vec<_>>();
    let world = json!({ "order": { "lineItems": lines } });
    let query = "query($after: String) { order { lineItems(first: 3, after: $after) {
        edges { node { id } } pageInfo { hasNextPage endCursor } } } }";
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let answer = run(query, json!({ "after": after }), world.clone()).expect("an answer");
        let connection = &answer["order"]["lineItems"];
        seen.extend(
            connection["edges"].as_array().into_iter().flatten().map(|edge| edge["node"]["id"].clone()),
        );
        if connection["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = connection["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, (0..7).map(Value::from).collect::<Vec<_>>());
}

#[test]
fn a_field_that_is_not_served_is_an_error_and_not_a_null() {
    let error =
        run("{ order { nonsense } }", json!({}), json!({ "order": { "id": "1" } })).expect_err("an error");
    assert_eq!(error.code, "undefinedField");
}
