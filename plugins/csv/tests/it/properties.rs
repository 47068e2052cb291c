//! What holds for every file.

use std::collections::BTreeMap;

use portolan_plugin_csv::Csv;
use portolan_sdk::testing::{Host, Output, connection, slice};
use proptest::prelude::*;

use super::SMALL;

/// Document, units, price in thousandths.
type Sale = (u8, i16, u16);

fn file(sales: &[Sale]) -> String {
    let rows = sales.iter().map(|(document, units, thousandths)| {
        format!("{document},2026-01-02,A,{units},{}.{:03}\n", thousandths / 1000, thousandths % 1000)
    });
    format!("order,date,sku,qty,price\n{}", rows.collect::<String>())
}

/// Units × price in thousandths, to cents, half away from zero.
fn cents((_, units, thousandths): &Sale) -> i64 {
    let product = i64::from(*units) * i64::from(*thousandths);
    product.signum() * ((product.abs() + 5) / 10)
}

fn documents(output: &Output) -> BTreeMap<String, (i64, usize)> {
    output.orders.iter().map(|order| (order.key.clone(), (order.gross, order.lines.len()))).collect()
}

proptest! {
    #[test]
    fn documents_add_up_to_their_rows_and_no_row_is_lost(sales in proptest::collection::vec(any::<Sale>(), 1..40)) {
        let run = super::run(SMALL, "orders", file(&sales));
        let mut expected: BTreeMap<String, (i64, usize)> = BTreeMap::new();
        for sale in &sales {
            let document = expected.entry(sale.0.to_string()).or_default();
            document.0 += cents(sale);
            document.1 += 1;
        }
        prop_assert_eq!(documents(&run.output), expected);
        prop_assert_eq!((run.output.seen, run.output.emitted), (sales.len() as u64, sales.len() as u64));
    }

    #[test]
    fn the_order_of_rows_changes_no_amount(
        (sales, shuffled) in proptest::collection::vec(any::<Sale>(), 1..40)
            .prop_flat_map(|sales| (Just(sales.clone()), Just(sales).prop_shuffle())),
    ) {
        let run = super::run(SMALL, "orders", file(&sales));
        let again = super::run(SMALL, "orders", file(&shuffled));
        prop_assert_eq!(documents(&run.output), documents(&again.output));
    }

    #[test]
    fn whatever_the_cells_hold_every_row_is_counted(
        cells in proptest::collection::vec(proptest::array::uniform5("[ -~äß€\"\n;]{0,6}"), 0..30),
    ) {
        let rows: String = cells
            .iter()
            .map(|row| {
                let quoted = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
                format!("{}\n", quoted.collect::<Vec<_>>().join(","))
            })
            .collect();
        let run = super::run(SMALL, "orders", format!("order,date,sku,qty,price\n{rows}"));
        prop_assert_eq!(run.output.seen, cells.len() as u64);
        prop_assert_eq!(run.output.seen, run.output.emitted + run.output.skipped.len() as u64);
    }

    #[test]
    fn no_file_makes_it_panic(bytes: Vec<u8>, with_header: bool) {
        let mut file = if with_header { b"order,date,sku,qty,price\n".to_vec() } else { Vec::new() };
        file.extend(bytes);
        let host = Host::new().file("orders", "file.csv", file);
        if let Ok(run) = host.sync::<Csv>(&connection(SMALL), &slice("orders")) {
            prop_assert_eq!(run.output.seen, run.output.emitted + run.output.skipped.len() as u64);
        }
    }
}
