//! A plugin runtime for tests of the slices.
