//! Tables of a data warehouse that others build their models on: the sums per kind have to be the same when their
//! rows come as Stripe's objects.

use std::collections::BTreeMap;

use portolan_sdk::time;
use serde_json::{Value, json};

use crate::support::{map, shared};

type Row = BTreeMap<String, String>;

fn table(name: &str) -> Option<Vec<Row>> {
    let path = shared(&format!("warehouse-seeds/stripe/{name}_data.csv"))?;
    let mut reader = csv::Reader::from_path(path).expect("a table");
    Some(reader.deserialize().map(|row| row.expect("a row")).collect())
}

fn seconds(text: &str) -> i64 {
    time::local_by(text, "%Y-%m-%d %H:%M:%S").expect("a moment") / 1_000_000
}

fn number(row: &Row, column: &str) -> i64 {
    row[column].parse().expect("a number")
}

fn text(row: &Row, column: &str) -> Value {
    row.get(column).filter(|text| !text.is_empty()).map_or(Value::Null, |text| json!(text))
}

#[test]
fn sums_per_kind_are_the_tables_own() {
    let Some(rows) = table("balance_transaction") else { return };
    let objects: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row["id"], "object": "balance_transaction", "amount": number(row, "amount"),
                "available_on": seconds(&row["available_on"]), "created": seconds(&row["created"]),
                "currency": row["currency"], "exchange_rate": null, "fee": number(row, "fee"), "net": number(row, "net"),
                "source": text(row, "source"), "status": row["status"], "type": row["type"],
            })
        })
        .collect();
    let output = map("balance_transactions", &objects);
    assert!(output.skipped.is_empty(), "{:?}", output.skipped);
    let mut expected = BTreeMap::<&str, [i64; 4]>::new();
    for row in &rows {
        let category = match row["type"].as_str() {
            "charge" => "sale",
            "payout" => "payout",
            other => panic!("the table has a kind that it had not: {other}"),
        };
        let sums = expected.entry(category).or_default();
        let amounts = [1, number(row, "amount"), number(row, "fee"), number(row, "net")];
        sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
    }
    let mut found = BTreeMap::<&str, [i64; 4]>::new();
    for entry in &output.balance_entries {
        let sums = found.entry(entry.category.as_str()).or_default();
        sums.iter_mut().zip([1, entry.amount, entry.fee, entry.net]).for_each(|(sum, amount)| *sum += amount);
        let known = entry.source.as_deref().is_some_and(|source| source.starts_with("ch_"));
        assert_eq!(entry.payment.is_some(), known, "the charge's id tells the payment");
    }
    assert_eq!(found, expected);
    // The one payout that the table has whole: it took out what one charge brought.
    let own =
        output.balance_entries.iter().find(|entry| entry.category == "payout").expect("a payout's entry");
    let paid: i64 = rows
        .iter()
        .filter(|row| row["type"] == "charge" && Some(row["payout_id"].as_str()) == own.payout.as_deref())
        .map(|row| number(row, "net"))
        .sum();
    assert_eq!(own.net, -paid);
}

#[test]
fn payouts_and_refunds_are_the_tables_own() {
    let Some(rows) = table("payout") else { return };
    let objects: Vec<Value> = rows
        .iter()
        .map(|row| {
            // Payouts made by a person: their entries are not asked for.
            json!({
                "id": row["id"], "object": "payout", "amount": number(row, "amount"), "automatic": false,
                "arrival_date": seconds(&row["arrival_date"]), "created": seconds(&row["created"]),
                "currency": row["currency"], "status": row["status"],
            })
        })
        .collect();
    let output = map("payouts", &objects);
    let total = |rows: &[Row]| rows.iter().map(|row| number(row, "amount")).sum::<i64>();
    assert_eq!(output.payouts.iter().map(|payout| payout.amount).sum::<i64>(), total(&rows));
    assert!(output.payouts.iter().any(|payout| payout.amount < 0), "a debit of the bank account");

    let Some(rows) = table("refund") else { return };
    let objects: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row["id"], "object": "refund", "amount": number(row, "amount"), "charge": row["charge_id"],
                "created": seconds(&row["created"]), "currency": row["currency"], "status": row["status"],
            })
        })
        .collect();
    let output = map("refunds", &objects);
    assert_eq!(output.transactions.iter().map(|refund| refund.amount).sum::<i64>(), total(&rows));
    assert!(output.transactions.iter().all(|refund| refund.kind == "refund" && refund.parent.is_some()));
}
