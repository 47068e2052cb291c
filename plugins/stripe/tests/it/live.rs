//! A server that others have written in Stripe's image (localstripe), where one runs: `PORTOLAN_LOCALSTRIPE_URL` names
//! it, `http://127.0.0.1:4320`. It knows less than Stripe: no disputes, no entries of payouts, fewer expansions.

use std::io::{Read, Write};
use std::net::TcpStream;

use portolan_plugin_stripe::Stripe;
use portolan_sdk::testing::{Answer, Host, Output};
use serde_json::Value;

use crate::support::{account, say, whole};

/// One exchange on a connection of its own; status and body.
fn exchange(authority: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(authority).expect("a server");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {authority}\r\nAuthorization: Bearer sk_test_12345\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    (status, body.to_owned())
}

fn make(authority: &str, path: &str, body: &str) -> String {
    let (status, answer) = exchange(authority, "POST", path, body);
    assert_eq!(status, 200, "{path}: {answer}");
    let made: Value = serde_json::from_str(&answer).expect("JSON");
    made["id"].as_str().expect("an id").to_owned()
}

fn read(authority: &str, stream: &str) -> Output {
    let authority = authority.to_owned();
    let host = Host::new().upstream(move |call| {
        let (status, body) = exchange(&authority, &call.method, &call.url, "");
        Answer::new(status, "application/json", body)
    });
    let run = host.sync::<Stripe>(&account(), &whole(stream)).expect("a run");
    assert!(run.output.skipped.is_empty(), "{stream}: {:?}", run.output.skipped);
    run.output
}

#[test]
fn a_payment_and_its_refund_come_from_a_live_server_as_they_were_made() {
    let Ok(url) = std::env::var("PORTOLAN_LOCALSTRIPE_URL") else {
        say("skipped: PORTOLAN_LOCALSTRIPE_URL is not set");
        return;
    };
    let authority = url.trim_start_matches("http://");
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123";
    let method = make(authority, "/v1/payment_methods", card);
    let customer = make(authority, "/v1/customers", "email=buyer@shop.example&name=Buyer");
    make(authority, &format!("/v1/payment_methods/{method}/attach"), &format!("customer={customer}"));
    let payment = format!("currency=eur&source={method}&customer={customer}");
    let number = "metadata[order_number]=%231001";
    // More than a page.
    let charges: Vec<String> = (0..101)
        .map(|index| make(authority, "/v1/charges", &format!("amount={}&{payment}&{number}", 2_000 + index)))
        .collect();
    let refund = make(authority, "/v1/refunds", &format!("charge={}&amount=500", charges[0]));
    let payout = make(authority, "/v1/payouts", "amount=1200&currency=eur");

    let transactions = read(authority, "charges").documents.transactions;
    let amount = |key: &String| transactions.iter().find(|one| one.key == *key).map(|one| one.amount);
    assert_eq!(
        charges.iter().filter_map(amount).sum::<i64>(),
        (0..101).map(|index| 2_000 + index).sum::<i64>()
    );
    let refunds = read(authority, "refunds").documents.transactions;
    let given = refunds.iter().find(|one| one.key == refund).expect("the refund");
    assert_eq!(
        (given.amount, given.parent.as_ref(), given.order.as_deref()),
        (500, Some(&charges[0]), Some("#1001"))
    );
    let entries = read(authority, "balance_transactions").documents.balance_entries;
    let sums = |category: &str| {
        let ours = entries
            .iter()
            .filter(|entry| entry.source.as_ref().is_some_and(|id| charges.contains(id) || *id == refund));
        ours.filter(|entry| entry.category == category).map(|entry| entry.amount).sum::<i64>()
    };
    assert_eq!((sums("sale"), sums("refund")), ((0..101).map(|index| 2_000 + index).sum(), -500));
    let sale = entries.iter().find(|entry| entry.source.as_ref() == Some(&charges[0])).expect("the sale");
    assert_eq!((sale.payment.as_ref(), sale.reference.as_deref()), (Some(&charges[0]), Some("#1001")));
    assert!(read(authority, "payouts").payouts.iter().any(|one| one.key == payout && one.amount == 1_200));
    assert!(read(authority, "customers").customers.iter().any(|one| one.key == customer));
    say(&format!("{} movements read from {url}", entries.len()));
}
