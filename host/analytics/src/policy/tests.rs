//! What policies mean for somebody, and that what can't be understood shows nothing.

use proptest::prelude::*;

use super::*;
use crate::{Fact, METRICS};

fn attributes(pairs: &[(&str, &[&str])]) -> Attributes {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    pairs.iter().map(|(name, values)| ((*name).to_owned(), list(values))).collect()
}

fn rows(json: &str) -> RowPolicy {
    serde_json::from_str(json).expect("a policy")
}

fn seen(policy: &RowPolicy, attributes: &Attributes) -> Visibility {
    let mut seen = Visibility::everything();
    policy.apply(attributes, &mut seen);
    seen
}

fn admits(seen: &Visibility, dimension: Dimension, value: Option<&str>) -> bool {
    seen.limits().filter(|limit| limit.dimension == dimension).all(|limit| limit.admits(value))
}

#[test]
fn a_rule_takes_values_nothing_known_and_what_is_known_of_the_person() {
    let policy =
        rows(r#"{"rules":[{"dimension":"country","values":["DE",null,{"attribute":"countries"}]}]}"#);
    assert_eq!(policy.check(), Ok(()));
    assert_eq!(serde_json::from_str::<RowPolicy>(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
    let seen = seen(&policy, &attributes(&[("countries", &["AT", "CH"])]));
    for (country, shown) in [(Some("DE"), true), (Some("CH"), true), (None, true), (Some("FR"), false)] {
        assert_eq!(admits(&seen, Dimension::Country, country), shown, "{country:?}");
    }
    assert!(!seen.sees_rows_of(Fact::Cash), "payments have no country");
}

#[test]
fn an_attribute_that_is_not_there_shows_nothing_either_way() {
    for op in ["in", "not_in"] {
        let policy = rows(&format!(
            r#"{{"rules":[{{"dimension":"country","op":"{op}","values":[{{"attribute":"countries"}}]}}]}}"#
        ));
        for nothing in
            [Attributes::new(), attributes(&[("countries", &[])]), attributes(&[("others", &["DE"])])]
        {
            let seen = seen(&policy, &nothing);
            let shown = seen.limits().all(|limit| limit.admits(Some("DE")));
            assert!(!shown, "{op} {nothing:?}");
        }
    }
    // Of a currency that is none nobody knows who it was meant to keep out.
    let policy = rows(r#"{"rules":[{"dimension":"currency","op":"not_in","values":[{"attribute":"own"}]}]}"#);
    assert_eq!(
        seen(&policy, &attributes(&[("own", &["euros"])])).limits().next(),
        Some(&RowLimit::nothing())
    );
}

#[test]
fn what_would_not_do_what_it_says_is_refused() {
    for (policy, path) in [
        (r#"{"rules":[]}"#, "rules"),
        (r#"{"rules":[{"dimension":"new_returning","values":["new"]}]}"#, "rules/0/dimension"),
        (r#"{"rules":[{"dimension":"channel","values":[]}]}"#, "rules/0/values"),
        (r#"{"rules":[{"dimension":"connection","op":"not_in","values":["shop"]}]}"#, "rules/0/values/0"),
        (r#"{"rules":[{"dimension":"currency","values":["EUR","euros"]}]}"#, "rules/0/values/1"),
        (r#"{"rules":[{"dimension":"store","values":[{"attribute":"My Stores"}]}]}"#, "rules/0/values/0"),
    ] {
        let fault = rows(policy).check().expect_err(policy);
        assert_eq!(fault.path, path);
        let mut seen = Visibility::everything();
        rows(policy).apply(&Attributes::new(), &mut seen);
        assert!(seen.limits().any(|limit| !limit.admits(Some("shop")) && !limit.admits(None)), "{policy}");
    }
    assert!(
        serde_json::from_str::<RowPolicy>(r#"{"rules":[{"dimension":"weather","values":["wet"]}]}"#).is_err()
    );
    for (columns, path) in
        [(vec![], "columns"), (vec!["cash", "weather"], "columns/1"), (vec!["currency"], "columns/0")]
    {
        let columns = columns.into_iter().map(str::to_owned).collect();
        let policy = ColumnPolicy { columns, effect: ColumnEffect::Hide };
        assert_eq!(policy.check().expect_err("refused").path, path);
    }
}

#[test]
fn a_group_holds_whatever_is_computed_from_it() {
    let of =
        |group: ColumnGroup| METRICS.iter().filter(move |metric| group.holds(metric)).map(|metric| metric.id);
    assert_eq!(
        of(ColumnGroup::Costs).collect::<Vec<_>>(),
        ["cogs", "gross_profit", "gross_margin", "contribution_margin_1"]
    );
    let cash: Vec<&str> = of(ColumnGroup::Cash).collect();
    for metric in METRICS {
        assert_eq!(cash.contains(&metric.id), metric.needs(Fact::Cash), "{}", metric.id);
    }
    for id in ["payouts", "payment_fees", "effective_fee_rate", "win_rate", "balance_change"] {
        assert!(cash.contains(&id), "{id}");
    }
}

#[test]
fn what_is_hidden_by_one_policy_is_not_masked_by_another() {
    let costs = |effect| ColumnPolicy { columns: vec!["costs".to_owned()], effect };
    for order in [[ColumnEffect::Hide, ColumnEffect::Mask], [ColumnEffect::Mask, ColumnEffect::Hide]] {
        let mut seen = Visibility::everything();
        order.into_iter().for_each(|effect| costs(effect).apply(&mut seen));
        assert_eq!(seen.of_metric(catalogue::metric("cogs").expect("a metric")), Some(Closed::Hidden));
        assert_eq!(seen.of_group(ColumnGroup::Costs), Some(Closed::Hidden));
    }
    let mut unreadable = Visibility::everything();
    ColumnPolicy { columns: vec!["of_a_later_version".to_owned()], effect: ColumnEffect::Mask }
        .apply(&mut unreadable);
    assert_eq!(unreadable, Visibility::nothing());
    assert!(METRICS.iter().all(|metric| !unreadable.answers(metric)));
}

fn rule() -> impl Strategy<Value = RowRule> {
    let dimension = prop::sample::select(&[Dimension::Country, Dimension::Store, Dimension::Channel][..]);
    let value = prop_oneof![
        "[ab]".prop_map(|text| RuleValue::Literal(Some(text))),
        Just(RuleValue::Literal(None)),
        "[xy]".prop_map(|attribute| RuleValue::Attribute { attribute }),
    ];
    let op = prop_oneof![Just(FilterOp::In), Just(FilterOp::NotIn)];
    (dimension, op, prop::collection::vec(value, 0..3)).prop_map(|(dimension, op, values)| RowRule {
        dimension,
        op,
        values,
    })
}

fn policy() -> impl Strategy<Value = RowPolicy> {
    prop::collection::vec(rule(), 0..3).prop_map(|rules| RowPolicy { rules })
}

proptest! {
    /// Whatever policies and attributes: one more never shows what was not seen without it.
    #[test]
    fn another_policy_never_shows_more(
        policies in prop::collection::vec(policy(), 0..4),
        more in policy(),
        known in prop::collection::btree_map("[xy]", prop::collection::btree_set("[abc]", 0..3), 0..2),
        row in prop::collection::vec(prop::option::of("[abc]"), 3),
    ) {
        let mut before = Visibility::everything();
        policies.iter().for_each(|policy| policy.apply(&known, &mut before));
        let mut after = before.clone();
        more.apply(&known, &mut after);
        let shown = |seen: &Visibility| {
            let of_row = [Dimension::Country, Dimension::Store, Dimension::Channel].into_iter().zip(&row);
            of_row.fold(true, |shown, (dimension, value)| shown && admits(seen, dimension, value.as_deref()))
        };
        prop_assert!(!shown(&after) || shown(&before));
        prop_assert!(before.limits().all(|limit| after.limits().any(|kept| kept == limit)));
    }
}
