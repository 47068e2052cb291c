//! Runs against the rows that they stand for, alone and inside the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::catalog::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::{run_sum, sums};

/// A number, a name, an amount, and whether the row is wanted.
type Line = (i64, Option<String>, i64, bool);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let amount = prop_oneof![4 => -9..9_i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    let name = proptest::option::weighted(0.8, "(a|a name longer than a view holds)");
    proptest::collection::vec((0..2_i64, name, amount, proptest::bool::weighted(0.8)), 1..120)
}

fn naive<'a>(lines: impl Iterator<Item = &'a Line>) -> BTreeMap<(i64, Option<String>), i128> {
    let mut sums = BTreeMap::new();
    for (number, name, amount, _) in lines {
        *sums.entry((*number, name.clone())).or_default() += i128::from(*amount);
    }
    sums
}

fn columns(lines: &[Line]) -> [ArrayRef; 3] {
    [
        Arc::new(lines.iter().map(|line| line.0).collect::<Int64Array>()),
        Arc::new(lines.iter().map(|line| line.1.as_deref()).collect::<StringViewArray>()),
        Arc::new(lines.iter().map(|line| line.2).collect::<Int64Array>()),
    ]
}

proptest! {
    #[test]
    fn runs_add_up_to_what_their_rows_do(lines in lines()) {
        let [numbers, names, amounts] = columns(&lines);
        let runs = sums(amounts.as_primitive::<Int64Type>(), &[numbers, names]).expect("sums");
        let mut added: BTreeMap<_, i128> = BTreeMap::new();
        for (run, line) in runs.iter().zip(&lines) {
            if let Some(run) = run {
                *added.entry((line.0, line.1.clone())).or_default() += i128::from(run);
            }
        }
        prop_assert_eq!(added, naive(lines.iter()));
    }

    #[test]
    fn the_engine_adds_runs_after_filters_and_never_before(lines in lines(), partitions in 1..3_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let wanted = || lines.iter().filter(|line| line.3);
        prop_assert_eq!(runtime.block_on(ask(&lines, partitions)), naive(wanted()));
    }
}

#[test]
fn only_the_first_row_of_a_run_has_a_sum() {
    let lines: Vec<Line> =
        [(1, 5), (1, 7), (2, 1), (1, 4)].map(|(number, amount)| (number, None, amount, true)).to_vec();
    let [numbers, names, amounts] = columns(&lines);
    let runs = sums(amounts.as_primitive::<Int64Type>(), &[numbers, names]).expect("sums");
    assert_eq!(runs.iter().collect::<Vec<_>>(), [Some(12), None, Some(1), Some(4)]);
}

/// The shape of the plans' statements: rows filtered, runs added up, heads kept, groups added up.
async fn ask(lines: &[Line], partitions: usize) -> BTreeMap<(i64, Option<String>), i128> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, false),
        Field::new("name", DataType::Utf8View, true),
        Field::new("amount", DataType::Int64, false),
        Field::new("wanted", DataType::Boolean, false),
    ]));
    let batch = |lines: &[Line]| {
        let wanted = datafusion::arrow::array::BooleanArray::from_iter(lines.iter().map(|line| Some(line.3)));
        let [numbers, names, amounts] = columns(lines);
        RecordBatch::try_new(schema.clone(), vec![numbers, names, amounts, Arc::new(wanted)]).expect("batch")
    };
    let size = lines.len().div_ceil(partitions).max(1);
    let parts: Vec<Vec<RecordBatch>> =
        lines.chunks(size).map(|part| part.chunks(16).map(batch).collect()).collect();
    let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(16);
    let session = SessionContext::new_with_config(config);
    session.register_udf(run_sum());
    session.register_udaf(crate::exact_sum::exact_sum());
    let table = MemTable::try_new(schema.clone(), parts).expect("table");
    session.register_table("lines", Arc::new(table)).expect("registered");
    let sql = "SELECT number, name, exact_sum(run) AS total FROM (SELECT number, name, run_sum(amount, number, name) AS run \
               FROM (SELECT number, name, amount FROM lines WHERE wanted) AS r) AS s \
               WHERE run IS NOT NULL GROUP BY number, name";
    let batches = session.sql(sql).await.expect("plan").collect().await.expect("rows");
    let mut sums = BTreeMap::new();
    for batch in batches {
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let names = batch.column(1).as_string_view();
        let totals = batch.column(2).as_primitive::<datafusion::arrow::datatypes::Decimal128Type>();
        for row in 0..batch.num_rows() {
            let name = names.is_valid(row).then(|| names.value(row).to_owned());
            sums.insert((numbers.value(row), name), totals.value(row));
        }
    }
    sums
}
