//! Words that channels and connectors tell things by.

/// The word without case and separators, in which channels differ: `needs-response`.
pub(crate) fn plain(word: &str) -> String {
    word.trim().to_ascii_lowercase().replace(['_', ' '], "-")
}
