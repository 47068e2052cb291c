//! The function against counting by hand, however rows are cut into batches and partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::catalog::MemTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{ExecutionPlan, collect};
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

/// How the engine goes about it.
#[derive(Debug, Clone, Copy)]
struct Way {
    partitions: usize,
    /// Of one batch.
    rows: usize,
    /// Hands rows on as they are, as where grouping before they change threads does not pay.
    ungrouped: bool,
    memory_bytes: usize,
}

impl Way {
    fn session(self) -> SessionContext {
        let mut config =
            SessionConfig::new().with_target_partitions(self.partitions).with_batch_size(self.rows);
        if self.ungrouped {
            config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = 1;
            config.options_mut().execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
        }
        let pool = Arc::new(FairSpillPool::new(self.memory_bytes));
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().expect("runtime");
        SessionContext::new_with_config_rt(config, runtime)
    }
}

struct Asked {
    rows: BTreeMap<i64, BTreeSet<i64>>,
    /// What the aggregation did.
    spills: usize,
    rows_handed_on: usize,
}

async fn ask(lines: &[Line], way: Way) -> Asked {
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
    let size = lines.len().div_ceil(way.partitions).max(1);
    let parts: Vec<Vec<RecordBatch>> =
        lines.chunks(size).map(|part| part.chunks(way.rows).map(batch).collect()).collect();
    let session = way.session();
    session.register_udaf(standing());
    let table = MemTable::try_new(schema.clone(), parts).expect("table");
    session.register_table("lines", Arc::new(table)).expect("registered");
    let sql = "SELECT customer, standing(row_number, total, order_key, order_at, units) FROM lines GROUP BY customer";
    let plan = session.sql(sql).await.expect("statement").create_physical_plan().await.expect("plan");
    let batches = collect(plan.clone(), session.task_ctx()).await.expect("rows");
    let mut rows = BTreeMap::new();
    for batch in batches {
        let customers = batch.column(0).as_primitive::<Int64Type>();
        let lists = batch.column(1).as_list::<i32>();
        for row in 0..batch.num_rows() {
            let list = lists.value(row);
            let list = list.as_primitive::<Int64Type>().values().iter().copied().collect();
            assert!(rows.insert(customers.value(row), list).is_none(), "a customer is one group");
        }
    }
    let of_plan = aggregations(plan.as_ref());
    let handed_on = |metrics: &MetricsSet| metrics.sum_by_name("skipped_aggregation_rows");
    Asked {
        rows,
        spills: of_plan.iter().filter_map(MetricsSet::spill_count).sum(),
        rows_handed_on: of_plan.iter().filter_map(handed_on).map(|rows| rows.as_usize()).sum(),
    }
}

fn aggregations(plan: &dyn ExecutionPlan) -> Vec<MetricsSet> {
    let own = if plan.name() == "AggregateExec" { plan.metrics() } else { None };
    let below = plan.children().into_iter().flat_map(|child| aggregations(child.as_ref()));
    own.into_iter().chain(below).collect()
}

/// Two thousand customers, whose lines come in turns; a fifth of the lines is taken back.
fn many_lines() -> Vec<Line> {
    let units = |number: i64| if number % 5 == 2 { -1 } else { 1 };
    (0..24_000).map(|number| (number * 7 % 2_000, number % 3, number % 11, units(number))).collect()
}

#[tokio::test]
async fn customers_that_do_not_fit_into_memory_are_spilled_and_stand_where_they_did() {
    let lines = many_lines();
    for ungrouped in [false, true] {
        let roomy = Way { partitions: 2, rows: 256, ungrouped, memory_bytes: 64 << 20 };
        let fitting = ask(&lines, roomy).await;
        let spilled = ask(&lines, Way { memory_bytes: 1 << 20, ..roomy }).await;
        assert_eq!(fitting.spills, 0);
        assert!(spilled.spills > 1, "{} spills", spilled.spills);
        assert_eq!((fitting.rows_handed_on > 0, spilled.rows_handed_on > 0), (ungrouped, ungrouped));
        let expected = naive(&lines);
        assert!(fitting.rows == expected && spilled.rows == expected, "ungrouped: {ungrouped}");
    }
}

proptest! {
    #[test]
    fn a_customer_stands_where_orders_do(
        lines in lines(),
        partitions in 1..4_usize,
        ungrouped in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let way = Way { partitions, rows: 7, ungrouped, memory_bytes: 64 << 20 };
        prop_assert_eq!(runtime.block_on(ask(&lines, way)).rows, naive(&lines));
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
