//! The few options of the commands; a parser crate would cost more to compile than all of them.

use std::collections::VecDeque;

use anyhow::{Context, Result, bail};

pub struct Arguments {
    words: VecDeque<String>,
}

impl Arguments {
    pub fn of_this_process() -> Self {
        Self { words: std::env::args().skip(1).collect() }
    }

    #[cfg(test)]
    pub fn of(words: &[&str]) -> Self {
        Self { words: words.iter().map(ToString::to_string).collect() }
    }

    /// The next word that is not an option.
    pub fn next_word(&mut self) -> Option<String> {
        if self.words.front()?.starts_with("--") { None } else { self.words.pop_front() }
    }

    /// `--name` without a value.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() != before
    }

    /// `--name value` or `--name=value`, the first of them.
    pub fn value(&mut self, name: &str) -> Result<Option<String>> {
        let with_sign = format!("{name}=");
        let Some(place) = self.words.iter().position(|word| word == name || word.starts_with(&with_sign))
        else {
            return Ok(None);
        };
        let word = self.words.remove(place).unwrap_or_default();
        if let Some(value) = word.strip_prefix(&with_sign) {
            return Ok(Some(value.to_owned()));
        }
        let value = self.words.remove(place).with_context(|| format!("{name} needs a value"))?;
        Ok(Some(value))
    }

    /// Every `--name value`, in order.
    pub fn values(&mut self, name: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        while let Some(value) = self.value(name)? {
            found.push(value);
        }
        Ok(found)
    }

    /// Nothing may be left over: a mistyped option must not be ignored.
    pub fn finish(self) -> Result<()> {
        match self.words.front() {
            Some(word) => bail!("{word} is not understood here; `cargo xtask` lists the commands"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    #[test]
    fn options_are_read_in_both_spellings() {
        let mut arguments =
            Arguments::of(&["query", "--json", "a.json", "--only=tidy", "--only", "fmt", "--reset"]);
        assert_eq!(arguments.next_word().as_deref(), Some("query"));
        assert_eq!(arguments.value("--json").unwrap().as_deref(), Some("a.json"));
        assert_eq!(arguments.values("--only").unwrap(), ["tidy", "fmt"]);
        assert!(arguments.flag("--reset"));
        arguments.finish().unwrap();
    }

    #[test]
    fn a_mistyped_option_is_an_error() {
        let mut arguments = Arguments::of(&["--prot", "8080"]);
        assert_eq!(arguments.value("--port").unwrap(), None);
        assert!(arguments.finish().is_err());
    }

    #[test]
    fn an_option_without_its_value_is_an_error() {
        assert!(Arguments::of(&["--port"]).value("--port").is_err());
    }
}
