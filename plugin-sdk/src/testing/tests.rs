//! Facts about this module.
