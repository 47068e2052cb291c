//! Stories of the slices, on both databases: the real queue, worker, ledger and router around a
//! scripted plugin runtime.

mod api;
mod audit;
mod batches;
mod budgets;
mod canaries;
mod cash;
mod connections_mapping;
mod connections_settings;
mod coverage;
mod doors;
mod faults;
mod finance;
mod idempotency;
mod labels;
mod lists;
mod live;
mod order_payments;
mod orphans;
mod pages;
mod passes;
mod posting;
mod public_address;
mod pulse;
mod rates;
mod replays;
mod requests;
mod support;
mod support_documents;
mod syncs;
mod upgrades;
mod uploads;
mod waits;
