//! Store calendars, grains and ranges.
