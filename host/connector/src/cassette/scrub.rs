//! Takes what is personal out of a recording: once over all of it to learn the values, once more to replace them.

use super::json::Json;
use super::personal::{Kind, found_in, is_name_of_person, kind_of, plain};
use super::pseudonyms::Pseudonyms;
use super::{Body, Cassette};

/// JSON inside of a text, inside of a text, …
const DEEPEST_TEXT: usize = 4;

/// Members whose words are the channel's own: a person may be called like one of them.
const WORDS_OF_THE_CHANNEL: [&str; 9] =
    ["typename", "type", "object", "kind", "status", "state", "currency", "currencycode", "countrycode"];

pub(super) fn scrub(mut cassette: Cassette) -> Cassette {
    let mut known = Pseudonyms::default();
    walk(&mut cassette, &mut |kind, value| {
        if let Some(kind) = kind {
            known.note(kind, value);
        }
        None
    });
    walk(&mut cassette, &mut |kind, value| match kind {
        Some(kind) => known.of(kind, value),
        None => known.replace_elsewhere(value),
    });
    cassette
}

/// Shows each value with its kind, and each text as a whole with none; puts what it is given in their place.
type Visit<'a> = dyn FnMut(Option<Kind>, &str) -> Option<String> + 'a;

fn walk(cassette: &mut Cassette, visit: &mut Visit<'_>) {
    let mut walker = Walker { visit, within: Vec::new(), deep: 0 };
    walker.json(&mut cassette.config, None);
    for take in &mut cassette.takes {
        if let Some(partition) = &mut take.partition {
            for text in [&mut partition.key, &mut partition.label, &mut partition.data] {
                walker.text(text, None);
            }
        }
        for exchange in &mut take.exchanges {
            walker.text(&mut exchange.request.url, None);
            walker.body(&mut exchange.request.body);
            for (name, value) in &mut exchange.response.headers {
                let kind = kind_of(name, &[], &[]);
                walker.text(value, kind);
            }
            walker.body(&mut exchange.response.body);
        }
    }
}

struct Walker<'a> {
    visit: &'a mut Visit<'a>,
    /// Members around the present one, the nearest last, in their plain spelling.
    within: Vec<String>,
    deep: usize,
}

impl Walker<'_> {
    fn body(&mut self, body: &mut Body) {
        match body {
            Body::Empty => {}
            Body::Json(json) => self.json(json, None),
            Body::Lines(lines) => lines.iter_mut().for_each(|line| self.json(line, None)),
            Body::Text(text) => self.text(text, None),
        }
    }

    /// `kind` is what the member says that holds it.
    fn json(&mut self, json: &mut Json, kind: Option<Kind>) {
        match json {
            Json::Null | Json::Bool(_) => {}
            Json::Number(digits) => {
                let Some(kind) = kind else { return };
                if let Some(replaced) = (self.visit)(Some(kind), digits) {
                    // Whatever reads a number finds one: of a name that is a number, its own.
                    let number =
                        if kind == Kind::Coordinate { "0.0".to_owned() } else { digits_of(&replaced) };
                    *digits = number;
                }
            }
            Json::Text(text) => self.text(text, kind),
            Json::List(entries) => entries.iter_mut().for_each(|entry| self.json(entry, kind)),
            Json::Members(members) => {
                let siblings: Vec<String> = members.iter().map(|(name, _)| plain(name)).collect();
                for (name, value) in members {
                    let inherited = kind.filter(|_| ["value", "number", "text"].contains(&name.as_str()));
                    let own = kind_of(name, &self.within, &siblings).or(inherited);
                    let spoken = matches!(value, Json::Text(text) if is_name_of_person(name, text));
                    self.within.push(plain(name));
                    match value {
                        Json::Text(text) if is_program(name, text) => self.program(text),
                        _ => self.json(value, own.or(spoken.then_some(Kind::Name))),
                    }
                    self.within.pop();
                    // A list by mail address has its readers' addresses for names.
                    self.shapes(name);
                }
            }
        }
    }

    fn text(&mut self, text: &mut String, kind: Option<Kind>) {
        if text.trim().is_empty() || self.json_in(text) {
            return;
        }
        let whole = found_in(text).into_iter().find(|(place, _)| *place == (0..text.len()));
        // What it is counts for more than what its member is called: a name may be a mail address.
        if let Some(kind) = whole.map(|(_, kind)| kind).or(kind) {
            if let Some(replaced) = (self.visit)(Some(kind), text) {
                *text = replaced;
            }
            return;
        }
        self.shapes(text);
        let is_word = !text.contains(char::is_whitespace);
        let holder = self.within.last().map_or("", String::as_str);
        if is_word && WORDS_OF_THE_CHANNEL.contains(&holder) {
            return;
        }
        if let Some(replaced) = (self.visit)(None, text) {
            *text = replaced;
        }
    }

    /// What shows by itself what it is.
    fn shapes(&mut self, text: &mut String) {
        // In the order in which they stand, so that they are numbered so.
        let mut replaced: Vec<_> = Vec::new();
        for (place, kind) in found_in(text) {
            replaced.extend((self.visit)(Some(kind), &text[place.clone()]).map(|by| (place, by)));
        }
        for (place, by) in replaced.into_iter().rev() {
            text.replace_range(place, &by);
        }
    }

    /// A GraphQL document is the plugin's own text: changed by a word, the plugin would not find its answer again.
    /// Only what stands in quotes can be somebody's.
    fn program(&mut self, text: &mut String) {
        let mut parts: Vec<String> = text.split('"').map(str::to_owned).collect();
        parts.iter_mut().skip(1).step_by(2).for_each(|literal| self.text(literal, None));
        *text = parts.join("\"");
    }

    /// Whether the text is JSON of its own; then it was walked, and written anew where something was replaced.
    fn json_in(&mut self, text: &mut String) -> bool {
        if self.deep >= DEEPEST_TEXT || !text.trim_start().starts_with(['{', '[']) {
            return false;
        }
        let Ok(before) = Json::parse(text) else { return false };
        let mut after = before.clone();
        self.deep += 1;
        self.json(&mut after, None);
        self.deep -= 1;
        if after != before
            && let Ok(written) = serde_json::to_string(&after)
        {
            *text = written;
        }
        true
    }
}

/// Whether it is a GraphQL document, and not JSON that begins alike.
fn is_program(name: &str, text: &str) -> bool {
    let begins = ["query", "mutation", "subscription", "fragment", "{"];
    name == "query"
        && text.contains('{')
        && begins.iter().any(|word| text.trim_start().starts_with(word))
        && Json::parse(text).is_err()
}

fn digits_of(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = digits.trim_start_matches('0');
    if number.is_empty() { "0".to_owned() } else { number.to_owned() }
}
