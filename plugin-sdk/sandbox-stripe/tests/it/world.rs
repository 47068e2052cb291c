//! The world's own sums, and that it is full of what connectors get wrong.

use std::collections::BTreeMap;

use portolan_sandbox_stripe::{EntryKind, Options, Outcome, Sandbox, Size, World};

#[test]
fn the_entries_of_a_payout_add_up_to_it() {
    for seed in 1..6 {
        let world = World::generate(Size::Tiny, seed, Options::tiny().until);
        for account in &world.accounts {
            assert!(!account.payouts.is_empty());
            for payout in &account.payouts {
                let of = |own: bool| {
                    let entries = payout.entries.iter().map(|index| &account.entries[*index]);
                    let chosen = entries.filter(|entry| (entry.kind == EntryKind::Payout) == own);
                    chosen.map(portolan_sandbox_stripe::Entry::net_minor).sum::<i64>()
                };
                assert_eq!((of(false), of(true)), (payout.minor, -payout.minor), "{}", payout.id);
            }
        }
    }
}

#[test]
fn the_truth_adds_up_to_the_balance() {
    let sandbox = Sandbox::new(Options::tiny());
    for account in &sandbox.world.accounts {
        let truth = account.truth(sandbox.now());
        let sum = |value: fn(&portolan_sandbox_stripe::CategoryTruth) -> i64| {
            truth.months.values().flat_map(BTreeMap::values).map(value).sum::<i64>()
        };
        assert_eq!(sum(|category| category.net_minor), truth.balance_minor);
        assert_eq!(
            sum(|category| category.amount_minor) - sum(|category| category.fee_minor),
            truth.balance_minor
        );
        assert!(truth.balance_minor >= 0 || truth.payouts > 0);
    }
}

#[test]
fn the_world_is_full_of_what_connectors_get_wrong() {
    let world = World::generate(Size::S, 1, Options::tiny().until);
    let account = world.account("demo-kolkata").expect("an account");
    let count = |kind: EntryKind| account.entries.iter().filter(|entry| entry.kind == kind).count();
    assert!(account.charges.len() > 15_000 && account.refunds.len() > 500, "{}", account.refunds.len());
    for kind in
        [EntryKind::DisputeReversal, EntryKind::ReserveRelease, EntryKind::FeeTax, EntryKind::PayoutFailure]
    {
        assert!(count(kind) > 0, "{kind:?}");
    }
    let closed = |outcome| {
        account
            .disputes
            .iter()
            .filter(|dispute| dispute.closed.is_some_and(|closed| closed.1 == outcome))
            .count()
    };
    assert!(closed(Outcome::Won) > 10 && closed(Outcome::Lost) > 10 && closed(Outcome::Closed) > 5);
    assert!(
        account.entries.iter().filter(|entry| entry.rate_micro.is_some()).count() > 500,
        "other currencies"
    );
    assert!(account.charges.iter().any(|charge| charge.failed));
    let late =
        |charge: &&portolan_sandbox_stripe::Charge| charge.captured_at.is_some_and(|at| at > charge.created);
    assert!(account.charges.iter().filter(late).count() > 500, "captured later");
    let kuwait = world.account("demo-kuwait").expect("an account");
    assert!(kuwait.entries.iter().all(|entry| entry.minor % 10 == 0 && entry.fee_minor % 10 == 0));
    assert!(
        kuwait
            .entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Charge)
            .all(|entry| entry.rate_micro.is_some())
    );
}

#[test]
fn payments_carry_the_shops_own_order_numbers_and_amounts() {
    let shops = portolan_sandbox_shopify::World::generate(Size::Tiny, 1, Options::tiny().until);
    let shop = shops.shop("demo-kolkata").expect("a shop");
    let world = World::generate(Size::Tiny, 1, Options::tiny().until);
    let account = world.account("demo-kolkata").expect("an account");
    for charge in account.charges.iter().filter(|charge| charge.amount.currency == "INR") {
        let order = shop.each_order().find(|order| order.number == charge.order_number).expect("its order");
        let amounts: Vec<i64> =
            order.transactions.iter().map(|transaction| transaction.amount_minor).collect();
        assert!(amounts.contains(&charge.amount.minor));
    }
}
