//! "What did we report on that day": of both ledgers, from parts and tail, whatever was posted since.

use portolan_analytics::{AsOf, GrainChoice, Query, QueryEngine, Table, Visibility};
use portolan_core::{Clock, Duration, Instant};
use portolan_db::testing::{TestDatabase, on_both};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::property::property;
use crate::support::{CashLine, EventLine, RateLine, World, plain_rows, range, sale};

const METRICS: [&str; 6] =
    ["net_sales", "orders", "returning_customers", "gross_payments", "payment_fees", "balance_change"];

fn paid(at: &str, entry: &str, amount: i64) -> CashLine {
    CashLine {
        at: format!("{at}T12:00:00Z"),
        entry: entry.to_owned(),
        category: "sale".to_owned(),
        amount,
        fee: amount / 10,
        ..CashLine::default()
    }
}

fn whole() -> Query {
    Query::over(range("2026-01-01", "2026-04-01"), &METRICS)
}

fn told(table: &Table) -> Value {
    json!([plain_rows(&table.rows), plain_rows(&table.totals)])
}

#[tokio::test]
async fn a_correction_leaves_what_was_reported_before() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        let question =
            Query::over(range("2026-01-01", "2026-02-01"), &["net_sales", "orders", "gross_payments"]);
        world.post(&[sale("2026-01-05", "A", 1_000)]).await;
        world.post_cash(&[paid("2026-01-05", "1", 1_000)]).await;
        let first_day = AsOf::parse("2026-06-01").expect("a day");
        world.clock.advance(Duration::from_days(1));
        // The order was another one: taken back and posted anew, on the same business date.
        let back = EventLine { quantity: -1.0, ..sale("2026-01-05", "A", -1_000) };
        world.post(&[back, sale("2026-01-05", "A", 1_250), sale("2026-01-06", "B", 400)]).await;
        let wrong = CashLine { reverses: true, ..paid("2026-01-05", "1", -1_000) };
        world.post_cash(&[wrong, paid("2026-01-05", "1", 1_250)]).await;
        for folded in [false, true] {
            if folded {
                world.fold().await;
            }
            let now = world.ask(&question).await;
            assert_eq!(plain_rows(&now.rows), json!([["EUR", 1_650, 2, 1_250]]), "folded: {folded}");
            let then = world.ask(&question.clone().reported(first_day)).await;
            assert_eq!(plain_rows(&then.rows), json!([["EUR", 1_000, 1, 1_000]]), "folded: {folded}");
            assert_eq!(then.as_of, Instant::parse_rfc3339("2026-06-01T23:59:59.999999Z").expect("a moment"));
            let again = world.ask(&question).await;
            assert_eq!(told(&again), told(&now), "remembered under a key of its own");
        }
        let before = AsOf::parse("2026-05-31T23:59:59Z").expect("a moment");
        let nothing = world.ask(&question.clone().reported(before)).await;
        assert_eq!(plain_rows(&nothing.rows), json!([]), "nothing was known yet");
    })
    .await;
}

#[tokio::test]
async fn amounts_are_converted_at_the_rates_that_were_known_then() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        world.post(&[sale("2026-01-05", "A", 1_000)]).await;
        world.post_cash(&[paid("2026-01-05", "1", 1_000)]).await;
        let question = Query::over(range("2026-01-01", "2026-02-01"), &["net_sales", "gross_payments"]);
        let question = question.shown_in("USD".parse().expect("a currency"));
        let said = |day: &str, rate: &str| RateLine {
            day: day.to_owned(),
            base: "EUR".to_owned(),
            quote: "USD".to_owned(),
            rate: rate.to_owned(),
        };
        let mut told_then = Vec::new();
        let days: [&[RateLine]; 4] = [
            &[],
            // Of another day: the week before it has none.
            &[said("2026-01-06", "9")],
            &[said("2026-01-05", "1.1"), said("2026-01-04", "7")],
            &[said("2026-01-05", "1.25")],
        ];
        for rates in days {
            world.store_rates(rates).await;
            told_then.push(told(&world.ask(&question).await));
            world.clock.advance(Duration::from_days(1));
        }
        assert_eq!(
            told_then,
            [
                json!([[["EUR", 1_000, 1_000]], [["EUR", 1_000, 1_000]]]),
                json!([[["EUR", 1_000, 1_000]], [["EUR", 1_000, 1_000]]]),
                json!([[["USD", 1_100, 1_100]], [["USD", 1_100, 1_100]]]),
                json!([[["USD", 1_250, 1_250]], [["USD", 1_250, 1_250]]]),
            ]
        );
        for (day, expected) in ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"].iter().zip(told_then)
        {
            let asked = question.clone().reported(AsOf::parse(day).expect("a day"));
            let then = world.ask(&asked).await;
            assert_eq!(told(&then), expected, "as of {day}");
        }
    })
    .await;
}

#[derive(Debug, Clone)]
struct Step {
    sales: Vec<EventLine>,
    cash: Vec<CashLine>,
    fold: bool,
    minutes: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let sold = (0..60_i32, 0..4_u8, 0..3_u8, -9_000_i64..9_000).prop_map(|(days, order, customer, gross)| {
        let day = portolan_core::LocalDate::from_ymd(2026, 1, 1).expect("a date").plus_days(days);
        EventLine {
            quantity: if gross < 0 { -1.0 } else { 1.0 },
            ordered: Some("2026-01-15T10:00:00Z".to_owned()),
            customer: (customer > 0).then(|| format!("c{customer}")),
            ..sale(&day.to_string(), &format!("o{order}"), gross)
        }
    });
    let moved = (0..60_i32, 0..6_u8, -9_000_i64..9_000).prop_map(|(days, entry, amount)| {
        let day = portolan_core::LocalDate::from_ymd(2026, 1, 1).expect("a date").plus_days(days);
        paid(&day.to_string(), &format!("e{entry}"), amount)
    });
    let lines = (proptest::collection::vec(sold, 0..5), proptest::collection::vec(moved, 0..5));
    (lines, any::<bool>(), 0..3_000_i64).prop_map(|((sales, cash), fold, minutes)| Step {
        sales,
        cash,
        fold,
        minutes,
    })
}

#[test]
fn what_was_reported_stays_whatever_is_posted_after_it() {
    let steps = proptest::collection::vec(step(), 1..4);
    property(3, &steps, async |test, steps| check(test, steps).await);
}

async fn check(test: &TestDatabase, steps: &[Step]) {
    let world = World::new(test).await;
    let questions = [whole(), whole().by("connection").every(GrainChoice::Month)];
    let mut reported: Vec<(Instant, Vec<Value>)> = Vec::new();
    for step in steps {
        if !step.sales.is_empty() {
            world.post(&step.sales).await;
        }
        if !step.cash.is_empty() {
            world.post_cash(&step.cash).await;
        }
        if step.fold {
            world.fold().await;
        }
        let now = world.clock.now();
        let mut answers = Vec::new();
        for question in &questions {
            let plain = world.ask(question).await;
            let asked = question.clone().reported(AsOf::Moment(now));
            assert_eq!(told(&world.ask(&asked).await), told(&plain), "as of now is now");
            let ahead = question.clone().reported(AsOf::Moment(now + Duration::from_days(9)));
            let ahead =
                world.store.run(world.tenant, &Visibility::everything(), &ahead).await.expect("an answer");
            assert_eq!((told(&ahead), ahead.as_of), (told(&plain), now), "nobody reports tomorrow");
            answers.push(told(&plain));
        }
        reported.push((now, answers));
        world.clock.advance(Duration::from_minutes(step.minutes + 1));
    }
    for folded in [false, true] {
        if folded {
            world.fold().await;
        }
        for (moment, answers) in &reported {
            for (question, answer) in questions.iter().zip(answers) {
                let asked = question.clone().reported(AsOf::Moment(*moment));
                let later = world.ask_afresh(&asked).await;
                assert_eq!(&told(&later), answer, "as of {moment}, folded: {folded}");
                assert_eq!(&told(&world.ask(&asked).await), answer, "and remembered so");
            }
        }
    }
}
