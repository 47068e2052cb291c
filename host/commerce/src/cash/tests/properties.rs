//! What holds for every balance, whatever happened to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portolan_core::{Currency, Instant, Money, StoreCalendar};
use proptest::prelude::*;

use super::{Ledger, currency, entry, events, payout, utc, version, versions};
use crate::cash::{
    BalanceCategory, CashEvent, CashTotals, Finding, PaymentFacts, ledger_keys, payout_check,
    standing_events_under, totals,
};
use crate::document::{BalanceEntry, Dispute, Moment};
use crate::ledger::{PostingError, Version, standing};

const HOUR: i64 = 3_600_000_000;
/// 1 May 2026.
const START: i64 = 1_777_593_600_000_000;
const PAYMENTS: [Option<&str>; 4] = [Some("pay-1"), Some("pay-2"), None, Some("entry-1")];
const CURRENCIES: [&str; 3] = ["EUR", "JPY", "KWD"];

fn hours(count: i64) -> Moment {
    Moment::At(Instant(START + count * HOUR))
}

prop_compose! {
    /// One version of an entry; a few keys, so that versions and payments meet.
    fn any_entry()(
        key in prop::sample::select(vec!["entry-1", "entry-2", "entry-3", "entry-4"]),
        category in prop::sample::select(BalanceCategory::ALL.to_vec()),
        known in prop::bool::weighted(0.9),
        payment in prop::sample::select(PAYMENTS.to_vec()),
        payout in prop::sample::select(vec![None, Some("po-1"), Some("po-2")]),
        method in prop::sample::select(vec![None, Some("card"), Some("wallet")]),
        code in prop::sample::select(CURRENCIES.to_vec()),
        amount in -50_000_i64..50_000,
        fee in prop_oneof![1 => Just(0_i64), 2 => -500_i64..500],
        charged in prop::option::of((-50_000_i64..50_000, prop::sample::select(CURRENCIES.to_vec()))),
        happened in 0_i64..800,
        updated in 0_i64..40,
        deleted in prop::bool::weighted(0.1),
    ) -> BalanceEntry {
        BalanceEntry {
            category: if known { category.to_string() } else { "moon_tax".to_owned() },
            payment: payment.map(str::to_owned),
            payout: payout.map(str::to_owned),
            method: method.map(str::to_owned),
            currency: currency(code),
            fee_tax_minor: fee / 5,
            charged: charged.map(|(amount, code)| Money::new(amount, currency(code))),
            at: hours(happened),
            updated_at: hours(updated),
            deleted,
            ..entry(key, "other", amount, fee)
        }
    }
}

prop_compose! {
    fn any_dispute()(
        key in prop::sample::select(vec!["dp-1", "dp-2"]),
        state in prop::sample::select(vec!["needs_response", "won", "lost", "accepted", "moonlit"]),
        payment in prop::sample::select(PAYMENTS.to_vec()),
        updated in 0_i64..40,
    ) -> Dispute {
        Dispute {
            payment: payment.map(str::to_owned),
            updated_at: hours(updated),
            ..super::dispute(key, state, "2026-05-20T12:00:00Z")
        }
    }
}

#[derive(Debug, Clone)]
enum Told {
    Entry(Version<BalanceEntry>),
    Dispute(Version<Dispute>),
}

fn any_world() -> impl Strategy<Value = Vec<Told>> {
    let told = prop_oneof![
        4 => any_entry().prop_map(|entry| Told::Entry(version(entry))),
        1 => any_dispute().prop_map(|dispute| Told::Dispute(version(dispute))),
    ];
    prop::collection::vec(told, 0..14)
}

/// Ledgers of all keys, each posted whenever a document that touches it arrives.
#[derive(Default)]
struct Books {
    entries: Vec<Version<BalanceEntry>>,
    disputes: Vec<Version<Dispute>>,
    ledgers: BTreeMap<String, Ledger>,
}

impl Books {
    fn post(&mut self, told: Told) -> usize {
        let touched = match told {
            Told::Entry(version) => {
                let key = version.document.key.clone();
                self.entries.push(version);
                ledger_keys(self.entries.iter().filter(|version| version.document.key == key))
            }
            Told::Dispute(version) => {
                let key = version.document.key.clone();
                self.disputes.push(version);
                let of_dispute = self.disputes.iter().filter(|version| version.document.key == key);
                of_dispute.filter_map(|version| version.document.payment.clone()).collect()
            }
        };
        touched.into_iter().map(|key| self.post_key(key)).sum()
    }

    fn post_key(&mut self, key: String) -> usize {
        let should = events(&key, &self.entries, &self.disputes);
        self.ledgers.entry(key).or_default().post(should)
    }

    /// What stands, whatever the ids.
    fn standing(&self) -> HashMap<CashEvent, usize> {
        let mut content = HashMap::new();
        for ledger in self.ledgers.values() {
            for posted in standing(&ledger.posted) {
                *content.entry(posted.event.clone()).or_default() += 1;
            }
        }
        content
    }

    fn posted(&self) -> Vec<&CashEvent> {
        self.ledgers.values().flat_map(Ledger::all).collect()
    }
}

fn told(world: &[Told]) -> Books {
    let mut books = Books::default();
    for document in world {
        books.post(document.clone());
    }
    books
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn replaying_adds_nothing(world in any_world()) {
        let mut books = told(&world);
        for document in &world {
            prop_assert_eq!(books.post(document.clone()), 0);
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        world in any_world(),
        places in prop::collection::vec(any::<u32>(), 14),
    ) {
        let mut shuffled: Vec<(u32, Told)> = places.into_iter().zip(world.clone()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let shuffled: Vec<Told> = shuffled.into_iter().map(|(_, document)| document).collect();
        prop_assert_eq!(told(&world).standing(), told(&shuffled).standing());
    }

    #[test]
    fn every_entry_stands_once_by_its_newest_version(world in any_world()) {
        let mut newest: BTreeMap<&str, &Version<BalanceEntry>> = BTreeMap::new();
        for document in &world {
            let Told::Entry(candidate) = document else { continue };
            let age = |version: &Version<BalanceEntry>| match version.document.updated_at {
                Moment::At(at) => (at, version.hash),
                Moment::Local(_) => unreachable!("worlds know exact instants alone"),
            };
            let known = newest.entry(&candidate.document.key).or_insert(candidate);
            if age(candidate) > age(known) {
                *known = candidate;
            }
        }
        let expected: BTreeMap<(String, String), i64> = newest
            .into_values()
            .map(|version| &version.document)
            .filter(|entry| !entry.deleted)
            .map(|entry| {
                let key = entry.payment.clone().unwrap_or_else(|| entry.key.clone());
                ((key, entry.key.clone()), entry.net_minor)
            })
            .collect();
        let mut standing = BTreeMap::new();
        for (event, count) in told(&world).standing() {
            prop_assert_eq!(count, 1);
            standing.insert((event.ledger_key().to_owned(), event.entry_key.clone()), event.net_minor);
        }
        prop_assert_eq!(standing, expected);
    }

    #[test]
    fn sums_over_any_breakdown_equal_the_total(world in any_world()) {
        let books = told(&world);
        let posted = books.posted();
        let whole = totals(posted.iter().copied());
        let standing: Vec<CashEvent> = books.standing().into_keys().collect();
        let nothing = CashTotals::default();
        for code in CURRENCIES.map(currency) {
            let of = |totals: &BTreeMap<Currency, CashTotals>| totals.get(&code).copied().unwrap_or(nothing);
            prop_assert_eq!(of(&whole), of(&totals(&standing)), "negated copies take back exactly");
        }
        let breakdowns: [fn(&CashEvent) -> String; 4] = [
            |event| event.category.to_string(),
            |event| format!("{:?}", event.payout_key),
            |event| format!("{:?}", event.method),
            |event| format!("{} {}", event.event_date, event.payment_date),
        ];
        for breakdown in breakdowns {
            let groups: BTreeSet<String> = posted.iter().map(|event| breakdown(event)).collect();
            let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
            for group in groups {
                let of_group = posted.iter().copied().filter(|event| breakdown(event) == group);
                for (currency, total) in totals(of_group) {
                    *sums.entry(currency).or_default() += total.net_minor;
                }
            }
            let expected: BTreeMap<Currency, i128> =
                whole.iter().map(|(currency, total)| (*currency, total.net_minor)).collect();
            prop_assert_eq!(sums, expected);
        }
    }

    #[test]
    fn unlike_currencies_are_never_added(world in any_world()) {
        let books = told(&world);
        let posted = books.posted();
        let all = totals(posted.iter().copied());
        for (currency, total) in &all {
            let alone = totals(posted.iter().copied().filter(|event| event.currency == *currency));
            prop_assert_eq!(alone.len(), 1);
            prop_assert_eq!(alone[currency], *total);
        }
        for total in all.values() {
            prop_assert_eq!(total.net_minor, total.amount_minor - total.fee_minor);
        }
    }

    #[test]
    fn a_payout_is_the_sum_of_its_entries(world in any_world(), missing in -500_i64..500) {
        let standing: Vec<CashEvent> = told(&world).standing().into_keys().collect();
        let euro = currency("EUR");
        let mine = |event: &&CashEvent| event.payout_key.as_deref() == Some("po-1") && !event.category.is_payout();
        let in_euro: Vec<&CashEvent> = standing.iter().filter(mine).filter(|event| event.currency == euro).collect();
        let sum: i64 = in_euro.iter().map(|event| event.net_minor).sum();
        let checked = payout_check(&payout("po-1", sum + missing), &standing);
        prop_assert_eq!(checked.sum_minor, i128::from(sum));
        prop_assert_eq!(checked.difference_minor, i128::from(missing));
        prop_assert_eq!(checked.entry_count, in_euro.len());
        let foreign = standing.iter().filter(mine).filter(|event| event.currency != euro).count();
        prop_assert_eq!(checked.findings.len(), foreign);
        let told = |finding: &Finding| matches!(finding, Finding::EntryInOtherCurrency { .. });
        prop_assert!(checked.findings.iter().all(told));
        prop_assert_eq!(checked.holds(), missing == 0 && foreign == 0);
    }

    #[test]
    fn a_full_refund_leaves_the_fee_unless_it_is_refunded_too(
        amount in 1_i64..1_000_000,
        fee in 0_i64..1_000,
        first_percent in 0_i64..=100,
        fee_comes_back in any::<bool>(),
    ) {
        let first = amount * first_percent / 100;
        let refunds = [entry("r-1", "refund", -first, 0), entry("r-2", "refund", first - amount, 0)];
        let mut entries = vec![entry("s", "sale", amount, fee)];
        entries.extend(refunds);
        entries.extend(fee_comes_back.then(|| entry("f", "fee-refund", fee, 0)));
        let events = events("pay-1", &versions(entries), &[]);
        let of_buyer = events.iter().filter(|event| event.category != BalanceCategory::FeeRefund);
        prop_assert_eq!(of_buyer.map(|event| i128::from(event.amount_minor)).sum::<i128>(), 0);
        let left = totals(&events)[&currency("EUR")].net_minor;
        prop_assert_eq!(left, if fee_comes_back { 0 } else { -i128::from(fee) });
    }

    #[test]
    fn sums_are_wide_enough_for_any_amounts(amounts in prop::collection::vec(
        prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), Just(i64::MIN + 1)], 1..12,
    )) {
        let entries: Vec<BalanceEntry> = amounts
            .iter()
            .enumerate()
            .map(|(index, amount)| entry(&format!("e-{index}"), "sale", *amount, 0))
            .collect();
        let entries = versions(entries);
        let facts = PaymentFacts { entries: &entries, disputes: &[] };
        match standing_events_under("pay-1", &facts, &utc()) {
            Ok(events) => {
                let expected: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
                prop_assert_eq!(totals(&events)[&currency("EUR")].net_minor, expected);
                let mut ledger = Ledger::default();
                ledger.post(events);
                ledger.post(Vec::new());
                prop_assert_eq!(totals(ledger.all())[&currency("EUR")], CashTotals::default());
            }
            Err(error) => {
                prop_assert!(amounts.contains(&i64::MIN), "{error}");
                let too_large = matches!(error, PostingError::AmountTooLarge { .. });
                prop_assert!(too_large);
            }
        }
    }

    #[test]
    fn dates_are_those_of_the_store(world in any_world(), cutover in 0_i32..1_440) {
        let calendar = StoreCalendar::new("Asia/Kolkata", cutover).unwrap();
        let books = told(&world);
        let facts = PaymentFacts { entries: &books.entries, disputes: &books.disputes };
        for key in books.ledgers.keys() {
            for event in standing_events_under(key, &facts, &calendar).unwrap() {
                prop_assert_eq!(event.event_date, calendar.business_date(event.event_at));
                prop_assert_eq!(event.payment_date, calendar.business_date(event.payment_at));
            }
        }
    }
}
