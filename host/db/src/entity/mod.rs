//! One file per table: what a row holds, in the words of the domain. Ids are UUIDs, instants are
//! microseconds, dates are days, money is minor units, JSON is text.

pub mod cash_event;
pub mod chunk;
pub mod connection;
pub mod connection_secret;
pub mod document;
pub mod document_version;
pub mod egress_grant;
pub mod fact_part;
pub mod fx_rate;
pub mod idempotency_key;
pub mod job;
pub mod job_attempt;
pub mod lane;
pub mod ledger_head;
pub mod membership;
pub mod plugin;
pub mod plugin_switch;
pub mod posting;
pub mod product_label;
pub mod quarantine;
pub mod rate_budget;
pub mod replay;
pub mod sale_event;
pub mod schedule;
pub mod session;
pub mod shadow_replay;
pub mod sign_in_link;
pub mod slice;
pub mod stream;
pub mod sync;
pub mod tenant;
pub mod tenant_key;
pub mod upload;
pub mod user;
pub mod version_source;
