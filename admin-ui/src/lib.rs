//! The pages of Portolan: view structs, their templates, and the bundled scripts and styles.
//!
//! A page is a struct in [`pages`] whose fields are display values: text that is already worded and
//! formatted ([`format`]). The application fills it and calls `render()`; nothing in here asks a
//! database, reads a clock or decides who may see what.
//!
//! Parts that many pages share ([`parts`]) are small templates themselves. They escape their own
//! content, so a page writes `{{ row.started }}` and gets escaped, well-formed HTML. The only type
//! that passes markup through unescaped is [`parts::SafeSvg`].
//!
//! What pages rely on when scripts run:
//! - a request with `HX-Request: true` to a live page's address is answered by its `…Body` alone;
//! - `GET /events` sends `event: sync` with `{"id": SYNC_ID}` when a sync moved, and `event: data` with
//!   `{"version": N}` when new data stands;
//! - `/assets/{file}` answers with [`assets::find`]; names carry a hash, so they never expire;
//! - the content security policy may be `script-src 'self'; style-src 'self'; img-src 'self' data:;
//!   connect-src 'self'`: no page has inline scripts, styles or handlers.

pub mod assets;
pub mod format;
pub mod mails;
pub mod pages;
pub mod parts;

pub use askama::Template;
