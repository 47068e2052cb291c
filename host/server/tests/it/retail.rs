//! A year of a real gift shop's sales answers to the cent.
//!
//! The expected figures were computed from the same file by a program that shares no code with
//! Portolan (`xtask/reference/retail.py`).

use serde_json::Value;

use crate::support::{Portolan, column, number, shared_file, single};

const RETAIL: &str = "datasets/uci-online-retail.csv.xz";

/// Net sales by month, in pence.
const BY_MONTH: [(&str, i64); 13] = [
    ("2010-12-01", 74_895_702),
    ("2011-01-01", 56_000_026),
    ("2011-02-01", 49_806_265),
    ("2011-03-01", 68_326_708),
    ("2011-04-01", 49_320_712),
    ("2011-05-01", 72_333_351),
    ("2011-06-01", 69_112_312),
    ("2011-07-01", 68_130_011),
    ("2011-08-01", 68_268_051),
    ("2011-09-01", 101_968_762),
    ("2011-10-01", 107_070_467),
    ("2011-11-01", 146_175_625),
    ("2011-12-01", 43_366_801),
];

/// Net sales of the largest and the smallest countries, in pence.
const BY_COUNTRY: [(&str, i64); 6] = [
    ("United Kingdom", 818_780_636),
    ("Netherlands", 28_466_154),
    ("EIRE", 26_327_682),
    ("Germany", 22_169_821),
    ("Bahrain", 54_840),
    ("Saudi Arabia", 13_117),
];

#[test]
fn real_retail_sales_answer_to_the_cent() {
    let Some(file) = shared_file(RETAIL) else { return };
    let portolan = Portolan::embedded();
    // Nobody listens there: the shop's sync fails and must not touch the file's.
    portolan.set_up_demo("http://127.0.0.1:9", &file);
    // The first sync was queued by the set-up: asking again is refused, and says which one is open.
    let asked_again = portolan.output(&["sync", "run", "Online retail"]);
    let refused = String::from_utf8_lossy(&asked_again.stderr).into_owned();
    assert!(refused.contains("already queued"), "{refused}");

    let server = portolan.serve();
    let sync = portolan.wait_for_sync_of("Online retail");
    drop(server);
    assert_eq!(sync["state"], "succeeded", "{sync:#}");
    assert_eq!(sync["seen"], 541_909);
    assert_eq!(sync["skipped"], 0);
    assert_eq!(sync["documents"], 25_900);

    check_totals(&portolan);
    check_breakdowns(&portolan);
}

fn check_totals(portolan: &Portolan) {
    let net = portolan.query(&["--metric", "net_sales"]);
    assert_eq!(single(&net, "net_sales"), 974_774_793);
    let returns = portolan.query(&["--metric", "net_sales", "--where", "kind=return"]);
    assert_eq!(single(&returns, "net_sales"), -89_681_249);
    let orders = portolan.query(&["--metric", "orders", "--metric", "customers"]);
    assert_eq!(single(&orders, "orders"), 20_728);
    assert_eq!(single(&orders, "customers"), 4_339);
}

fn check_breakdowns(portolan: &Portolan) {
    let by_month = portolan.query(&["--metric", "net_sales", "--by", "month"]);
    let months: Vec<Value> = column(&by_month, "period");
    let amounts: Vec<i64> = column(&by_month, "net_sales").iter().map(number).collect();
    let answered: Vec<(String, i64)> = months
        .iter()
        .map(|month| month["start"].as_str().or_else(|| month["from"].as_str()).expect("month").to_owned())
        .zip(amounts)
        .collect();
    let expected: Vec<(String, i64)> =
        BY_MONTH.iter().map(|(month, net)| ((*month).to_owned(), *net)).collect();
    assert_eq!(answered, expected);

    let by_country = portolan.query(&["--metric", "net_sales", "--by", "country"]);
    let countries = column(&by_country, "country");
    let amounts: Vec<i64> = column(&by_country, "net_sales").iter().map(number).collect();
    assert_eq!(amounts.iter().sum::<i64>(), 974_774_793);
    assert_eq!(countries.len(), 38);
    for (country, net) in BY_COUNTRY {
        let index = countries.iter().position(|found| found["label"] == country).expect(country);
        assert_eq!(amounts[index], net, "{country}");
    }
}
