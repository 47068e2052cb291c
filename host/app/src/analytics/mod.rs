//! Questions over the metric catalogue: the JSON API, and the command line's way of asking.

pub mod api;
pub mod question;
