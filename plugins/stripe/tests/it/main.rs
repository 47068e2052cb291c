//! The connector from outside: its manifest and requests against what is published, whole syncs against the sandbox,
//! published objects of two generations, faults, warehouse tables, and movements mapped by hand.

mod faults;
mod fixtures;
mod late;
mod live;
mod mapping;
mod published;
mod seeds;
mod support;
mod sync;
