//! Which order a payment paid for.

use proptest::prelude::*;

use super::{entry, events, versions};
use crate::cash::{CashEvent, OrderClues, PaymentClues, PaymentLink, match_payment, spellings};

fn order<'a>(order_key: &'a str, number: &'a str, provider_references: &'a [&'a str]) -> OrderClues<'a> {
    OrderClues { order_key, number: Some(number), provider_references }
}

/// Named orders, provider's ids, references.
fn payment<'a>(orders: &[&'a str], ids: &[&'a str], references: &[&'a str]) -> PaymentClues<'a> {
    PaymentClues { order_keys: orders.to_vec(), provider_ids: ids.to_vec(), references: references.to_vec() }
}

#[test]
fn a_payment_is_linked_by_the_strongest_clue() {
    let orders = [order("o-1", "#1001", &["ch_1", "pi_1"]), order("o-2", "#1002", &["ch_2"])];
    let by_order = payment(&["o-2"], &[], &["1001"]);
    assert_eq!(match_payment(&by_order, &orders), PaymentLink::ByOrder { order_key: "o-2" });
    let by_payment = payment(&[], &["ch_1"], &["1002"]);
    assert_eq!(match_payment(&by_payment, &orders), PaymentLink::ByProviderId { order_key: "o-1" });
    let by_source = payment(&[], &["x", "pi_1"], &[]);
    assert_eq!(match_payment(&by_source, &orders), PaymentLink::ByProviderId { order_key: "o-1" });
    for reference in ["1002", "#1002", " # 1002 "] {
        let by_reference = payment(&[], &[], &[reference]);
        assert_eq!(match_payment(&by_reference, &orders), PaymentLink::ByReference { order_key: "o-2" });
    }
}

#[test]
fn two_orders_of_one_number_are_never_chosen_between() {
    let orders = [order("o-1", "1001", &[]), order("o-2", "#1001", &[])];
    let ambiguous = PaymentLink::Ambiguous { order_keys: vec!["o-1", "o-2"] };
    assert_eq!(match_payment(&payment(&[], &["ch_1"], &["1001"]), &orders), ambiguous);
}

#[test]
fn entries_of_a_payment_that_name_two_orders_link_neither() {
    let orders = [order("o-1", "1001", &[]), order("o-2", "1002", &[])];
    let ambiguous = PaymentLink::Ambiguous { order_keys: vec!["o-1", "o-2"] };
    assert_eq!(match_payment(&payment(&[], &["ch_1"], &["1001", "1002"]), &orders), ambiguous);
    let named = PaymentLink::Ambiguous { order_keys: vec!["o-1", "o-2"] };
    assert_eq!(match_payment(&payment(&["o-1", "o-2"], &[], &[]), &orders), named);
    let half_known = match_payment(&payment(&["o-1", "o-9"], &[], &["1001"]), &orders);
    assert_eq!(half_known, PaymentLink::Unknown, "the other one has not come yet");
}

#[test]
fn an_ambiguous_id_is_not_settled_by_a_weaker_clue() {
    let orders = [order("o-1", "1001", &["ch_1"]), order("o-2", "1002", &["ch_1"])];
    let ambiguous = PaymentLink::Ambiguous { order_keys: vec!["o-1", "o-2"] };
    assert_eq!(match_payment(&payment(&[], &["ch_1"], &["1001"]), &orders), ambiguous);
}

#[test]
fn what_fits_nothing_stays_unknown() {
    let orders = [order("o-1", "", &[])];
    for references in [&[][..], &[""], &["#"], &["1001"]] {
        let clues = payment(&[], &["ch_1"], references);
        assert_eq!(match_payment(&clues, &orders), PaymentLink::Unknown, "{references:?}");
    }
    let numbered = [order("o-1", "1001", &[])];
    assert_eq!(
        match_payment(&payment(&["o-9"], &[], &["1001"]), &numbered),
        PaymentLink::Unknown,
        "the provider says it is another order's"
    );
}

#[test]
fn the_clues_of_a_payment_are_those_of_its_entries_each_once() {
    let standing = events("pay-1", &versions([entry("e-1", "sale", 1_000, 0)]), &[]);
    let about = |source: &str, reference: Option<&str>| CashEvent {
        payment_key: Some("ch_1".to_owned()),
        source_key: Some(source.to_owned()),
        reference: reference.map(str::to_owned),
        ..standing[0].clone()
    };
    let entries = [about("ch_1", Some("1001")), about("re_1", None), about("re_2", Some("1001"))];
    let clues: PaymentClues<'_> = entries.iter().collect();
    assert_eq!(clues, payment(&[], &["ch_1", "re_1", "re_2"], &["1001"]));
}

proptest! {
    #[test]
    fn whoever_looks_by_spelling_misses_no_usual_one(
        number in "[A-Z]{0,3}[0-9]{1,6}",
        sign in any::<bool>(),
        lower in any::<bool>(),
    ) {
        let own = if sign { format!("#{number}") } else { number.clone() };
        let own = if lower { own.to_ascii_lowercase() } else { own };
        for written in [number.clone(), format!("#{number}"), number.to_ascii_lowercase()] {
            let clues = payment(&[], &[], &[&written]);
            let orders = [order("o-1", &own, &[])];
            prop_assert_eq!(match_payment(&clues, &orders), PaymentLink::ByReference { order_key: "o-1" });
            prop_assert!(spellings(&written).contains(&own), "{} is not among {:?}", own, spellings(&written));
        }
    }
}
