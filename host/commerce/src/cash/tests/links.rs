//! Which order a payment paid for.

use crate::cash::{OrderClues, PaymentClues, PaymentLink, match_payment};

fn order<'a>(order_key: &'a str, number: &'a str, provider_references: &'a [&'a str]) -> OrderClues<'a> {
    OrderClues { order_key, number: Some(number), provider_references }
}

#[test]
fn a_payment_is_linked_by_the_strongest_clue() {
    let orders = [order("o-1", "#1001", &["ch_1", "pi_1"]), order("o-2", "#1002", &["ch_2"])];
    let by_order =
        PaymentClues { order_key: Some("o-2"), reference: Some("1001"), ..PaymentClues::default() };
    assert_eq!(match_payment(&by_order, &orders), PaymentLink::ByOrder { order_key: "o-2" });
    let by_payment =
        PaymentClues { payment_key: Some("ch_1"), reference: Some("1002"), ..PaymentClues::default() };
    assert_eq!(match_payment(&by_payment, &orders), PaymentLink::ByProviderId { order_key: "o-1" });
    let by_source =
        PaymentClues { payment_key: Some("x"), source_key: Some("pi_1"), ..PaymentClues::default() };
    assert_eq!(match_payment(&by_source, &orders), PaymentLink::ByProviderId { order_key: "o-1" });
    for reference in ["1002", "#1002", " # 1002 "] {
        let by_reference = PaymentClues { reference: Some(reference), ..PaymentClues::default() };
        assert_eq!(match_payment(&by_reference, &orders), PaymentLink::ByReference { order_key: "o-2" });
    }
}

#[test]
fn two_orders_of_one_number_are_never_chosen_between() {
    let orders = [order("o-1", "1001", &[]), order("o-2", "#1001", &[])];
    let payment =
        PaymentClues { payment_key: Some("ch_1"), reference: Some("1001"), ..PaymentClues::default() };
    let ambiguous = PaymentLink::Ambiguous { clue: "1001", order_keys: vec!["o-1", "o-2"] };
    assert_eq!(match_payment(&payment, &orders), ambiguous);
}

#[test]
fn an_ambiguous_id_is_not_settled_by_a_weaker_clue() {
    let orders = [order("o-1", "1001", &["ch_1"]), order("o-2", "1002", &["ch_1"])];
    let payment =
        PaymentClues { payment_key: Some("ch_1"), reference: Some("1001"), ..PaymentClues::default() };
    let ambiguous = PaymentLink::Ambiguous { clue: "ch_1", order_keys: vec!["o-1", "o-2"] };
    assert_eq!(match_payment(&payment, &orders), ambiguous);
}

#[test]
fn what_fits_nothing_stays_unknown() {
    let orders = [order("o-1", "", &[])];
    for reference in [None, Some(""), Some("#"), Some("1001")] {
        let payment = PaymentClues { reference, payment_key: Some("ch_1"), ..PaymentClues::default() };
        assert_eq!(match_payment(&payment, &orders), PaymentLink::Unknown, "{reference:?}");
    }
    let unseen = PaymentClues { order_key: Some("o-9"), reference: Some("1001"), ..PaymentClues::default() };
    let numbered = [order("o-1", "1001", &[])];
    assert_eq!(
        match_payment(&unseen, &numbered),
        PaymentLink::Unknown,
        "the provider says it is another order's"
    );
}
