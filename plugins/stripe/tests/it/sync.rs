//! Whole syncs against the sandbox, compared with what the world knows of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use portolan_plugin_stripe::Stripe;
use portolan_sandbox_stripe::{CategoryTruth, Options, Sandbox, Subject, time};
use portolan_sdk::commerce::BalanceEntry;
use portolan_sdk::testing::{Output, Run};
use portolan_sdk::{Connector, Error, Mode, Moment};

use crate::support::{STREAMS, account, host, sync, whole, window};

const ACCOUNTS: [&str; 4] = ["demo-kolkata", "demo-berlin", "demo-tokyo", "demo-kuwait"];

/// One tiny world for all tests that don't disturb it.
static SANDBOX: LazyLock<Arc<Sandbox>> = LazyLock::new(|| Arc::new(Sandbox::new(Options::tiny())));

/// Every stream of each account, synced once.
static SYNCED: LazyLock<BTreeMap<(&str, &str), Run>> = LazyLock::new(|| {
    let pairs = ACCOUNTS.iter().flat_map(|account| STREAMS.iter().map(move |stream| (*account, *stream)));
    pairs
        .map(|(account, stream)| {
            ((account, stream), sync(&SANDBOX, account, &whole(stream)).expect("a sync"))
        })
        .collect()
});

fn output(account: &'static str, stream: &'static str) -> &'static Output {
    &SYNCED[&(account, stream)].output
}

/// The newest version of each entry, from both streams that bring them.
pub fn newest<'a>(outputs: impl IntoIterator<Item = &'a Output>) -> BTreeMap<&'a str, &'a BalanceEntry> {
    let mut newest = BTreeMap::<&str, &BalanceEntry>::new();
    for entry in outputs.into_iter().flat_map(|output| &output.balance_entries) {
        let stands = newest.entry(entry.key.as_str()).or_insert(entry);
        if instant(entry.updated_at) >= instant(stands.updated_at) {
            *stands = entry;
        }
    }
    newest
}

pub fn instant(moment: Moment) -> i64 {
    let Moment::At(instant) = moment else { panic!("an exact instant") };
    instant
}

#[test]
fn everything_arrives_once() {
    for name in ACCOUNTS {
        let truth = SANDBOX.world.account(name).expect("an account").truth(SANDBOX.now());
        for stream in STREAMS {
            assert!(output(name, stream).skipped.is_empty(), "{:?}", output(name, stream).skipped);
        }
        let entries = output(name, "balance_transactions");
        assert_eq!(entries.balance_entries.len() as u64, truth.entries);
        let keys: BTreeSet<_> = entries.balance_entries.iter().map(|entry| &entry.key).collect();
        assert_eq!(keys.len() as u64, truth.entries);
        assert_eq!(output(name, "charges").seen, truth.charges);
        assert_eq!(output(name, "refunds").transactions.len() as u64, truth.refunds);
        assert_eq!(output(name, "disputes").disputes.len() as u64, truth.disputes);
        assert_eq!(output(name, "payouts").payouts.len() as u64, truth.payouts);
        assert!(
            output(name, "customers")
                .customers
                .iter()
                .all(|one| one.country.is_some() && one.person.is_none())
        );
        assert!(output(name, "products").products.iter().all(|one| one.price.is_some() && one.sku.is_some()));
        assert!(output(name, "payment_intents").checkouts.iter().any(|one| one.completed_at.is_none()));
    }
}

#[test]
fn entries_add_up_to_what_the_world_says_by_month_and_category() {
    for name in ACCOUNTS {
        let world = SANDBOX.world.account(name).expect("an account");
        let mut months = BTreeMap::<String, BTreeMap<String, CategoryTruth>>::new();
        for entry in newest([output(name, "balance_transactions"), output(name, "payouts")]).into_values() {
            assert_eq!(entry.currency, world.profile.currency);
            let month = time::local_month(world.profile.zone, instant(entry.at) / 1_000_000);
            let sums = months.entry(month).or_default().entry(entry.category.clone()).or_default();
            sums.entries += 1;
            sums.amount_minor += entry.amount;
            sums.fee_minor += entry.fee;
            sums.fee_tax_minor += entry.fee_tax;
            sums.net_minor += entry.net;
        }
        assert_eq!(months, world.truth(SANDBOX.now()).months, "{name}");
    }
}

#[test]
fn the_entries_of_a_payout_add_up_to_it() {
    for seed in 1..4 {
        let sandbox = Arc::new(Sandbox::new(Options { seed, ..Options::tiny() }));
        for name in ACCOUNTS {
            let plain = sync(&sandbox, name, &whole("balance_transactions")).expect("a sync").output;
            let payouts = sync(&sandbox, name, &whole("payouts")).expect("a sync").output;
            assert!(!payouts.payouts.is_empty());
            // Whichever comes last: the version that knows the payout stands.
            for order in [[&plain, &payouts], [&payouts, &plain]] {
                let mut sums = BTreeMap::<&str, i64>::new();
                for entry in newest(order).into_values() {
                    if let Some(payout) = entry.payout.as_deref().filter(|_| entry.category != "payout") {
                        *sums.entry(payout).or_default() += entry.net;
                    }
                }
                for payout in &payouts.payouts {
                    assert_eq!(sums.get(payout.key.as_str()), Some(&payout.amount), "{name} {}", payout.key);
                }
            }
        }
    }
}

#[test]
fn every_payment_refund_and_dispute_knows_its_charge_and_its_order() {
    for name in ACCOUNTS {
        let world = SANDBOX.world.account(name).expect("an account");
        let number: BTreeMap<String, String> = world
            .charges
            .iter()
            .map(|charge| (charge.id.clone(), format!("#{}", charge.order_number)))
            .collect();
        let (mut linked, mut charged) = (0, 0);
        for entry in newest([output(name, "balance_transactions"), output(name, "payouts")]).into_values() {
            let of_payment =
                ["sale", "refund", "dispute", "dispute-reversal"].contains(&entry.category.as_str());
            assert_eq!(entry.payment.is_some(), of_payment, "{} {}", entry.key, entry.category);
            if let Some(payment) = &entry.payment {
                assert_eq!(entry.reference.as_ref(), Some(&number[payment]), "{}", entry.key);
                linked += 1;
            }
            if let Some(seen) = &entry.charged {
                assert!(seen.currency != entry.currency && (seen.amount < 0) == (entry.amount < 0));
                assert!(entry.fx_rate.is_some());
                charged += 1;
            }
        }
        assert!(linked > 20, "{name}: {linked} linked");
        // Nobody abroad bought in the smallest shops.
        assert!(charged > 0 || ["demo-berlin", "demo-tokyo"].contains(&name), "{name}: {charged} converted");
    }
}

#[test]
fn windows_that_meet_bring_the_same_as_one() {
    let until = SANDBOX.world.until;
    let bounds = [None, Some(until - 86_400 * 400), Some(until - 86_400 * 90), Some(until)];
    let mut keys = Vec::new();
    for pair in bounds.windows(2) {
        let slice = window("balance_transactions", pair[0], pair[1], Mode::Backfill);
        let part = sync(&SANDBOX, ACCOUNTS[0], &slice).expect("a sync");
        keys.extend(part.output.balance_entries.iter().map(|entry| entry.key.clone()));
    }
    keys.sort();
    let mut expected: Vec<_> = output(ACCOUNTS[0], "balance_transactions")
        .balance_entries
        .iter()
        .map(|entry| entry.key.clone())
        .collect();
    expected.sort();
    assert_eq!(keys, expected);
}

#[test]
fn nothing_personal_and_no_secret_leaves_fetch() {
    let host = host(&SANDBOX, ACCOUNTS[0]);
    let until = SANDBOX.world.until;
    let events = window("events", Some(until - 86_400 * 29), Some(until), Mode::Incremental);
    let late = host.sync::<Stripe>(&account(), &events).expect("a run");
    let chunks = SYNCED.values().flat_map(|run| &run.chunks).chain(&late.chunks);
    let mut bytes = 0;
    for chunk in chunks {
        let text = String::from_utf8_lossy(&chunk.body).to_ascii_lowercase();
        for word in [
            "private",
            "@shop.example",
            "buyer",
            "last4",
            "finger",
            "_secret",
            "192.0.2",
            "+0000",
            "receipt",
            "customer_note",
        ] {
            assert!(
                !text.contains(word),
                "{} carries {word}: {}",
                chunk.stream,
                &text[..text.len().min(2_000)]
            );
        }
        bytes += text.len();
    }
    assert!(bytes > 100_000);
}

#[test]
fn only_what_changed_after_it_was_made_is_fetched_again() {
    let world = SANDBOX.world.account(ACCOUNTS[0]).expect("an account");
    let since = SANDBOX.now() - 86_400 * 29;
    let made = |subject: Subject| match subject {
        Subject::Charge(index) => world.charges[index].created,
        Subject::Refund(index) => world.refunds[index].created,
        Subject::Dispute(index) => world.disputes[index].created,
        Subject::Intent(index) => world.intents[index].created,
        Subject::Payout(index) => world.payouts[index].created,
        Subject::Customer(index) => world.customers[index].created,
        Subject::Product(index) => world.products[index].created,
    };
    let told = world.events.iter().filter(|event| event.created >= since && event.created <= SANDBOX.now());
    let (all, late): (Vec<_>, Vec<_>) =
        (told.clone().collect(), told.filter(|event| event.created > made(event.subject) + 60).collect());
    let late: BTreeSet<_> =
        late.iter().filter(|event| !event.kind.ends_with(".deleted")).map(|event| event.subject).collect();
    let host = host(&SANDBOX, ACCOUNTS[0]);
    host.sync::<Stripe>(&account(), &window("events", Some(since), None, Mode::Incremental)).expect("a run");
    let objects = host
        .calls()
        .iter()
        .filter(|call| call.url.split('?').next().is_some_and(|path| path.split('/').count() > 3))
        .count();
    assert_eq!(objects, late.len());
    assert!(objects < all.len() && objects > 0, "{objects} of {}", all.len());
    let manifest: serde_json::Value = serde_json::from_str(portolan_plugin_stripe::MANIFEST).expect("JSON");
    let streams = manifest["streams"].as_array().expect("streams");
    assert!(
        streams.iter().all(|stream| stream["lag_seconds"].as_u64() >= Some(60)),
        "lists read no younger object"
    );
}

#[test]
fn a_check_says_who_is_there() {
    let check = |name: &'static str| host(&SANDBOX, name).run(|| Stripe::check(&account()));
    let report = check("demo-tokyo").expect("a report");
    assert_eq!((report.display_name.as_str(), report.account.as_str()), ("Sumida Paper", "acct_demotokyo"));
    assert_eq!((report.currency.as_deref(), report.time_zone.as_deref()), (Some("JPY"), Some("Asia/Tokyo")));
    assert!(matches!(check("nowhere"), Err(Error::Unavailable(_))));
}
