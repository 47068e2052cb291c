//! Products and customers.

use portolan_sdk::Decimal;

use super::run;

#[test]
fn of_several_rows_of_one_product_the_last_stands() {
    let file = "sku,title,price,vendor\nA,Tea,1.50,Leaf\nB,Cup,3,Clay\nA,Green tea,1.75,Leaf\n";
    let run = run(r#"{"products": {"currency": "EUR"}}"#, "products", file);
    let tea = run.output.products.iter().find(|product| product.key == "A").expect("A");
    assert_eq!((tea.title.as_str(), tea.brand.as_deref()), ("Green tea", Some("Leaf")));
    assert_eq!(tea.price, Some(Decimal::new(175, 2)));
    assert_eq!((run.output.seen, run.output.emitted, run.output.skipped.len()), (3, 2, 1));
}

#[test]
fn customers_have_keys_and_places_but_no_names() {
    let config = r#"{"customers": {"columns": {"key": "No", "country": "Land"}, "personal": ["Nom"], "strip_decimal_zero": ["No"]}}"#;
    let run = run(config, "customers", "No,Nom,Land\n17850.0,Jane Doe,United Kingdom\n,Nobody,France\n");
    assert_eq!(run.output.customers[0].key, "17850");
    assert_eq!(run.output.customers[0].country.as_deref(), Some("United Kingdom"));
    assert_eq!(run.output.skipped[0].path.as_deref(), Some("No"));
    assert!(!String::from_utf8_lossy(&run.chunks[0].body).contains("Jane"));
}
