//! The real retail data, against figures computed independently over the same file.

use std::io::Read;
use std::path::Path;

const MAPPING: &str = include_str!("../../mappings/uci-online-retail.json");

#[test]
fn the_retail_data_adds_up_to_the_penny() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/datasets/uci-online-retail.csv.xz");
    let Ok(compressed) = std::fs::read(&path) else {
        super::announce("skipped: ../shared not present");
        return;
    };
    let mut file = Vec::new();
    liblzma::read::XzDecoder::new(compressed.as_slice()).read_to_end(&mut file).expect("xz");

    let run = super::run(MAPPING, "orders", file);
    let (orders, refunds) = (&run.output.orders, &run.output.refunds);

    assert_eq!(run.output.skipped, []);
    assert_eq!((run.output.seen, run.output.emitted), (541_909, 541_909));
    assert_eq!((orders.len(), refunds.len()), (22_064, 3_836));
    let sold: i64 = orders.iter().map(|order| order.gross - order.discount).sum();
    let returned: i64 = refunds.iter().map(|refund| refund.total).sum();
    assert_eq!(returned, 89_681_249);
    assert_eq!(sold - returned, 974_774_793);
    let rows = orders.iter().map(|order| order.lines.len()).sum::<usize>()
        + refunds.iter().map(|refund| refund.lines.len()).sum::<usize>();
    assert_eq!(rows, 541_909);
    for order in orders {
        assert_eq!(order.lines.iter().map(|line| line.gross).sum::<i64>(), order.gross, "{}", order.key);
        assert_eq!(order.also.len() + 1, order.lines.len());
    }
    assert!(
        refunds.iter().all(
            |refund| refund.order.is_none() && refund.lines.iter().all(|line| line.quantity.unscaled > 0)
        )
    );

    let standing =
        orders.iter().filter(|order| order.lines.iter().map(|line| line.quantity.unscaled).sum::<i64>() > 0);
    let standing: Vec<_> = standing.collect();
    assert_eq!(standing.len(), 20_728);
    let customers: std::collections::BTreeSet<_> =
        standing.iter().filter_map(|order| order.customer.as_ref()).collect();
    assert_eq!(customers.len(), 4_339);
    assert!(customers.iter().all(|key| key.bytes().all(|byte| byte.is_ascii_digit())));
}
