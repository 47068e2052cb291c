//! Policies: which rows and columns of the data are kept to some, what is known of people for them, and what somebody
//! sees by all of it. How they hold is in [`crate::web::seen`] and [`crate::channels::seen`].

pub mod api;
pub mod ops;
