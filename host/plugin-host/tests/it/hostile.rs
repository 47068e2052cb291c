//! Plugins that do not end, do not fit, or crash: stopped in time, with words, and nobody else notices.

use std::time::Duration;

use portolan_connector::{Fault, PluginRuntime, StagedFile};

use crate::support::{NOW, Sandbox, TOKEN, behaving, limit_of};

/// Runs a hostile call beside a good one, and a good one after it.
async fn neighbours_are_unaffected(sandbox: &Sandbox, behaviour: &str) -> String {
    let hostile = sandbox.fetch(behaving(behaviour, "nothing"));
    let neighbour = async {
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(sandbox.fetched_text(behaving("echo", "well")).await);
        }
        answers
    };
    // Generous, for a loaded machine: the plugin's own limit is half a second of computing.
    let both = async { tokio::join!(hostile, neighbour) };
    let (answer, answers) =
        tokio::time::timeout(Duration::from_secs(60), both).await.expect("stopped in time");
    assert_eq!(answers, vec!["well"; 5]);
    assert_eq!(sandbox.fetched_text(behaving("echo", "after")).await, "after");
    limit_of(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_stopped() {
    let sandbox = Sandbox::new().await;
    assert_eq!(neighbours_are_unaffected(&sandbox, "loop").await, "cpu");
    assert_eq!(limit_of(sandbox.normalize("loop", "").await), "cpu");
}

/// One thread for everybody: the loop has to yield, or nobody would ever be answered.
#[tokio::test(flavor = "current_thread")]
async fn an_endless_loop_leaves_room_on_its_own_thread() {
    let sandbox = Sandbox::new().await;
    assert_eq!(neighbours_are_unaffected(&sandbox, "loop").await, "cpu");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_grab_is_stopped() {
    let sandbox = Sandbox::new().await;
    assert_eq!(neighbours_are_unaffected(&sandbox, "memory").await, "memory");
    let Err(fault) = sandbox.fetch(behaving("memory", "")).await else { panic!("it was stopped before") };
    assert!(fault.to_string().contains("the limit is 32 MiB"), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_recursion_is_stopped() {
    let sandbox = Sandbox::new().await;
    let limit = neighbours_are_unaffected(&sandbox, "recursion").await;
    assert!(limit == "trap" || limit == "memory", "{limit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_tells_its_last_words() {
    let sandbox = Sandbox::new().await;
    assert_eq!(neighbours_are_unaffected(&sandbox, "trap").await, "trap");
    let Err(Fault::Stopped { detail, .. }) = sandbox.fetch(behaving("trap", TOKEN)).await else {
        panic!("it panics")
    };
    assert!(detail.contains("a plugin panics with ***"), "{detail}");
    assert!(!detail.contains(TOKEN) && !detail.contains('\n'), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_by_exit_is_a_crash_of_the_plugin_alone() {
    let sandbox = Sandbox::new().await;
    assert_eq!(neighbours_are_unaffected(&sandbox, "exit").await, "trap");
}

#[tokio::test]
async fn a_sleeping_plugin_is_stopped_at_the_runs_deadline() {
    let sandbox = Sandbox::new().await;
    let sleeping = sandbox.fetch_within(behaving("sleep", ""), portolan_core::Duration::from_ms(300));
    let answer = tokio::time::timeout(Duration::from_secs(30), sleeping).await.expect("stopped in time");
    assert_eq!(limit_of(answer), "deadline");
    assert_eq!(sandbox.fetched_text(behaving("echo", "after")).await, "after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_outputs_are_refused() {
    let sandbox = Sandbox::new().await;
    assert_eq!(neighbours_are_unaffected(&sandbox, "huge-token").await, "output");
    assert_eq!(neighbours_are_unaffected(&sandbox, "huge-chunks").await, "output");
    let flood = limit_of(sandbox.normalize("flood", "").await);
    assert!(flood == "output" || flood == "cpu", "{flood}");
}

#[tokio::test]
async fn one_host_call_carries_so_much_and_no_more() {
    let mut options = crate::support::options();
    options.limits.hostcall_bytes = 64 << 10;
    let sandbox = Sandbox::with(options).await;
    assert_eq!(limit_of(sandbox.fetch(behaving("huge-chunks", "")).await), "output");
}

#[tokio::test]
async fn a_log_flood_is_bounded_and_says_so() {
    let sandbox = Sandbox::new().await;
    let page = sandbox.fetch(behaving("log-flood", TOKEN)).await.expect("a page");
    assert!(page.logs.len() <= 501, "{}", page.logs.len());
    let last = page.logs.last().expect("lines");
    assert!(last.message.contains("were dropped"), "{last:?}");
    assert!(page.logs.iter().all(|line| !line.message.contains('\u{1b}') && !line.message.contains(TOKEN)));
}

#[tokio::test]
async fn standard_output_becomes_log_lines() {
    let sandbox = Sandbox::new().await;
    let page = sandbox.fetch(behaving("stdout", "line")).await.expect("a page");
    let lines: Vec<&str> = page.logs.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["first", "second line"]);
}

#[tokio::test]
async fn a_page_cannot_name_what_is_not_its_own() {
    let sandbox = Sandbox::new().await;
    for behaviour in ["foreign-stream", "unknown-file"] {
        let answer = sandbox.fetch(behaving(behaviour, "")).await;
        assert!(matches!(answer, Err(Fault::PluginBug { .. })), "{behaviour}: {answer:?}");
    }
}

#[tokio::test]
async fn files_are_seen_by_their_connection_alone() {
    let sandbox = Sandbox::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("orders.csv");
    std::fs::write(&path, "order;amount").expect("written");
    let file = StagedFile {
        id: 4,
        stream: "orders".to_owned(),
        name: "orders.csv".to_owned(),
        size_bytes: 12,
        content_type: "text/csv".to_owned(),
        received_at: NOW,
        path,
    };
    assert_eq!(sandbox.fetched_text(behaving("peek", "").file(file)).await, "order");
    let without = sandbox.fetch(behaving("peek", "")).await;
    assert!(matches!(without, Err(Fault::PluginBug { .. })), "{without:?}");
}

#[tokio::test]
async fn a_plugin_that_is_not_installed_is_named() {
    let sandbox = Sandbox::new().await;
    let mut other = sandbox.plugin.clone();
    other.sha256 = "0".repeat(64);
    let Err(fault) = sandbox.runtime.instantiate(&other).await else { panic!("it is not installed") };
    assert!(fault.to_string().contains("install the same file again"), "{fault}");
    assert_eq!(sandbox.runtime.plugins().len(), 1);
    assert!(sandbox.runtime.find("hostile").is_some());
}
