//! The bundled scripts and styles, embedded at build time from `dist/`.
//!
//! File names carry a hash of their content, so they can be cached for ever.

/// One embedded file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Name in the address: `app-1A2B3C4D.css`.
    pub file: &'static str,
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets_table.rs"));

/// The script that draws charts in-process; handed to the chart renderer, never to a browser.
pub const CHARTS_SERVER: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/dist/charts-server.js"));

/// The file behind `/assets/{file}`.
pub fn find(file: &str) -> Option<&'static Asset> {
    FILES.iter().find(|asset| asset.file == file)
}

/// Every file that may be asked for.
pub fn all() -> &'static [Asset] {
    FILES
}

/// The address of a file by its logical name (`app.css`); a name that is not bundled gives an address
/// that is not found, and a test visits every name that templates use.
pub(crate) fn url(logical: &str) -> &'static str {
    URLS.iter().find(|(name, _)| *name == logical).map_or("/assets/missing", |(_, url)| url)
}
