//! Rows of sales become orders and returns.

use portolan_plugin_csv::Csv;
use portolan_sdk::commerce::Order;
use portolan_sdk::testing::{Host, NOW, connection, slice};
use portolan_sdk::{Decimal, Moment};

use super::{SMALL, run};

fn order<'a>(orders: &'a [Order], key: &str) -> &'a Order {
    orders.iter().find(|order| order.key == key).expect("the order")
}

#[test]
fn rows_of_one_key_are_one_order_wherever_they_stand() {
    let file =
        "order,date,sku,qty,price\n1,2026-01-02,A,2,1.50\n2,2026-01-02,B,1,9.00\n1,2026-01-01,C,1,0.99\n";
    let run = run(SMALL, "orders", file);
    let first = order(&run.output.orders, "1");
    assert_eq!(run.output.orders.len(), 2);
    assert_eq!((first.gross, first.total, first.currency.as_str()), (399, 399, "EUR"));
    assert_eq!(first.lines.iter().map(|line| line.key.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    // The earliest row's date, and the moment the file came.
    assert_eq!(first.placed_at, Moment::Local(20_454 * 86_400_000_000));
    assert_eq!(first.updated_at, Moment::At(NOW));
    assert_eq!(first.lines[0].quantity, Decimal::whole(2));
}

#[test]
fn equal_rows_are_two_sales() {
    let file = "order,date,sku,qty,price\n1,2026-01-02,A,1,1.50\n1,2026-01-02,A,1,1.50\n";
    let run = run(SMALL, "orders", file);
    assert_eq!(run.output.orders[0].gross, 300);
    assert_eq!(run.output.orders[0].lines.len(), 2);
}

#[test]
fn each_row_is_rounded_once_half_away_from_zero() {
    let file = "order,date,sku,qty,price\n1,2026-01-02,A,1,0.125\n1,2026-01-02,A,1,0.125\n2,2026-01-02,A,-1,0.125\n3,2026-01-02,A,3,0.001\n";
    let run = run(SMALL, "orders", file);
    assert_eq!(order(&run.output.orders, "1").gross, 26);
    assert_eq!(order(&run.output.orders, "2").gross, -13);
    assert_eq!(order(&run.output.orders, "3").gross, 0);
}

#[test]
fn a_document_with_the_prefix_is_a_return_of_no_known_order() {
    let run = run(SMALL, "orders", "order,date,sku,qty,price\nR7,2026-01-02,A,-2,1.50\n");
    let refund = &run.output.refunds[0];
    assert_eq!(run.output.orders, []);
    assert_eq!((refund.order.as_ref(), refund.total, refund.adjustment), (None, 300, 0));
    assert_eq!((refund.lines[0].product.as_deref(), refund.lines[0].amount), (Some("A"), 300));
    assert_eq!(refund.lines[0].quantity, Decimal::whole(2));
}

#[test]
fn negative_rows_become_a_refund_of_their_order_where_the_mapping_says_so() {
    let config = SMALL.replace(r#""key_prefix": "R""#, r#""negative_rows": "refund""#);
    let run =
        run(&config, "orders", "order,date,sku,qty,price\n1,2026-01-02,A,3,2.00\n1,2026-01-05,A,-1,2.00\n");
    assert_eq!(run.output.orders[0].gross, 600);
    assert_eq!((run.output.refunds[0].order.as_deref(), run.output.refunds[0].total), (Some("1"), 200));
    assert_eq!((run.output.seen, run.output.emitted), (2, 2));
}

#[test]
fn a_returned_row_is_never_taken_for_a_sold_line() {
    let config = SMALL.replace(r#""key_prefix": "R""#, r#""negative_rows": "refund""#);
    let file = "order,date,sku,qty,price\n1,2026-01-02,A,3,2.00\n1,2026-01-05,B,-1,5.00\n1,2026-01-02,C,1,1.00\n1,2026-01-06,A,-2,2.00\n";
    let run = run(&config, "orders", file);
    let order_lines: Vec<_> = run.output.orders[0].lines.iter().map(|line| line.key.as_str()).collect();
    let returned: Vec<_> = run.output.refunds[0]
        .lines
        .iter()
        .map(|line| (line.line.as_str(), line.product.as_deref(), line.amount))
        .collect();
    assert_eq!(order_lines, ["1", "3"]);
    assert_eq!(returned, [("2", Some("B"), 500), ("4", Some("A"), 400)]);
}

#[test]
fn a_bad_row_puts_its_whole_document_aside_and_no_other() {
    let file = "order,date,sku,qty,price\n1,2026-01-02,A,1,1.50\n2,2026-01-02,A,1,1.50\n1,2026-01-02,B,one,1.50\n,2026-01-02,B,1,1.50\n";
    let run = run(SMALL, "orders", file);
    assert_eq!(run.output.orders.iter().map(|order| order.key.as_str()).collect::<Vec<_>>(), ["2"]);
    let mut paths: Vec<_> = run.output.skipped.iter().map(|skipped| skipped.path.as_deref()).collect();
    paths.sort();
    assert_eq!(paths, [None, Some("order"), Some("qty")]);
    let neighbour = run.output.skipped.iter().find(|skipped| skipped.path.is_none()).expect("the neighbour");
    assert!(neighbour.reason.contains("of the same document"), "{}", neighbour.reason);
    assert_eq!((run.output.seen, run.output.emitted), (4, 1));
}

#[test]
fn a_document_may_be_larger_than_a_chunk() {
    let mut file = "order,date,sku,qty,price\n".to_owned();
    for row in 0..6_000 {
        file.push_str(&format!("1,2026-01-02,S{row},1,1.00\n"));
        if row % 3 == 0 {
            file.push_str(&format!("x{row},2026-01-02,A,1,1.00\n"));
        }
    }
    let run = run(SMALL, "orders", file);
    assert_eq!(order(&run.output.orders, "1").gross, 600_000);
    assert_eq!(run.output.orders.len(), 2_001);
    // One of 6,000 rows, and the small ones by the thousand.
    assert_eq!(run.chunks.len(), 3);
    assert!(run.output.largest_batch <= 500);
}

#[test]
fn discounts_tax_and_shipping_are_added_up_once() {
    let config = r#"{"orders": {"columns": {"document_key": "Name", "placed_at": "Created at", "quantity": "Qty",
        "line_total": "Total", "discount": "Off", "tax": "VAT", "shipping": "Shipping", "currency": "Currency"}}}"#;
    let file = "Name,Created at,Qty,Total,Off,VAT,Shipping,Currency\n\
        #1,2026-01-02 10:00:00 +0100,2,20.00,-1.00,3.80,4.90,EUR\n#1,2026-01-02 10:00:00 +0100,1,10,0,1.90,,\n";
    let run = run(config, "orders", file);
    let order = &run.output.orders[0];
    assert_eq!((order.gross, order.discount, order.tax, order.shipping), (3000, 100, 570, 490));
    assert_eq!(order.total, 3000 - 100 + 570 + 490);
    assert_eq!(order.placed_at, Moment::At(1_767_344_400_000_000));
}

#[test]
fn documents_that_disagree_with_themselves_are_put_aside() {
    let config = SMALL.replace(r#""sku": "sku""#, r#""customer": "sku""#);
    let run = run(&config, "orders", "order,date,sku,qty,price\n1,2026-01-02,A,1,1\n1,2026-01-02,B,1,1\n");
    assert_eq!(run.output.orders, []);
    assert!(run.output.skipped.iter().any(|skipped| skipped.path.as_deref() == Some("sku")));
}

#[test]
fn files_come_one_a_page_oldest_first() {
    let file = |key: &str| format!("order,date,sku,qty,price\n{key},2026-01-02,A,1,1\n");
    let host = Host::new().file("orders", "a.csv", file("1")).file("orders", "b.csv", file("2"));
    let run = host.sync::<Csv>(&connection(SMALL), &slice("orders")).expect("a run");
    assert_eq!(run.pages, 2);
    assert_eq!(run.output.orders.iter().map(|order| order.key.as_str()).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn the_same_file_gives_the_same_documents() {
    let file = "order,date,sku,qty,price\n1,2026-01-02,A,1,1.50\nR2,2026-01-02,A,-1,1.50\n";
    assert_eq!(run(SMALL, "orders", file).output, run(SMALL, "orders", file).output);
}
