//! The connector from outside: its manifest and queries against what is published, whole syncs
//! against the sandbox, recorded answers, faults, and orders mapped by hand.

mod bulk;
mod bulk_answers;
mod captures;
mod faults;
mod mapping;
mod paging;
mod published;
mod stock;
mod support;
mod sync;
