//! Packed keys against the keys themselves.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, FixedSizeBinaryBuilder, Int32Array, StringViewArray};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, UnboundedMemoryPool};
use portolan_analytics::Value;
use proptest::prelude::*;
use uuid::Uuid;

use super::Packer;

type Line = (Option<i32>, Option<u128>, Option<String>);

fn line() -> impl Strategy<Value = Line> {
    let date = proptest::option::weighted(0.9, prop_oneof![-2..3_i32, Just(i32::MIN), Just(i32::MAX)]);
    let id = proptest::option::weighted(0.9, prop_oneof![0..3_u128, Just(u128::MAX)]);
    // Short names are compared within their views, long ones behind them.
    let name = prop_oneof!["[ab]{0,2}", "a long shared beginning [ab]{1}"];
    (date, id, proptest::option::weighted(0.8, name))
}

fn columns(lines: &[Line]) -> Vec<ArrayRef> {
    let mut ids = FixedSizeBinaryBuilder::new(16);
    for (_, id, _) in lines {
        match id {
            Some(id) => ids.append_value(id.to_be_bytes()).expect("sixteen bytes"),
            None => ids.append_null(),
        }
    }
    vec![
        Arc::new(lines.iter().map(|line| line.0).collect::<Int32Array>()),
        Arc::new(ids.finish()),
        Arc::new(lines.iter().map(|line| line.2.as_deref()).collect::<StringViewArray>()),
    ]
}

fn values(line: &Line) -> Vec<Value> {
    vec![
        line.0.map_or(Value::Null, |date| Value::Integer(date.into())),
        line.1.map_or(Value::Null, |id| Value::Uuid(Uuid::from_u128(id))),
        line.2.as_deref().map_or(Value::Null, |name| Value::Text(name.into())),
    ]
}

proptest! {
    #[test]
    fn a_number_stands_for_one_combination_and_brings_it_back(
        lines in proptest::collection::vec(line(), 0..120),
        cut in 0..120_usize,
    ) {
        let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
        let packer = Packer::new(&pool);
        let mut numbers = Vec::new();
        let (left, right) = lines.split_at(cut.min(lines.len()));
        for part in [left, right] {
            let packed = packer.pack(&columns(part), part.len()).expect("packed");
            numbers.extend(packed.values().iter().copied());
        }
        let unpacked = packer.unpack(&numbers, 3, 0).expect("unpacked");
        let expected: Vec<Vec<Value>> = lines.iter().map(values).collect();
        prop_assert_eq!(&unpacked, &expected);
        let mut number_of = HashMap::new();
        for (number, values) in numbers.iter().zip(expected) {
            prop_assert_eq!(*number_of.entry(values).or_insert(*number), *number);
        }
    }

    #[test]
    fn a_slice_of_columns_packs_like_its_rows(lines in proptest::collection::vec(line(), 4..60)) {
        let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
        let packer = Packer::new(&pool);
        let sliced: Vec<ArrayRef> =
            columns(&lines).iter().map(|column| column.slice(2, lines.len() - 3)).collect();
        let numbers = packer.pack(&sliced, lines.len() - 3).expect("packed");
        let unpacked = packer.unpack(numbers.values(), 3, 0).expect("unpacked");
        let expected: Vec<Vec<Value>> = lines[2..lines.len() - 1].iter().map(values).collect();
        prop_assert_eq!(unpacked, expected);
    }
}

#[test]
fn combinations_count_against_the_memory_of_the_question() {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(64 << 10));
    let packer = Packer::new(&pool);
    let dates: ArrayRef = Arc::new(Int32Array::from_iter_values(0..100_000));
    let refused = packer.pack(&[dates], 100_000);
    assert!(matches!(refused, Err(DataFusionError::ResourcesExhausted(_))), "{refused:?}");
    drop(packer);
    assert_eq!(pool.reserved(), 0);
}
