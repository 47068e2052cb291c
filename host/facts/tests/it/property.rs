//! Properties of ledgers, checked on databases.

use portolan_db::testing::{TestDatabase, say_skipped};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

/// Checks a property on a SQLite that its cases share, then a quarter of the cases on a PostgreSQL where there is one.
pub fn property<S: Strategy>(cases: u32, inputs: &S, check: impl AsyncFn(&TestDatabase, &S::Value)) {
    let runtime = Runtime::new().expect("runtime");
    let holds_on = |test: TestDatabase, cases: u32| {
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let checked = runner.run(inputs, |input| {
            runtime.block_on(check(&test, &input));
            Ok(())
        });
        checked.expect("property holds");
        runtime.block_on(test.discard());
    };
    holds_on(runtime.block_on(TestDatabase::sqlite(portolan_migrations::migrate)), cases);
    match runtime.block_on(TestDatabase::postgres(portolan_migrations::migrate)) {
        Some(postgres) => holds_on(postgres, cases.div_ceil(4)),
        None => say_skipped(),
    }
}
