//! The pages of Portolan: view structs, their templates, and the bundled scripts and styles.
//!
//! A page is a struct in [`pages`] whose fields are display values: text that is already worded and
//! formatted ([`format`]). The application fills it and calls `render()`; nothing in here asks a
//! database, reads a clock or decides who may see what.
//!
//! Parts that many pages share ([`parts`]) are small templates themselves. They escape their own
//! content, so a page writes `{{ row.started }}` and gets escaped, well-formed HTML. The only type
//! that passes markup through unescaped is [`parts::SafeSvg`].

pub mod assets;
pub mod format;
pub mod pages;
pub mod parts;

pub use askama::Template;
