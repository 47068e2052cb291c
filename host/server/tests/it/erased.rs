//! Whoever is erased leaves every figure as it was, also when everything stored is read again.

use portolan_db::testing::{TestDatabase, say_skipped};
use serde_json::Value;

use crate::support::Portolan;
use crate::till::{TILL, import};

const ORDERS: usize = 2_700;
/// Has three of them, on three days.
const CUSTOMER: &str = "42";

#[tokio::test(flavor = "multi_thread")]
async fn figures_outlive_a_customer_on_sqlite() {
    tokio::task::spawn_blocking(|| figures_outlive_a_customer(&Portolan::embedded())).await.expect("story");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_outlive_a_customer_on_postgres() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    let url = database.config.url.clone();
    let story = tokio::task::spawn_blocking(|| figures_outlive_a_customer(&Portolan::on_postgres(url)));
    story.await.expect("story");
    database.discard().await;
}

fn figures_outlive_a_customer(portolan: &Portolan) {
    import(portolan, ORDERS);
    let server = portolan.serve();
    assert_eq!(portolan.wait_for_sync_of(TILL)["state"], "succeeded");
    drop(server);
    let of_them = ["--connection", TILL, "--customer", CUSTOMER];
    let before = figures(portolan);
    let export = portolan.run(&[&["privacy", "export"][..], &of_them].concat());
    let export: Value = serde_json::from_str(&export).expect("an export is JSON");
    assert!(export.to_string().contains("Lamp"), "{export:#}");

    let refused = portolan.output(&[&["privacy", "erase"][..], &of_them, &["--confirm", "43"]].concat());
    assert!(!refused.status.success(), "another id confirms nothing");
    portolan.run(&[&["privacy", "erase"][..], &of_them, &["--confirm", CUSTOMER]].concat());
    assert_eq!(figures(portolan), before, "right after they were erased");
    let gone = portolan.output(&[&["privacy", "export"][..], &of_them].concat());
    let answer = [gone.stdout, gone.stderr].concat();
    assert!(!String::from_utf8_lossy(&answer).contains("Lamp"), "nothing of theirs is handed out any more");

    portolan.run(&["replay", "run", TILL]);
    assert_eq!(figures(portolan), before, "after everything was read again");
}

/// What the engine answers: sales, and customers counted by who they are and when they came first.
fn figures(portolan: &Portolan) -> Vec<Value> {
    let questions: [&[&str]; 3] = [
        &["--metric", "net_sales", "--metric", "orders", "--metric", "customers", "--by", "day"],
        &["--metric", "new_customers", "--metric", "returning_customers", "--by", "week"],
        &["--metric", "net_sales", "--metric", "orders", "--by", "new_returning"],
    ];
    let answer = |words: &[&str]| {
        let mut answer = portolan.query(words);
        let rows = answer["rows"].take();
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{answer:#}");
        rows
    };
    questions.into_iter().map(answer).collect()
}
