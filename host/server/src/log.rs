//! The log: one line for each thing that happened, on standard error.
//!
//! What a line quotes may come from outside: control characters are written as escapes, so that nobody begins a line of
//! their own or speaks to the terminal.

use std::fmt::{self, Debug, Write as _};
use std::io::IsTerminal as _;

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{self, Writer};

const FORM: &str = "PORTOLAN_LOG_FORM";

/// Writes what `PORTOLAN_LOG` asks for, as text or, with `PORTOLAN_LOG_FORM=json`, an object in each line.
pub fn start() {
    let filter = EnvFilter::try_from_env("PORTOLAN_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let form = std::env::var(FORM).unwrap_or_default();
    if form == "json" {
        return log.json().flatten_event(true).init();
    }
    let one_line = format::debug_fn(write_field).delimited(" ");
    log.fmt_fields(one_line).with_ansi(std::io::stderr().is_terminal()).init();
    if !form.is_empty() && form != "text" {
        tracing::warn!("{FORM} is neither text nor json: text is written");
    }
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    write!(OneLine(writer), "{value:?}")
}

/// Passes text on with its control characters as escapes.
struct OneLine<'a, 'b>(&'a mut Writer<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(char::is_control) {
            let (clean, with_control) = rest.split_at(at);
            let mut chars = with_control.chars();
            let control = chars.next().map(char::escape_default);
            self.0.write_str(clean)?;
            control.into_iter().flatten().try_for_each(|escaped| self.0.write_char(escaped))?;
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn nothing_quoted_begins_a_line_or_speaks_to_the_terminal() {
        let kept = Kept::default();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(kept.clone())
            .fmt_fields(format::debug_fn(write_field).delimited(" "))
            .finish();
        tracing::subscriber::with_default(log, || {
            let planted = "gone\r\n2026-01-01 ERROR all is lost \u{1b}[31mred\u{9b}31m";
            tracing::warn!(error = %planted, user.id = 7, "quoted: {planted}");
        });
        let bytes = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(bytes).expect("text");
        let line = text.strip_suffix('\n').expect("a line");
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.contains("error=gone\\r\\n2026") && line.contains("user.id=7"), "{line}");
        assert!(line.contains("quoted: gone\\r\\n2026"), "{line}");
    }
}
