use std::collections::BTreeMap;

use portolan_analytics::catalogue::{Formula, Measure};
use portolan_analytics::{Cell, Column, DateRange, Role, Row, Table};
use portolan_core::{ConnectionId, Currency, Instant, LocalDate, Money};
use proptest::prelude::*;
use uuid::Uuid;

use super::money::{Flow, STEPS, Step, flows};
use super::money_views::{MoneyScope, block};

fn currency(code: &str) -> Currency {
    code.parse().expect("a currency")
}

fn table(columns: &[&str], rows: Vec<Vec<Cell>>, totals: Vec<Vec<Cell>>, unconverted: &[&str]) -> Table {
    let column = |id: &&str| Column {
        id: (*id).to_owned(),
        label: (*id).to_owned(),
        role: Role::Metric,
        unit: None,
        additivity: None,
        date_basis: None,
        less_is_better: false,
        currency: None,
    };
    let row = |cells| Row { cells, compared: None };
    Table {
        columns: columns.iter().map(column).collect(),
        row_count: rows.len(),
        rows: rows.into_iter().map(row).collect::<Vec<_>>().into(),
        totals: totals.into_iter().map(row).collect(),
        range: DateRange { from: LocalDate(0), until: LocalDate(3) },
        grain: None,
        comparison: None,
        display_currency: None,
        unconverted: unconverted.iter().map(|code| currency(code)).collect(),
        data_version: 1,
        as_of: Instant(0),
        engine_ms: 0,
        rows_scanned: None,
    }
}

fn key(text: &str) -> Cell {
    Cell::Key { key: Some(text.to_owned()), label: text.to_owned() }
}

fn money(code: &str, amount_minor: i64) -> Cell {
    Cell::Money(Money::new(amount_minor, currency(code)))
}

/// What the engine answers for these parts: gross, refunds, disputes, fees, other, payouts.
fn answered(told: &[(&str, [i64; 6])], unconverted: &[&str]) -> Vec<Flow> {
    let columns: Vec<&str> =
        ["balance_category", "currency"].into_iter().chain(STEPS.map(Step::metric)).collect();
    let cells = |kind: Cell, code: &str, [gross, refunds, disputes, fees, other, payouts]: [i64; 6]| {
        let net = gross - refunds - disputes - fees + other;
        let amounts = [gross, refunds, disputes, fees, other, net, payouts, net - payouts];
        let amounts = amounts.into_iter().map(|amount_minor| money(code, amount_minor));
        [kind, key(code)].into_iter().chain(amounts).collect::<Vec<Cell>>()
    };
    // A kind of movement for each part.
    let kinds = told.iter().flat_map(|(code, parts)| {
        (0..6).map(move |part| {
            let mut alone = [0; 6];
            alone[part] = parts[part];
            cells(key(["sale", "refund", "dispute", "fee", "transfer", "payout"][part]), code, alone)
        })
    });
    let totals = told.iter().map(|(code, parts)| cells(Cell::Null, code, *parts)).collect();
    flows(&table(&columns, kinds.collect(), totals, unconverted)).expect("flows")
}

fn scope(has_provider: bool, connection: Option<ConnectionId>) -> MoneyScope {
    MoneyScope { has_provider, tenant_has_provider: has_provider, connection }
}

#[test]
fn every_sum_is_made_of_the_steps_above_it_in_the_catalogue_itself() {
    let mut above: BTreeMap<Measure, i64> = BTreeMap::new();
    let mut sums = 0;
    for step in STEPS {
        let metric = step.definition().expect("a metric of the catalogue");
        let Formula::Sum(formula) = metric.formula else { panic!("{} is no sum", metric.id) };
        match step {
            Step::Part { sign, .. } => {
                for (measure, factor) in formula {
                    *above.entry(*measure).or_default() += sign * i64::from(*factor);
                }
            }
            Step::Sum { .. } => {
                let told: BTreeMap<Measure, i64> =
                    formula.iter().map(|(measure, factor)| (*measure, i64::from(*factor))).collect();
                assert_eq!(told, above, "{}", metric.id);
                sums += 1;
            }
        }
    }
    assert_eq!(sums, 2);
}

proptest! {
    #[test]
    fn what_is_shown_adds_up(parts in prop::array::uniform6(-1_000_000_i64..1_000_000), rest in 0_i64..9) {
        let shown = answered(&[("EUR", parts), ("JPY", [rest; 6])], &[]);
        for flow in &shown {
            let mut above = 0;
            for (step, amount_minor) in STEPS.iter().zip(flow.amounts_minor) {
                if step.is_sum() {
                    prop_assert_eq!(amount_minor, above);
                } else {
                    above += amount_minor;
                }
            }
            prop_assert_eq!(flow.of("payment_refunds"), -flow.amounts_minor[1], "as the metric counts it");
            let kinds: i64 = flow.kinds.iter().map(|(_, amount_minor)| amount_minor).sum();
            prop_assert_eq!(kinds, flow.of("balance_change"));
        }
        let named: Vec<String> = shown.iter().map(|flow| flow.currency.to_string()).collect();
        prop_assert!(named.iter().all(|name| name == "EUR" || name == "JPY"), "each currency by itself");
    }
}

#[test]
fn what_has_no_rate_stays_apart_and_says_so() {
    let parts = [10_000, 1_500, 0, 320, -200, 7_000];
    let shown = answered(&[("EUR", parts), ("USD", [500, 0, 0, 20, 0, 900])], &["USD"]);
    let view = block(&shown, &scope(true, None)).expect("a block");
    let euro: Vec<(&str, &str)> =
        view.flows[0].steps.iter().map(|step| (step.label.as_str(), step.amount.as_str())).collect();
    assert_eq!(
        euro,
        [
            ("Gross payments", "100.00"),
            ("Refunds", "−15.00"),
            ("Disputes", "0.00"),
            ("Fees", "−3.20"),
            ("Other movements", "−2.00"),
            ("Net", "79.80"),
            ("Paid out", "−70.00"),
            ("Stays in the balance", "9.80"),
        ]
    );
    let dollars = &view.flows[1];
    assert!(dollars.unconverted && !view.flows[0].unconverted);
    let last = dollars.steps.last().expect("a step");
    assert_eq!((last.label.as_str(), last.amount.as_str()), ("Taken from the balance", "−4.20"));
    assert!(view.note.expect("a note").starts_with("USD not converted"));
    assert_eq!(view.flows[0].kinds.len(), 5, "what did not move is left out");
}

#[test]
fn without_a_provider_the_block_says_what_it_would_show() {
    let chosen = Some(ConnectionId(Uuid::from_u128(7)));
    let view = block(&[], &scope(false, None)).expect("a block");
    assert!(view.flows.is_empty() && view.note.is_some_and(|note| note.contains("No payment provider")));
    assert_eq!(view.action.expect("an action").href, "/connections/new");
    let view = block(&[], &scope(true, chosen)).expect("a block");
    assert!(view.action.expect("an action").href.ends_with(&format!("?connection={}", Uuid::from_u128(7))));
    assert_eq!(view.note.as_deref(), Some("No payment moved in these days."));
    assert_eq!(block(&[], &scope(false, chosen)), None, "a shop is no provider");
}
