//! The sum against a plain loop over 128-bit integers, alone and inside the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema};
use datafusion::catalog::MemTable;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::scalar::ScalarValue;
use proptest::prelude::*;

use super::{Total, Totals, exact_sum};

/// A group and an amount, which may be null.
type Line = (i64, Option<i64>);

fn amount() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        4 => any::<i64>().prop_map(Some),
        2 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1)].prop_map(Some),
        1 => Just(None),
    ]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::vec((0..5_i64, amount()), 0..200)
}

fn naive(lines: &[Line]) -> BTreeMap<i64, i128> {
    let mut sums = BTreeMap::new();
    for (group, amount) in lines {
        *sums.entry(*group).or_default() += amount.map(i128::from).unwrap_or_default();
    }
    sums
}

fn array(lines: &[Line]) -> ArrayRef {
    Arc::new(lines.iter().map(|(_, amount)| *amount).collect::<Int64Array>())
}

fn numbered(lines: &[Line]) -> Vec<usize> {
    lines.iter().map(|(group, _)| *group as usize).collect()
}

/// What an accumulator of groups ends with, for the groups that occur in `lines`.
fn sums_of(mut totals: Totals, lines: &[Line]) -> BTreeMap<i64, i128> {
    let sums = totals.evaluate(EmitTo::All).expect("sums");
    let sums = sums.as_primitive::<Decimal128Type>();
    naive(lines).into_keys().map(|group| (group, sums.value(group as usize))).collect()
}

proptest! {
    #[test]
    fn groups_sum_like_a_loop_however_the_rows_are_cut(lines in lines(), cut in 0..200_usize) {
        let (left, right) = lines.split_at(cut.min(lines.len()));
        let mut one = Totals::default();
        one.update_batch(&[array(&lines)], &numbered(&lines), None, 5).expect("update");
        prop_assert_eq!(sums_of(one, &lines), naive(&lines));

        let mut merged = Totals::default();
        for part in [left, right] {
            let mut partial = Totals::default();
            partial.update_batch(&[array(part)], &numbered(part), None, 5).expect("update");
            let states = partial.state(EmitTo::All).expect("state");
            merged.merge_batch(&states, &[0, 1, 2, 3, 4], 5).expect("merge");
        }
        prop_assert_eq!(sums_of(merged, &lines), naive(&lines));

        // Where grouping first does not pay, the engine merges rows as they are.
        let mut unreduced = Totals::default();
        let states = Totals::default().convert_to_state(&[array(&lines)], None).expect("states");
        unreduced.merge_batch(&states, &numbered(&lines), 5).expect("merge");
        prop_assert_eq!(sums_of(unreduced, &lines), naive(&lines));
    }

    #[test]
    fn the_sum_of_everything_does_not_depend_on_order_or_parts(
        lines in lines().prop_shuffle(),
        cut in 0..200_usize,
    ) {
        let expected: i128 = naive(&lines).values().sum();
        let (left, right) = lines.split_at(cut.min(lines.len()));
        let mut whole = Total::default();
        let mut backwards = Total::default();
        for part in [left, right] {
            let mut partial = Total::default();
            partial.update_batch(&[array(part)]).expect("update");
            let state = partial.state().expect("state")[0].to_array().expect("array");
            whole.merge_batch(&[state]).expect("merge");
            let reversed: Vec<Line> = part.iter().rev().copied().collect();
            backwards.update_batch(&[array(&reversed)]).expect("update");
        }
        let sum = ScalarValue::Decimal128(Some(expected), 38, 0);
        prop_assert_eq!(whole.evaluate().expect("sum"), sum.clone());
        prop_assert_eq!(backwards.evaluate().expect("sum"), sum);
    }
}

#[test]
fn rows_that_a_filter_leaves_out_add_nothing() {
    let lines: Vec<Line> = vec![(0, Some(5)), (0, Some(7)), (0, None), (0, Some(11))];
    let filter = BooleanArray::from(vec![Some(true), Some(false), Some(true), None]);
    let mut totals = Totals::default();
    totals.update_batch(&[array(&lines)], &[0; 4], Some(&filter), 1).expect("update");
    let states = totals.convert_to_state(&[array(&lines)], Some(&filter)).expect("states");
    assert_eq!(states[0].as_primitive::<Decimal128Type>().values().iter().sum::<i128>(), 5);
    assert_eq!(sums_of(totals, &lines), BTreeMap::from([(0, 5)]));
}

#[test]
fn extremes_add_up_and_what_does_not_fit_is_an_error() {
    let extremes: Vec<Line> =
        (0..1_000).map(|row| (row % 2, Some([i64::MIN, i64::MAX][row as usize % 2]))).collect();
    let mut totals = Totals::default();
    totals.update_batch(&[array(&extremes)], &numbered(&extremes), None, 2).expect("update");
    let expected = BTreeMap::from([(0, i128::from(i64::MIN) * 500), (1, i128::from(i64::MAX) * 500)]);
    assert_eq!(sums_of(totals, &extremes), expected);

    let huge = ScalarValue::Decimal128(Some(i128::MAX), 38, 0).to_array().expect("array");
    let mut totals = Totals::default();
    totals.merge_batch(std::slice::from_ref(&huge), &[0], 1).expect("the first fits");
    assert!(totals.merge_batch(std::slice::from_ref(&huge), &[0], 1).is_err(), "the second does not");
    let mut total = Total::default();
    total.merge_batch(std::slice::from_ref(&huge)).expect("the first fits");
    assert!(total.merge_batch(&[huge]).is_err(), "the second does not");
}

/// Asks the engine, with the rows cut into partitions and tiny batches.
async fn ask(lines: &[Line], partitions: usize) -> BTreeMap<i64, i128> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("group", DataType::Int64, false),
        Field::new("amount", DataType::Int64, true),
    ]));
    let batch = |lines: &[Line]| {
        let groups: ArrayRef = Arc::new(lines.iter().map(|(group, _)| *group).collect::<Int64Array>());
        RecordBatch::try_new(schema.clone(), vec![groups, array(lines)]).expect("batch")
    };
    let size = lines.len().div_ceil(partitions).max(1);
    let parts: Vec<Vec<RecordBatch>> =
        lines.chunks(size).map(|part| part.chunks(7).map(batch).collect()).collect();
    let session = SessionContext::new_with_config(
        SessionConfig::new().with_target_partitions(partitions).with_batch_size(7),
    );
    session.register_udaf(exact_sum());
    let table = MemTable::try_new(schema.clone(), parts).expect("table");
    session.register_table("lines", Arc::new(table)).expect("registered");
    let sql = r#"SELECT "group", exact_sum(amount) FROM lines GROUP BY "group""#;
    let batches = session.sql(sql).await.expect("plan").collect().await.expect("rows");
    let mut sums = BTreeMap::new();
    for batch in batches {
        let groups = batch.column(0).as_primitive::<Int64Type>();
        let totals = batch.column(1).as_primitive::<Decimal128Type>();
        for row in 0..batch.num_rows() {
            assert!(sums.insert(groups.value(row), totals.value(row)).is_none(), "a group twice");
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn the_engine_sums_the_same_in_any_number_of_partitions(lines in lines().prop_shuffle()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        for partitions in [1, 2, 5] {
            prop_assert_eq!(runtime.block_on(ask(&lines, partitions)), naive(&lines));
        }
    }
}
