//! The order of a part's rows: by date, connection and ledger key. Ranges of dates lie together, and so do the lines of
//! an order.

use std::collections::BTreeSet;

use datafusion::arrow::array::{
    Array, AsArray, FixedSizeBinaryArray, RecordBatch, StringViewArray, UInt32Array,
};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::Int32Type;
use portolan_analytics::Fact;

use crate::FactsError;

/// What parts are sorted by.
pub(crate) fn columns(fact: Fact) -> [&'static str; 4] {
    ["event_date", "connection_id", fact.ledger_key(), "id"]
}

/// What decides most comparisons, as numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    date: i32,
    /// The connection's place among those of the rows.
    connection: u32,
    /// The eight bytes of the key behind what all keys begin with.
    key: u64,
}

pub(crate) fn sorted(fact: Fact, rows: &RecordBatch) -> Result<RecordBatch, FactsError> {
    let [dates, connections, keys, ids] = columns(fact).map(|name| rows.column_by_name(name));
    let dates = dates.and_then(|dates| dates.as_primitive_opt::<Int32Type>()).ok_or_else(unexpected)?;
    let connections = connections.and_then(|ids| ids.as_fixed_size_binary_opt()).ok_or_else(unexpected)?;
    let keys = keys.and_then(|keys| keys.as_string_view_opt()).ok_or_else(unexpected)?;
    let ids = ids.and_then(|ids| ids.as_fixed_size_binary_opt()).ok_or_else(unexpected)?;

    let known: Vec<&[u8]> = values(connections).collect::<BTreeSet<_>>().into_iter().collect();
    let shared = shared_length(keys);
    let place = |row: usize| Place {
        date: dates.value(row),
        connection: known.binary_search(&connections.value(row)).unwrap_or_default() as u32,
        key: eight_bytes(keys.value(row).as_bytes(), shared),
    };
    let mut places: Vec<(Place, u32)> = (0..rows.num_rows()).map(|row| (place(row), row as u32)).collect();
    places.sort_unstable_by(|(left, one), (right, other)| {
        let (one, other) = (*one as usize, *other as usize);
        left.cmp(right)
            .then_with(|| keys.value(one).cmp(keys.value(other)))
            .then_with(|| ids.value(one).cmp(ids.value(other)))
    });
    let order: UInt32Array = places.into_iter().map(|(_, row)| row).collect();
    Ok(take_record_batch(rows, &order)?)
}

fn values(ids: &FixedSizeBinaryArray) -> impl Iterator<Item = &[u8]> {
    (0..ids.len()).map(|row| ids.value(row))
}

/// How many bytes all keys begin with: `gid://shopify/Order/` says nothing about their order.
fn shared_length(keys: &StringViewArray) -> usize {
    let Some(first) = keys.iter().flatten().next().map(str::as_bytes) else { return 0 };
    keys.iter().flatten().fold(first.len(), |shared, key| {
        let same = first.iter().zip(key.as_bytes()).take(shared).take_while(|(left, right)| left == right);
        same.count()
    })
}

/// Bytes compare like the number; a key that ends is before every key that goes on, or equal to one with zeros.
fn eight_bytes(key: &[u8], from: usize) -> u64 {
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().zip(key.iter().skip(from)) {
        *place = *byte;
    }
    u64::from_be_bytes(bytes)
}

fn unexpected() -> FactsError {
    FactsError::Damaged("a ledger has rows without the columns that parts are sorted by".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, FixedSizeBinaryBuilder, Int32Array};
    use datafusion::arrow::compute::{SortColumn, lexsort_to_indices};
    use proptest::prelude::*;

    use super::*;

    type Line = (i32, u8, String, u8);

    fn lines() -> impl Strategy<Value = Vec<Line>> {
        let key = prop_oneof![
            "[ab]{0,3}",
            "gid://shopify/Order/[01]{0,10}",
            "gid://shopify/Order/\\PC{0,3}",
            "a\0{0,9}"
        ];
        proptest::collection::vec((-2..2_i32, 0..3_u8, key, any::<u8>()), 0..60)
    }

    fn batch(lines: &[Line]) -> RecordBatch {
        let ids = |pick: &dyn Fn(&Line) -> u8| -> ArrayRef {
            let mut ids = FixedSizeBinaryBuilder::new(16);
            for line in lines {
                ids.append_value([pick(line); 16]).expect("sixteen bytes");
            }
            Arc::new(ids.finish())
        };
        RecordBatch::try_from_iter([
            ("event_date", Arc::new(lines.iter().map(|line| line.0).collect::<Int32Array>()) as ArrayRef),
            ("connection_id", ids(&|line| line.1)),
            ("order_key", Arc::new(lines.iter().map(|line| Some(&line.2)).collect::<StringViewArray>())),
            ("id", ids(&|line| line.3)),
        ])
        .expect("batch")
    }

    proptest! {
        #[test]
        fn rows_are_in_the_order_of_their_columns(lines in lines()) {
            let batch = batch(&lines);
            let columns: Vec<SortColumn> = batch
                .columns()
                .iter()
                .map(|values| SortColumn { values: values.clone(), options: None })
                .collect();
            let order = lexsort_to_indices(&columns, None).expect("order");
            let expected = take_record_batch(&batch, &order).expect("sorted");
            prop_assert_eq!(sorted(Fact::Sales, &batch).expect("sorted"), expected);
        }
    }
}
