//! Hand-computed cases: what one payment posts.

use portolan_core::Money;

use super::{Ledger, all_shown, currency, dispute, entry, events, moment, payout, utc, versions};
use crate::cash::{
    BalanceCategory, DisputeState, Finding, PaymentFacts, findings, ledger_keys, payout_check, totals,
};
use crate::document::{BalanceEntry, Moment};

fn on(entry: BalanceEntry, at: &str) -> BalanceEntry {
    BalanceEntry { at: moment(at), ..entry }
}

#[test]
fn a_refund_in_another_currency_nets_where_the_buyer_paid_and_leaves_the_exchange() {
    let charged = |entry: BalanceEntry, minor: i64| BalanceEntry {
        charged: Some(Money::new(minor, currency("USD"))),
        ..entry
    };
    let sale = charged(entry("t-1", "sale", 915, 45), 1_000);
    let refund = charged(on(entry("t-2", "refund", -922, 0), "2026-05-10T12:00:00Z"), -1_000);
    let events = events("pay-1", &versions([sale, refund]), &[]);
    assert_eq!(
        all_shown(&events),
        [
            "sale 2026-05-01 of 2026-05-01 amount 915 fee 45 net 870 EUR",
            "refund 2026-05-10 of 2026-05-01 amount -922 fee 0 net -922 EUR",
        ]
    );
    let buyer: Vec<_> = events.iter().map(|event| (event.charged_minor, event.charged_currency)).collect();
    assert_eq!(buyer, [(Some(1_000), Some(currency("USD"))), (Some(-1_000), Some(currency("USD")))]);
    let left = totals(&events);
    assert_eq!(left.len(), 1, "what the buyer saw is never added to the balance");
    // Exchange −0.07, fee −0.45.
    assert_eq!((left[&currency("EUR")].amount_minor, left[&currency("EUR")].net_minor), (-7, -52));
}

#[test]
fn an_entry_that_moves_to_another_payment_is_posted_anew_under_both() {
    let wrong = entry("t-2", "refund", -300, 0);
    let right = BalanceEntry {
        payment: Some("pay-2".into()),
        updated_at: moment("2026-05-02T12:00:00Z"),
        ..wrong.clone()
    };
    let mut first = Ledger::default();
    let before = versions([entry("t-1", "sale", 1_000, 0), wrong.clone()]);
    assert_eq!(first.post(events("pay-1", &before, &[])), 2);

    let after = versions([entry("t-1", "sale", 1_000, 0), wrong, right]);
    assert_eq!(ledger_keys(&after), ["pay-1", "pay-2"]);
    assert_eq!(first.post(events("pay-1", &after, &[])), 1, "its negated copy");
    assert_eq!(totals(first.all())[&currency("EUR")].amount_minor, 1_000);
    assert_eq!(
        all_shown(&events("pay-2", &after, &[])),
        ["refund 2026-05-01 of 2026-05-01 amount -300 fee 0 net -300 EUR"],
        "dated by itself: the sale of its payment is not known"
    );
}

#[test]
fn a_deleted_entry_stands_for_nothing() {
    let gone = BalanceEntry {
        deleted: true,
        updated_at: moment("2026-05-02T12:00:00Z"),
        ..entry("t-1", "sale", 1_000, 0)
    };
    assert!(events("pay-1", &versions([entry("t-1", "sale", 1_000, 0), gone]), &[]).is_empty());
}

#[test]
fn an_entry_without_a_payment_stands_under_its_own_key_and_date() {
    let lone = BalanceEntry { payment: None, ..entry("pay-1", "fee", -200, 0) };
    let lone = on(lone, "2026-06-01T12:00:00Z");
    let entries = versions([entry("t-1", "sale", 1_000, 0), lone]);
    assert_eq!(
        all_shown(&events("pay-1", &entries, &[])),
        [
            "sale 2026-05-01 of 2026-05-01 amount 1000 fee 0 net 1000 EUR",
            "fee 2026-06-01 of 2026-06-01 amount -200 fee 0 net -200 EUR",
        ],
        "an entry may be named like a payment: it is still none of it"
    );
}

#[test]
fn money_in_dispute_says_how_the_dispute_stands() {
    let taken = BalanceEntry {
        source: Some("dp-1".into()),
        ..on(entry("t-2", "dispute", -1_000, 1_500), "2026-05-20T12:00:00Z")
    };
    let entries = versions([entry("t-1", "sale", 1_000, 30), taken]);
    let state = |disputes: &[_]| {
        let events = events("pay-1", &entries, disputes);
        assert_eq!(events[0].dispute_state, None, "a sale is no dispute");
        events[1].dispute_state
    };
    assert_eq!(state(&[]), None);
    let open = dispute("dp-1", "needs_response", "2026-05-20T12:00:00Z");
    let lost = dispute("dp-1", "lost", "2026-06-20T12:00:00Z");
    assert_eq!(state(&versions([open.clone()])), Some(DisputeState::NeedsResponse));
    assert_eq!(state(&versions([lost.clone(), open.clone()])), Some(DisputeState::Lost));
    let another = dispute("dp-2", "won", "2026-06-25T12:00:00Z");
    assert_eq!(state(&versions([lost, open, another])), Some(DisputeState::Lost), "the one it names");
    let strangers =
        [dispute("dp-2", "won", "2026-06-25T12:00:00Z"), dispute("dp-3", "lost", "2026-06-25T12:00:00Z")];
    assert_eq!(state(&versions(strangers)), None, "never guessed");
}

#[test]
fn words_that_nobody_knows_are_posted_as_other_and_told() {
    let entries = versions([entry("t-1", "moon_tax", -10, 0), entry("t-2", "Fee-Refund", 5, 0)]);
    let disputes = versions([dispute("dp-1", "moonlit", "2026-05-20T12:00:00Z")]);
    let posted = events("pay-1", &entries, &disputes);
    let categories: Vec<_> = posted.iter().map(|event| event.category).collect();
    assert_eq!(categories, [BalanceCategory::Other, BalanceCategory::FeeRefund]);
    let facts = PaymentFacts { entries: &entries, disputes: &disputes };
    let found = findings("pay-1", &facts, &utc());
    let unknown =
        |finding: &Finding| matches!(finding, Finding::UnknownCategory { word, .. } if word == "moon_tax");
    assert!(found.len() == 2 && unknown(&found[0]), "{found:?}");
    assert!(found[1].to_string().contains("moonlit"), "{}", found[1]);
}

#[test]
fn a_payout_is_checked_without_the_entry_that_is_itself() {
    let events = events(
        "pay-1",
        &versions([
            entry("t-1", "sale", 10_000, 320),
            entry("t-2", "refund", -2_500, 0),
            entry("t-3", "reserve-hold", -1_000, 0),
            entry("t-4", "payout", -6_180, 0),
            BalanceEntry { payout: Some("po-2".into()), ..entry("t-5", "sale", 999, 0) },
            BalanceEntry { currency: currency("USD"), ..entry("t-6", "sale", 50, 0) },
        ]),
        &[],
    );
    let checked = payout_check(&payout("po-1", 6_180), &events);
    assert_eq!((checked.stated_minor, checked.sum_minor, checked.difference_minor), (6_180, 6_180, 0));
    assert_eq!(checked.entry_count, 3);
    assert!(!checked.holds(), "50 USD cannot be added to it");
    assert_eq!(checked.findings.len(), 1);

    let short = payout_check(&payout("po-1", 6_100), &events);
    assert_eq!(short.difference_minor, -80);
    let empty = payout_check(&payout("po-3", 0), &events);
    assert!(empty.holds() && empty.entry_count == 0);
}

#[test]
fn what_a_bank_sent_back_is_part_of_the_next_payout() {
    let of = |payout: &str, source: Option<&str>, entry: BalanceEntry| BalanceEntry {
        payout: Some(payout.into()),
        source: source.map(str::to_owned),
        ..entry
    };
    let events = events(
        "pay-1",
        &versions([
            of("po-1", None, entry("t-1", "sale", 10_000, 0)),
            of("po-1", Some("po-1"), entry("t-2", "payout", -10_000, 0)),
            of("po-2", Some("po-1"), entry("t-3", "payout-reversal", 10_000, 0)),
            of("po-2", None, entry("t-4", "sale", 500, 0)),
            of("po-2", Some("po-2"), entry("t-5", "payout", -10_500, 0)),
            // Some providers list it with the payout that failed.
            of("po-3", None, entry("t-6", "sale", 70, 0)),
            of("po-3", Some("po-3"), entry("t-7", "payout-reversal", 70, 0)),
        ]),
        &[],
    );
    for (key, amount) in [("po-1", 10_000), ("po-2", 10_500), ("po-3", 70)] {
        assert!(payout_check(&payout(key, amount), &events).holds(), "{key}");
    }
}

#[test]
fn a_local_moment_is_the_stores() {
    let calendar = portolan_core::StoreCalendar::new("Asia/Kolkata", 0).unwrap();
    let local = BalanceEntry { at: Moment::Local(0), ..entry("t-1", "sale", 1, 0) };
    let entries = versions([local]);
    let facts = PaymentFacts { entries: &entries, disputes: &[] };
    let events = crate::cash::standing_events_under("pay-1", &facts, &calendar).unwrap();
    assert_eq!(events[0].event_date.to_string(), "1970-01-01");
    assert!(events[0].event_at.0 < 0, "half past six in the evening before, in UTC");
}
