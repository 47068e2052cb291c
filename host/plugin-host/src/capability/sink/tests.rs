use portolan_commerce::document::Skipped;

use super::Sink;
use crate::bindings::exports::portolan::plugin::normalizer::Summary;

fn sink(covered: &[u32], skips: &[u32]) -> Sink {
    let mut sink = Sink::new(100, 1_000);
    sink.covered = covered.to_vec();
    sink.skipped =
        skips.iter().map(|src| Skipped { src: *src, path: None, reason: "because".to_owned() }).collect();
    sink
}

fn summary(seen: u32, emitted: u32, skipped: u32) -> Summary {
    Summary { seen, emitted, skipped }
}

#[test]
fn records_that_make_one_document_count_each() {
    assert_eq!(sink(&[0, 1, 2, 0], &[3]).reconcile(&summary(4, 3, 1)), Ok(()));
}

#[test]
fn a_record_with_a_document_and_a_complaint_was_emitted() {
    assert_eq!(sink(&[0, 1], &[1, 2, 2]).reconcile(&summary(3, 2, 1)), Ok(()));
}

#[test]
fn nothing_seen_is_nothing_lost() {
    assert_eq!(sink(&[], &[]).reconcile(&summary(0, 0, 0)), Ok(()));
}

#[test]
fn a_lost_record_is_told_with_numbers() {
    let told =
        |covered: &[u32], skips: &[u32], said| sink(covered, skips).reconcile(&said).expect_err("a mismatch");
    assert!(told(&[0], &[], summary(2, 1, 0)).contains("saw 2"));
    assert!(told(&[0], &[], summary(2, 2, 0)).contains("name 1 of them"));
    assert!(told(&[0, 1], &[], summary(3, 2, 1)).contains("reasons for 0"));
    assert!(told(&[0, 7], &[], summary(2, 2, 0)).contains("record 7"));
    assert!(told(&[0], &[9], summary(2, 1, 1)).contains("record 9"));
}
