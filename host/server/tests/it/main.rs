//! Stories of the product as a whole, told through its binary: everything is real but the channel,
//! which is a sandbox or a file.

#![expect(clippy::print_stdout, reason = "a story that is left out says so")]

mod cassettes;
mod crash;
mod database_away;
mod disk_full;
mod erased;
mod keys;
mod paused_worker;
mod payments;
mod retail;
mod shop;
mod small_disk;
mod stopped;
mod support;
mod till;
mod two_servers;
mod visitor;
