//! The connector against recorded answers, natively.

use portolan_sdk::testing::{Answer, Host, connection, slice};

use super::Shop;

const FIRST: &str = r#"{"orders": [
    {"id": 1, "created_at": "2026-01-01T10:00:00Z", "updated_at": "2026-01-02T10:00:00+01:00",
     "currency": "EUR", "total": 12.50, "items": [{"id": 11, "sku": "A", "name": "Tea", "quantity": 2, "amount": "12.50"}]},
    {"id": 2, "created_at": "yesterday", "updated_at": "2026-01-02T10:00:00Z", "currency": "EUR", "total": "1.00", "items": []}
]}"#;

#[test]
fn two_pages_become_orders_and_a_bad_record_is_put_aside() {
    let next = r#"<https://demo.shop.example/api/orders?page=2>; rel="next""#;
    let host = Host::new()
        .answer("GET /api/orders", Answer::json(FIRST).header("Link", next))
        .answer("GET https://demo.shop.example/api/orders?page=2", Answer::json(r#"{"orders": []}"#));

    let run = host.sync::<Shop>(&connection(r#"{"shop": "demo"}"#), &slice("orders")).expect("a run");

    assert_eq!(run.pages, 2);
    assert_eq!(run.output.orders[0].total, 1250);
    assert_eq!(run.output.skipped[0].path.as_deref(), Some("created_at"));
    assert_eq!((run.output.seen, run.output.emitted), (2, 1));
}
