//! Rust text without its comments and without what stands in strings: rules about code must not stumble
//! over words that only speak about it.

/// The code alone. Everything else becomes spaces, so lines and columns stay where they are.
pub fn code_of(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        let end = match letters[at] {
            '/' if letters.get(at + 1) == Some(&'/') => end_of_line(&letters, at),
            '/' if letters.get(at + 1) == Some(&'*') => end_of_block_comment(&letters, at),
            '"' => end_of_string(&letters, at),
            'r' | 'b' | 'c' if !follows_a_word(&letters, at) => {
                end_of_marked_string(&letters, at).unwrap_or(at)
            }
            '\'' => end_of_char(&letters, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            code.push(letters[at]);
            at += 1;
        } else {
            code.extend(letters[at..end].iter().map(|letter| if *letter == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

fn follows_a_word(letters: &[char], at: usize) -> bool {
    at > 0 && (letters[at - 1].is_alphanumeric() || letters[at - 1] == '_')
}

fn end_of_line(letters: &[char], at: usize) -> usize {
    letters[at..].iter().position(|letter| *letter == '\n').map_or(letters.len(), |length| at + length)
}

/// Block comments nest.
fn end_of_block_comment(letters: &[char], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut place = at;
    while place < letters.len() {
        match (letters[place], letters.get(place + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                place += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                place += 2;
                if depth == 0 {
                    return place;
                }
            }
            _ => place += 1,
        }
    }
    letters.len()
}

fn end_of_string(letters: &[char], quote: usize) -> usize {
    let mut place = quote + 1;
    while place < letters.len() {
        match letters[place] {
            '\\' => place += 2,
            '"' => return place + 1,
            _ => place += 1,
        }
    }
    letters.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, `c"…"`; none of them: `None`.
fn end_of_marked_string(letters: &[char], at: usize) -> Option<usize> {
    let mut place = at;
    while matches!(letters.get(place), Some('r' | 'b' | 'c')) && place - at < 2 {
        place += 1;
    }
    let raw = letters[at..place].contains(&'r');
    let hashes = letters[place..].iter().take_while(|letter| **letter == '#').count();
    let quote = place + hashes;
    if letters.get(quote) != Some(&'"') || (hashes > 0 && !raw) {
        return None;
    }
    if !raw {
        return Some(end_of_string(letters, quote));
    }
    let closes = |place: &usize| {
        letters[*place] == '"'
            && letters[place + 1..].iter().take(hashes).filter(|letter| **letter == '#').count() == hashes
    };
    Some((quote + 1..letters.len()).find(closes).map_or(letters.len(), |place| place + 1 + hashes))
}

/// A character literal; a lifetime is none.
fn end_of_char(letters: &[char], at: usize) -> Option<usize> {
    if letters.get(at + 1) == Some(&'\\') {
        let close = letters[at + 3..].iter().take(12).position(|letter| *letter == '\'')?;
        return Some(at + 3 + close + 1);
    }
    (letters.get(at + 2) == Some(&'\'')).then_some(at + 3)
}
