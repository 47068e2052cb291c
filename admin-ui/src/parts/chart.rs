//! A chart on a page: the server's drawing at first paint, its data for the interactive one, and the
//! same numbers as a table and in words.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

/// Markup that goes into a page unescaped: the one bypass of the templates' escaping.
///
/// Made only from the output of the chart renderer, which escapes every label it is given and whose
/// drawing carries neither scripts nor style attributes. The constructor still refuses what does not
/// look like one such drawing, so that a mistake shows nothing rather than something dangerous.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SafeSvg(String);

impl SafeSvg {
    /// The drawing; nothing if it is not a single `<svg>` element free of scripts, handlers, styles
    /// and links to elsewhere.
    pub fn from_chart(svg: String) -> Self {
        let lower = svg.to_ascii_lowercase();
        let one_element = lower.starts_with("<svg") && lower.trim_end().ends_with("</svg>");
        let forbidden = ["<script", "<foreignobject", "<iframe", "<style", " style=", "href=", "<!"];
        let handler = tags(&lower)
            .any(|tag| tag.split_ascii_whitespace().any(|word| word.starts_with("on") && word.contains('=')));
        if !one_element || handler || tags(&lower).any(|tag| forbidden.iter().any(|word| tag.contains(word)))
        {
            return Self::default();
        }
        Self(svg)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every `<…` up to its `>`. Text content is not looked into: it may say anything.
fn tags(markup: &str) -> impl Iterator<Item = &str> {
    markup.match_indices('<').map(|(start, _)| {
        let rest = &markup[start..];
        rest.find('>').map_or(rest, |end| &rest[..end])
    })
}

impl fmt::Display for SafeSvg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl HtmlSafe for SafeSvg {}
impl askama::FastWritable for SafeSvg {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        dest.write_str(&self.0)?;
        Ok(())
    }
}

/// The numbers behind a chart, formatted in full. The first column is what the rows are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartTableView {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A chart with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_chart.html")]
pub struct ChartView {
    /// Unique on the page; letters, digits and hyphens.
    pub id: String,
    /// The question.
    pub title: String,
    /// Its filters.
    pub subtitle: String,
    /// What the chart shows, in a sentence or two.
    pub summary: String,
    /// Drawn at [`ChartView::WIDE`]; the space on the page has the same shape.
    pub svg: SafeSvg,
    /// For phones, drawn at [`ChartView::NARROW`]; the wide one is scaled down where absent.
    pub svg_narrow: Option<SafeSvg>,
    /// The chart's specification as JSON, for the interactive chart; empty for none.
    pub spec_json: String,
    pub table: ChartTableView,
}
impl HtmlSafe for ChartView {}

impl ChartView {
    /// Width and height of [`ChartView::svg`], in pixels.
    pub const WIDE: (u32, u32) = (560, 260);
    /// Width and height of [`ChartView::svg_narrow`].
    pub const NARROW: (u32, u32) = (340, 240);
}
