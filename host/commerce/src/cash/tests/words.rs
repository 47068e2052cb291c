//! The vocabularies of balances and disputes.

use crate::cash::{BalanceCategory, DisputePhase, DisputeReason, DisputeState};

#[test]
fn every_category_is_read_from_its_stored_name_and_from_the_contracts_word() {
    for category in BalanceCategory::ALL {
        assert_eq!(category.as_str().parse(), Ok(category));
        assert_eq!(BalanceCategory::named(&category.as_str().replace('_', "-")), Some(category));
        assert_eq!(BalanceCategory::named(&category.as_str().to_uppercase()), Some(category));
        let stored = serde_json::to_value(category).unwrap();
        assert_eq!(stored, category.as_str());
    }
    assert_eq!(BalanceCategory::posted("moon tax"), BalanceCategory::Other);
    assert!("moon tax".parse::<BalanceCategory>().is_err());
}

#[test]
fn the_contract_names_every_category_and_no_other() {
    let contract = include_str!("../../../../../wit/commerce.wit");
    let words = contract.split("in the words of the ledger:").nth(1).unwrap();
    let words = words.split("An unknown word").next().unwrap();
    let told: Vec<BalanceCategory> =
        words.split('"').skip(1).step_by(2).map(|word| BalanceCategory::named(word).expect(word)).collect();
    assert_eq!(told, BalanceCategory::ALL);
}

#[test]
fn disputes_are_told_in_one_vocabulary() {
    for state in DisputeState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(DisputeState::named(&state.as_str().replace('_', "-")), Some(state));
    }
    let states = [
        ("WAITING_FOR_SELLER_RESPONSE", Some(DisputeState::NeedsResponse)),
        ("INQUIRY_PROCESSING", Some(DisputeState::WarningUnderReview)),
        ("RESOLVED", Some(DisputeState::Closed)),
        ("moonlit", None),
    ];
    for (word, state) in states {
        assert_eq!(DisputeState::named(word), state, "{word}");
    }
    assert!(DisputeState::Accepted.is_lost() && !DisputeState::Closed.is_lost());
    assert_eq!(DisputePhase::named("PRE_ARBITRATION"), Some(DisputePhase::PreArbitration));
    assert_eq!(DisputePhase::named("moonlit"), None);
    let reasons = [
        ("fraudulent", DisputeReason::Fraud),
        ("PRODUCT_NOT_RECEIVED", DisputeReason::NotReceived),
        ("product unacceptable", DisputeReason::NotAsDescribed),
        ("duplicate", DisputeReason::Duplicate),
        ("credit_not_processed", DisputeReason::CreditNotProcessed),
        ("subscription_canceled", DisputeReason::CancelledSubscription),
        ("unrecognized", DisputeReason::Unrecognised),
        ("amount_differs", DisputeReason::AmountDiffers),
        ("moonlit", DisputeReason::Other),
    ];
    for (word, reason) in reasons {
        assert_eq!(DisputeReason::named(word), reason, "{word}");
    }
}
