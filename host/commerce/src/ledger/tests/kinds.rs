use super::super::EventKind;

#[test]
fn names_of_kinds_survive_text_and_storage() {
    for kind in EventKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
    assert!("refund".parse::<EventKind>().is_err());
}

#[test]
fn no_kind_feeds_both_gross_sales_and_returns() {
    for kind in EventKind::ALL {
        assert!(!(kind.is_sale_or_edit() && kind.is_reversal()), "{kind}");
    }
}
