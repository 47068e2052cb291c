//! The ways to misbehave and what ends each. The names are those of the hostile guest's behaviours.

use super::Call::{Check, Fetch, Normalize, Partitions};
use super::Ends::{At, Bug, Fault, Well};
use super::{Call, Case, Ends};

const fn case(behaviour: &'static str, call: Call, ends: Ends, says: &'static [&'static str]) -> Case {
    Case { behaviour, call, ends, says }
}

/// Where there is a network.
pub const FETCHING: &[Case] = &[
    // Time.
    case("loop", Fetch(""), At("cpu"), &["computed for more than 500 ms", "smaller pages"]),
    case("clock", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    case("calls", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    case("long-calls", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    case("wide-calls", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    case("sign-flood", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    case("random", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    // Memory and stack.
    case("memory", Fetch(""), At("memory"), &["the limit is 32 MiB", "smaller pages"]),
    case("memory-at-once", Fetch(""), At("memory"), &["the limit is 32 MiB"]),
    case("memory-steps", Fetch(""), Well, &[]),
    case("memory-refused", Fetch(""), At("cpu"), &["computed for more than 500 ms"]),
    case("recursion", Fetch(""), At("trap"), &["publisher"]),
    // Resources.
    case("leak", Fetch(""), At("resources"), &["more than 1000", "give back"]),
    case("poll-many", Fetch(""), At("resources"), &["more than 1000"]),
    case("zeroes", Fetch(""), At("trap"), &["publisher"]),
    // Crashes.
    case("trap", Fetch("words"), At("trap"), &["a plugin panics with words", "publisher"]),
    case("exit", Fetch(""), At("trap"), &["publisher"]),
    case("abort", Fetch(""), At("trap"), &["publisher"]),
    case("drop", Fetch(""), At("trap"), &["dropped"]),
    case("drop-twice", Fetch(""), At("trap"), &["publisher"]),
    // Answers that are too large, or that name what is not theirs.
    case("huge-page", Fetch(""), At("memory"), &["the limit is 32 MiB"]),
    case("huge-token", Fetch(""), At("output"), &["page token", "position"]),
    case("state", Fetch(""), At("output"), &["page token"]),
    case("huge-chunks", Fetch(""), At("output"), &["1000 chunks"]),
    case("many-slices", Fetch(""), At("output"), &["10000 slices"]),
    case("no-slices", Fetch(""), Bug, &["split names no slices"]),
    case("slice-outside-time", Fetch(""), Bug, &["years 1 to 9999"]),
    case("slice-backwards", Fetch(""), Bug, &["ends before it begins"]),
    case("foreign-slice", Fetch(""), Bug, &["beyond the slice"]),
    case("foreign-stream", Fetch(""), Bug, &["does not declare"]),
    case("unknown-file", Fetch(""), Bug, &["not staged for it"]),
    case("other-cursor", Fetch(""), Well, &[]),
    case("absurd-count", Fetch(""), Bug, &["announces more than"]),
    case("endless-wait", Fetch(""), Well, &["86400000"]),
    case("framing", Fetch("json:NUL"), Bug, &["control characters"]),
    case("huge-framing", Fetch(""), Bug, &["too long"]),
    case("endless-error", Fetch(""), Fault("transient"), &[]),
    case("sink", Fetch(""), Bug, &["fetch has no sink"]),
    // Text that is none, or too much of it.
    case("invalid-text", Fetch(""), At("trap"), &["publisher"]),
    case("invalid-account", Check, At("trap"), &["publisher"]),
    case("huge-account", Check, Well, &[]),
    case("ansi-account", Check, Well, &[]),
    case("many-partitions", Partitions, At("output"), &["10000 partitions"]),
    case("large-partition", Partitions, Bug, &["16 KiB"]),
    case("nul-partition", Partitions, Bug, &["NUL"]),
    case("nameless-partition", Partitions, Bug, &["a key of 1 to 255 bytes"]),
    // Keys of others.
    case("sign-foreign", Fetch(""), Well, &["no such key"]),
    case("get-with-foreign-auth", Fetch("https://acme.shops.example/"), Well, &["Denied"]),
    // Addresses that are none of a channel's.
    case("get", Fetch("file:///etc/passwd"), Well, &["Denied"]),
    case("get", Fetch("https://acme.shops.example:22/"), Well, &["Denied"]),
    case("get", Fetch("https://user:word@acme.shops.example/"), Well, &["Denied"]),
    case("get", Fetch("https://127.0.0.1/"), Well, &["Denied"]),
    case("get", Fetch("https://2130706433/"), Well, &["Denied"]),
    case("get", Fetch("https://[::ffff:127.0.0.1]/"), Well, &["Denied"]),
    case("get", Fetch("https://undeclared.example/"), Well, &["Denied"]),
];

/// Where there is a sink.
pub const NORMALIZING: &[Case] = &[
    case("loop", Normalize(""), At("cpu"), &["computed for more than 500 ms"]),
    case("http", Normalize(""), Bug, &["normalize is pure"]),
    // Too much.
    case("large-batch", Normalize(""), At("output"), &["501 documents in one call", "500"]),
    case("many-lines", Normalize(""), Bug, &["lines has more than 20000 entries"]),
    case("long-title", Normalize(""), Bug, &["longer than 4000 bytes"]),
    // Values that are none.
    case("least-money", Normalize(""), Well, &["1 documents"]),
    case("scale", Normalize(""), Bug, &["more than 18 digits"]),
    case("infinite-metric", Normalize(""), Bug, &["more than 18 digits"]),
    case("negative-day", Normalize(""), Bug, &["years 1 and 9999"]),
    case("first-moment", Normalize(""), Bug, &["years 1 and 9999"]),
    case("bad-moment", Normalize(""), Bug, &["years 1 and 9999"]),
    case("bad-currency", Normalize(""), Bug, &["not a currency code"]),
    case("empty-key", Normalize(""), Bug, &["key is empty"]),
    case("nul-key", Normalize(""), Bug, &["NUL"]),
    case("duplicates", Normalize(""), Well, &["100 documents"]),
    case("tenant-key", Normalize(""), Well, &["1 documents"]),
    case("hostile-reason", Normalize(""), Well, &["0 documents of 1"]),
    // Counts that lie.
    case("swallow", Normalize(""), Bug, &["emitted 3 raw records"]),
    case("wrong-sum", Normalize(""), Bug, &["saw 3 raw records"]),
    case("silent-skip", Normalize(""), Bug, &["gave reasons for 0"]),
    case("beyond", Normalize(""), Bug, &["raw record 5"]),
    case("also-beyond", Normalize(""), Bug, &["raw record 4294967295"]),
    case("counts-overflow", Normalize(""), Bug, &["saw 0 raw records"]),
    case("counts-most", Normalize(""), Bug, &["emitted 4294967295"]),
    case("too-few", Normalize(""), Bug, &["raw record 1"]),
];

/// What holds as much as it can: run alone, each in a process of its own.
pub struct Hoarder {
    pub case: Case,
    /// What its limits add up to.
    pub limit_bytes: u64,
    /// Whether it is given time to hoard: not optimised, the host is slower than the guest's half second.
    pub patient: bool,
}

const GUEST: u64 = 32 << 20;
/// What one host call may carry.
const CALL: u64 = 72 << 20;
/// The documents of one chunk: a quarter of what a server allows, for the sake of the tests' time.
pub const SINK: u64 = 32 << 20;

const fn hoarder(behaviour: &'static str, call: Call, ends: Ends, limit_bytes: u64) -> Hoarder {
    let patient = matches!(call, Normalize(_));
    Hoarder { case: case(behaviour, call, ends, &[]), limit_bytes, patient }
}

pub const HOARDERS: &[Hoarder] = &[
    hoarder("memory", Fetch(""), At("memory"), GUEST),
    hoarder("memory-steps", Fetch(""), Well, GUEST),
    hoarder("memory-refused", Fetch(""), At("cpu"), GUEST),
    hoarder("recursion", Fetch(""), At("trap"), GUEST),
    hoarder("leak", Fetch(""), At("resources"), GUEST),
    hoarder("calls", Fetch(""), At("cpu"), GUEST),
    hoarder("log-flood", Fetch(""), Well, GUEST),
    hoarder("long-calls", Fetch(""), At("cpu"), GUEST + CALL),
    hoarder("wide-calls", Fetch(""), At("cpu"), GUEST + CALL),
    hoarder("lines", Normalize(""), At("output"), GUEST + SINK),
    hoarder("rows", Normalize(""), At("output"), GUEST + SINK),
    hoarder("skips", Normalize(""), At("output"), GUEST + SINK),
];
