//! The function against counting by hand, however rows are cut into batches and partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::catalog::MemTable;
use datafusion::logical_expr::EmitTo;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::entries::{Entries, Entry};
use super::standing;

/// Customer, row, order, units. The total of every row is 9.
type Line = (i64, i64, i64, i64);
const TOTAL: i64 = 9;

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let units = prop_oneof![6 => 1..4_i64, 3 => -3..0_i64, 1 => Just(0)];
    proptest::collection::vec((0..4_i64, 0..3_i64, 0..3_i64, units), 1..80)
}

/// Groups orders first, then customers, as the definition says.
fn naive(lines: &[Line]) -> BTreeMap<i64, BTreeSet<i64>> {
    let mut units: BTreeMap<(i64, i64, i64), i64> = BTreeMap::new();
    let mut customers: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for (customer, row, order, count) in lines {
        *units.entry((*customer, *row, *order)).or_default() += count;
        *units.entry((*customer, TOTAL, *order)).or_default() += count;
        customers.entry(*customer).or_default();
    }
    for ((customer, row, _), _) in units.into_iter().filter(|(_, count)| *count > 0) {
        customers.entry(customer).or_default().insert(row);
    }
    customers
}

async fn ask(lines: &[Line], partitions: usize, skip_partial: bool) -> BTreeMap<i64, BTreeSet<i64>> {
    let number = |name: &str| Field::new(name, DataType::Int64, false);
    let schema = Arc::new(Schema::new(vec![
        number("customer"),
        number("row_number"),
        number("total"),
        Field::new("order_key", DataType::Utf8View, false),
        number("order_at"),
        number("units"),
    ]));
    let batch = |lines: &[Line]| {
        let integers = |pick: &dyn Fn(&Line) -> i64| -> ArrayRef {
            Arc::new(lines.iter().map(pick).collect::<Int64Array>())
        };
        let keys = lines.iter().map(|line| Some(format!("an order with a long name {}", line.2)));
        let columns = vec![
            integers(&|line| line.0),
            integers(&|line| line.1),
            integers(&|_| TOTAL),
            Arc::new(keys.collect::<StringViewArray>()),
            integers(&|_| 7),
            integers(&|line| line.3),
        ];
        RecordBatch::try_new(schema.clone(), columns).expect("batch")
    };
    let size = lines.len().div_ceil(partitions).max(1);
    let parts: Vec<Vec<RecordBatch>> = lines.chunks(size).map(|part| vec![batch(part)]).collect();
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(7);
    if skip_partial {
        config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = 1;
        config.options_mut().execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
    }
    let session = SessionContext::new_with_config(config);
    session.register_udaf(standing());
    let table = MemTable::try_new(schema.clone(), parts).expect("table");
    session.register_table("lines", Arc::new(table)).expect("registered");
    let sql = "SELECT customer, standing(row_number, total, order_key, order_at, units) FROM lines GROUP BY customer";
    let batches = session.sql(sql).await.expect("plan").collect().await.expect("rows");
    let mut found = BTreeMap::new();
    for batch in batches {
        let customers = batch.column(0).as_primitive::<Int64Type>();
        let lists = batch.column(1).as_list::<i32>();
        for row in 0..batch.num_rows() {
            let list = lists.value(row);
            let rows = list.as_primitive::<Int64Type>().values().iter().copied().collect();
            assert!(found.insert(customers.value(row), rows).is_none(), "a customer is one group");
        }
    }
    found
}

proptest! {
    #[test]
    fn a_customer_stands_where_orders_do(
        lines in lines(),
        partitions in 1..4_usize,
        skip_partial in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        prop_assert_eq!(runtime.block_on(ask(&lines, partitions, skip_partial)), naive(&lines));
    }

    #[test]
    fn an_entry_survives_its_bytes(row: u32, total: u32, order: [u64; 2], units: i64) {
        let entry = Entry { group: 0, row, total, order, units };
        prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()), entry);
    }

    #[test]
    fn customers_are_handed_out_in_order_and_once(
        groups in proptest::collection::vec(0..6_u32, 0..40),
        first in 0..7_usize,
    ) {
        let mut entries = Entries::default();
        entries.group_count = 6;
        for (place, group) in groups.iter().enumerate() {
            let order = [place as u64, 0];
            entries.push(Entry { group: *group, row: *group, total: 9, order, units: 1 });
        }
        let mut seen: Vec<Vec<u64>> = Vec::new();
        let mut note = |of_customer: &mut [Entry]| {
            seen.push(of_customer.iter().map(|entry| entry.order[0]).collect());
        };
        entries.take(EmitTo::First(first), &mut note);
        entries.take(EmitTo::All, &mut note);
        let expected: Vec<Vec<u64>> = (0..6)
            .map(|customer| {
                let places = groups.iter().enumerate().filter(|(_, group)| **group == customer);
                places.map(|(place, _)| place as u64).collect()
            })
            .collect();
        prop_assert_eq!(seen, expected);
    }
}
