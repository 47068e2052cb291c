//! One specification of a chart, from which everything that shows it is made: the SVG of the first
//! paint, of mails and documents ([`ChartRenderer`]); the interactive chart in the browser
//! ([`ChartSpec::to_json`]); the table ([`ChartSpec::table`]) and the sentence for screen readers
//! ([`ChartSpec::summary`]). The small line beside a figure is a [`Sparkline`].
//!
//! Server and browser run the same drawing code (ECharts), so nothing jumps when the interactive
//! chart takes over. The caller hands the script in; this crate knows no page.

mod fit;
mod memory;
mod renderer;
mod sparkline;
mod spec;
mod words;

pub use fit::MOST_MARKS;
pub use renderer::{ChartError, ChartRenderer, Theme};
pub use sparkline::Sparkline;
pub use spec::{Category, ChartKind, ChartSpec, Role, Series, Unit};
pub use words::ChartTable;

#[cfg(test)]
mod tests;
