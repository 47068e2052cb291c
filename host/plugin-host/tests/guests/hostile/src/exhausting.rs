//! Ways to take more than one's share where there is a network: memory, host calls, resources, time.

use crate::fetching::{info, page};
use crate::portolan::plugin::log::{self, Level};
use crate::portolan::plugin::sync::{
    CheckReport, Continuation, Mode, Page, Partition, Payload, RawChunk, Slice, Wait,
};
use crate::portolan::plugin::types::{PluginError, Retry};
use crate::wasi;

const PAGE_BYTES: usize = 64 << 10;

/// None: not one of these.
pub fn fetch(behaviour: &str, argument: &str) -> Option<Result<Page, PluginError>> {
    let page = match behaviour {
        "memory-steps" => page(grow_in_steps().to_string().into_bytes()),
        "memory-refused" => loop {
            std::hint::black_box(wasi::memory_grow(60_000));
        },
        "memory-at-once" => page(vec![1; 1 << 30]),
        "calls" => loop {
            log::write(Level::Trace, "", &[]);
        },
        "long-calls" => {
            let message = "x".repeat(8 << 20);
            loop {
                log::write(Level::Trace, &message, &[]);
            }
        }
        "wide-calls" => {
            let fields: Vec<(String, String)> = vec![(String::new(), String::new()); 200_000];
            loop {
                log::write(Level::Error, "", &fields);
            }
        }
        "random" => loop {
            wasi::seed();
        },
        "clock" => {
            let start = std::time::SystemTime::now();
            while start.elapsed().is_ok_and(|elapsed| elapsed.as_secs() < 3_600) {}
            page(Vec::new())
        }
        "leak" => loop {
            wasi::leak_a_pollable();
        },
        "poll-many" => page(wasi::poll_one_pollable(1_000_000).to_string().into_bytes()),
        "zeroes" => {
            wasi::write_zeroes(u64::MAX >> 1);
            page(Vec::new())
        }
        "short-sleeps" => loop {
            std::thread::sleep(std::time::Duration::from_millis(1));
        },
        "abort" => std::process::abort(),
        "drop" => {
            let _bomb = Bomb;
            page(Vec::new())
        }
        "drop-twice" => {
            let _bomb = Bomb;
            panic!("the first of two")
        }
        "huge-page" => page(vec![b' '; 40 << 20]),
        "state" => next(Continuation::More(vec![1; 1_500_000])),
        "absurd-count" => Page { expected: Some(u64::MAX), progress: Some(u8::MAX), ..page(Vec::new()) },
        "endless-wait" => next(Continuation::Wait(Wait {
            token: Vec::new(),
            ms: u64::MAX,
            why: "\u{202e}because\u{1b}[2J".repeat(1_000),
        })),
        "no-slices" => next(Continuation::Split(Vec::new())),
        "many-slices" => {
            next(Continuation::Split((0..20_000).map(|at| slice(Some(at), Some(at + 1))).collect()))
        }
        "slice-outside-time" => next(Continuation::Split(vec![slice(Some(i64::MIN), Some(i64::MAX))])),
        "slice-backwards" => next(Continuation::Split(vec![slice(Some(1_000), Some(1))])),
        "foreign-slice" => {
            next(Continuation::Split(vec![Slice { stream: "customers".to_owned(), ..slice(None, None) }]))
        }
        "framing" => {
            let mut page = page(Vec::new());
            page.chunks[0].info.framing = argument.replace("NUL", "\0");
            page
        }
        "huge-framing" => {
            let mut page = page(Vec::new());
            page.chunks[0].info.framing = "json".repeat(1_000_000);
            page
        }
        "other-cursor" => {
            // A token that another stream's connector would understand: to the host it is bytes.
            next(Continuation::More(b"{\"stream\":\"customers\",\"tenant\":\"other\"}".to_vec()))
        }
        "endless-error" => {
            return Some(Err(PluginError::Transient(Retry {
                after_ms: Some(u64::MAX),
                bucket: Some("b".repeat(1_000_000)),
                detail: "\u{1b}]0;title\u{7}<script>".repeat(100_000),
            })));
        }
        "invalid-text" => {
            log::write(Level::Info, invalid_text(), &[]);
            page(Vec::new())
        }
        _ => return None,
    };
    Some(Ok(page))
}

pub fn check(behaviour: &str) -> Option<CheckReport> {
    let account = match behaviour {
        "invalid-account" => invalid_text().to_owned(),
        "huge-account" => "long ".repeat(1 << 20),
        "ansi-account" => "\u{1b}[31mred\u{202e}\u{0}".to_owned(),
        _ => return None,
    };
    let (currency, time_zone) = (None, Some("Europe/\u{0}Nowhere".to_owned()));
    Some(CheckReport {
        display_name: account.clone(),
        account,
        currency,
        time_zone,
        notes: vec![String::new(); 10_000],
    })
}

pub fn partitions(behaviour: &str) -> Option<Vec<Partition>> {
    let one = || Partition { key: "one".to_owned(), label: "One".to_owned(), data: "{}".to_owned() };
    match behaviour {
        "many-partitions" => Some(vec![one(); 20_000]),
        "large-partition" => Some(vec![Partition { data: "x".repeat(2 << 20), ..one() }]),
        "nul-partition" => Some(vec![Partition { data: "\0".to_owned(), ..one() }]),
        "nameless-partition" => Some(vec![Partition { key: String::new(), ..one() }]),
        _ => None,
    }
}

/// What a limit of the host leaves: pages that were really there.
fn grow_in_steps() -> usize {
    let mut pages = 0;
    loop {
        let before = wasi::memory_grow(1);
        if before == usize::MAX {
            return pages;
        }
        // Touched, so that it is memory and not only a promise of it.
        for offset in (0..PAGE_BYTES).step_by(4_096) {
            // SAFETY: the page was just added to this memory, and nobody else knows of it.
            unsafe { ((before * PAGE_BYTES + offset) as *mut u8).write_volatile(1) };
        }
        pages += 1;
    }
}

/// Text that is none: the contract says UTF-8.
fn invalid_text() -> &'static str {
    // SAFETY: none; that is the point. Nothing here looks at the characters.
    unsafe { std::str::from_utf8_unchecked(std::hint::black_box(&[b'a', 0xff, 0xc0, 0x80])) }
}

fn next(next: Continuation) -> Page {
    let chunks = vec![RawChunk { info: info(), payload: Payload::Inline(b"[]".to_vec()) }];
    Page { chunks, next, expected: None, progress: None }
}

fn slice(since: Option<i64>, until: Option<i64>) -> Slice {
    Slice { stream: "orders".to_owned(), partition: None, since, until, mode: Mode::Snapshot }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}
