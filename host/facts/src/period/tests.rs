use super::Table;

#[test]
fn a_date_falls_into_the_period_that_begins_last_before_it() {
    let table = Table::new(&[10, 31, 59]);
    assert_eq!(table.find(9), None);
    assert_eq!(table.find(10), Some(10));
    assert_eq!(table.find(30), Some(10));
    assert_eq!(table.find(31), Some(31));
    assert_eq!(table.find(58), Some(31));
    assert_eq!(table.find(400), Some(59));
}

#[test]
fn without_periods_no_date_has_one() {
    assert_eq!(Table::new(&[]).find(0), None);
}
