//! The field for a code of an authenticator, and the drawing that an authenticator reads.

use askama::Template;
use askama::filters::HtmlSafe;
use qrcodegen::{QrCode, QrCodeEcc};

const FROM_APP: &str = "Six digits, a new one every 30 seconds.";

/// One field for six digits: browsers fill it, keys and pasting work in it as in any other. A script takes spaces
/// out of what is pasted.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_code_field.html")]
pub struct CodeField {
    pub label: String,
    pub error: Option<String>,
    /// Whether the form is sent by the sixth digit: where nothing is lost by it.
    pub sends_itself: bool,
    pub focused: bool,
    pub help: &'static str,
}
impl HtmlSafe for CodeField {}

impl CodeField {
    pub fn new(label: impl Into<String>, error: Option<String>) -> Self {
        Self { label: label.into(), error, sends_itself: false, focused: false, help: FROM_APP }
    }

    /// From a mail, in the place of an authenticator.
    pub fn mailed(self) -> Self {
        Self { help: "Six digits. It works once.", ..self }
    }

    /// The one thing that its page is for.
    pub fn alone(self) -> Self {
        Self { sends_itself: true, focused: true, ..self }
    }
}

/// A text as a QR code, drawn as a path.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="qr" viewBox="0 0 {{ size }} {{ size }}" role="img" aria-label="QR code for an authenticator" shape-rendering="crispEdges"><rect width="{{ size }}" height="{{ size }}" class="qr-paper"></rect><path d="{{ path }}" class="qr-ink"></path></svg>"#
)]
pub struct QrDrawing {
    /// With the quiet zone around it.
    size: i32,
    path: String,
}
impl HtmlSafe for QrDrawing {}

/// Modules of paper around the code: without them it is not found.
const QUIET: i32 = 4;

impl QrDrawing {
    /// `None` where there is no text, or too much of it for any code.
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let start = x;
                while x < code.size() && code.get_module(x, y) {
                    x += 1;
                }
                if x > start {
                    let width = x - start;
                    path.push_str(&format!("M{} {}h{width}v1h-{width}z", start + QUIET, y + QUIET));
                }
                x += 1;
            }
        }
        Some(Self { size: code.size() + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_and_no_light_one() {
        let text = "otpauth://totp/Portolan:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Portolan";
        let drawing = QrDrawing::new(text).expect("short enough");
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).expect("short enough");
        let mut drawn = std::collections::BTreeSet::new();
        for run in drawing.path.split('z').filter(|run| !run.is_empty()) {
            let (place, rest) = run.trim_start_matches('M').split_once('h').expect("a run");
            let (x, y) = place.split_once(' ').expect("a place");
            let width: i32 = rest.split('v').next().and_then(|width| width.parse().ok()).expect("a width");
            let (x, y): (i32, i32) = (x.parse().expect("x"), y.parse().expect("y"));
            drawn.extend((x..x + width).map(|x| (x - QUIET, y - QUIET)));
        }
        for y in 0..code.size() {
            for x in 0..code.size() {
                assert_eq!(drawn.contains(&(x, y)), code.get_module(x, y), "{x} {y}");
            }
        }
        assert_eq!(drawing.size, code.size() + 8);
        assert!(QrDrawing::new(&"x".repeat(5_000)).is_none());
    }
}
