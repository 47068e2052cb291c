//! One calendar for tables, charts, filters and exports.
//!
//! Two settings, two owners. A *store* has a zone and a day cut-over: together they say on which
//! [business date](StoreCalendar::business_date) something happened; it is computed once, when it is
//! posted. A *tenant* has a first day of the week and of the fiscal year: together they say how
//! business dates form [weeks, months, quarters and years](TenantCalendar). Everything after posting
//! works on dates alone, so no later step can disagree about a zone.
//!
//! Ranges are half-open: [`DateRange`] holds `from` and every day before `until`.

mod grain;
mod range;
mod relative;
mod store;
mod zone;

pub use grain::{Bucket, Grain, InvalidFiscalMonth, TenantCalendar, UnknownGrain, UnknownWeekday, Weekday};
pub use range::DateRange;
pub use relative::{Comparison, RelativeRange, UnknownRange};
pub use store::{CalendarError, StoreCalendar};

#[cfg(test)]
mod tests;
