//! The colours of a brand, made of one that somebody has chosen: for each theme the nearest that can be read.
//!
//! A stylesheet holds what is computed here and nothing that was typed; its address names its content.

use std::fmt;
use std::str::FromStr;

use portolan_core::hex;
use sha2::{Digest, Sha256};

/// What WCAG 2.2 asks of text (1.4.3).
const READABLE: f64 = 4.5;

const WHITE: Accent = Accent([255, 255, 255]);
const BLACK: Accent = Accent([0, 0, 0]);
/// What text stands on, as `tokens.css` has it.
const LIGHT_GROUNDS: [Accent; 3] = [Accent([0xf6, 0xf7, 0xf9]), WHITE, Accent([0xee, 0xf1, 0xf4])];
const DARK_GROUNDS: [Accent; 4] = [
    Accent([0x0d, 0x13, 0x19]),
    Accent([0x14, 0x1c, 0x24]),
    Accent([0x1b, 0x25, 0x2f]),
    Accent([0x10, 0x17, 0x1e]),
];
const DARK_SURFACE: Accent = DARK_GROUNDS[1];
/// What stands on a filled button, dark theme.
const ON_DARK_ACCENT: Accent = Accent([0x08, 0x14, 0x1d]);

/// A colour in red, green and blue; written as six small hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent([u8; 3]);

/// The text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a colour in six hexadecimal digits, such as #0f5280")]
pub struct NotAColour;

impl FromStr for Accent {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let part = |from: usize| u8::from_str_radix(&digits[from..from + 2], 16).map_err(|_| NotAColour);
        Ok(Self([part(0)?, part(2)?, part(4)?]))
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "{red:02x}{green:02x}{blue:02x}")
    }
}

impl Accent {
    /// So much of the way to another colour, of a hundred.
    fn towards(self, other: Self, percent: u32) -> Self {
        let part = |from: u8, to: u8| {
            let mixed = u32::from(from) * (100 - percent) + u32::from(to) * percent;
            u8::try_from((mixed + 50) / 100).unwrap_or(u8::MAX)
        };
        let ([red, green, blue], [to_red, to_green, to_blue]) = (self.0, other.0);
        Self([part(red, to_red), part(green, to_green), part(blue, to_blue)])
    }

    /// Relative luminance, as WCAG defines it.
    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// From 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn is_readable_on(self, grounds: &[Self]) -> bool {
        grounds.iter().all(|ground| self.contrast(*ground) >= READABLE)
    }
}

/// What one theme uses of a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThemeColours {
    /// Links, and filled buttons.
    pub accent: Accent,
    /// The same, pointed at.
    pub strong: Accent,
    /// Behind what is chosen.
    pub soft: Accent,
    /// Text on a filled button.
    pub on_accent: Accent,
}

impl ThemeColours {
    fn can_be_read(&self, grounds: &[Accent]) -> bool {
        let texts = [self.accent, self.strong];
        texts.iter().all(|text| text.is_readable_on(grounds) && text.is_readable_on(&[self.soft]))
            && self.on_accent.is_readable_on(&texts)
    }

    /// The nearest of these that can be read. The last of them always can: black on white, or white on black.
    fn nearest(grounds: &[Accent], of: impl Fn(u32) -> Self) -> Self {
        (0..100).map(&of).find(|colours| colours.can_be_read(grounds)).unwrap_or_else(|| of(100))
    }

    pub fn light(chosen: Accent) -> Self {
        Self::nearest(&LIGHT_GROUNDS, |percent| {
            let accent = chosen.towards(BLACK, percent);
            let (strong, soft) = (accent.towards(BLACK, 25), WHITE.towards(accent, 10));
            Self { accent, strong, soft, on_accent: WHITE }
        })
    }

    pub fn dark(chosen: Accent) -> Self {
        Self::nearest(&DARK_GROUNDS, |percent| {
            let accent = chosen.towards(WHITE, percent);
            let (strong, soft) = (accent.towards(WHITE, 30), DARK_SURFACE.towards(accent, 15));
            Self { accent, strong, soft, on_accent: ON_DARK_ACCENT }
        })
    }
}

/// The stylesheet of a brand.
pub fn stylesheet(chosen: Accent) -> String {
    let (light, dark) = (ThemeColours::light(chosen), ThemeColours::dark(chosen));
    let token = |name: &str, light: Accent, dark: Accent| format!("--{name}:light-dark(#{light},#{dark});");
    format!(
        ":root{{{}{}{}{}}}\n",
        token("accent", light.accent, dark.accent),
        token("accent-strong", light.strong, dark.strong),
        token("accent-soft", light.soft, dark.soft),
        token("on-accent", light.on_accent, dark.on_accent),
    )
}

/// Where that stylesheet is: the chosen colour, and what its content hashes to.
pub fn style_address(chosen: Accent) -> String {
    format!("/brand/colours/{}", file_name(chosen))
}

fn file_name(chosen: Accent) -> String {
    let hash = Sha256::digest(stylesheet(chosen).as_bytes());
    format!("{chosen}-{}.css", hex(&hash[..8]))
}

/// The stylesheet behind the last part of such an address.
pub fn find_style(file: &str) -> Option<String> {
    let chosen: Accent = file.get(..6)?.parse().ok()?;
    (file == file_name(chosen)).then(|| stylesheet(chosen))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn whatever_colour_is_chosen_it_can_be_read_in_both_themes(parts: [u8; 3]) {
            let chosen = Accent(parts);
            let (light, dark) = (ThemeColours::light(chosen), ThemeColours::dark(chosen));
            for (colours, grounds) in [(light, &LIGHT_GROUNDS[..]), (dark, &DARK_GROUNDS[..])] {
                for text in [colours.accent, colours.strong] {
                    for ground in grounds.iter().copied().chain([colours.soft]) {
                        prop_assert!(text.contrast(ground) >= READABLE, "{chosen}: {text} on {ground}");
                    }
                    prop_assert!(colours.on_accent.contrast(text) >= READABLE, "{chosen}: on {text}");
                }
            }
        }

        #[test]
        fn a_stylesheet_is_found_by_its_own_name_alone(parts: [u8; 3], typed in ".{0,30}") {
            let chosen = Accent(parts);
            let name = file_name(chosen);
            prop_assert_eq!(find_style(&name), Some(stylesheet(chosen)));
            prop_assert_eq!(find_style(&typed), None);
            prop_assert_eq!(find_style(&name.to_uppercase()), None);
            prop_assert_eq!(chosen.to_string().parse(), Ok(chosen));
        }

        #[test]
        fn what_is_no_colour_never_becomes_part_of_a_stylesheet(typed in ".{0,12}") {
            if let Ok(colour) = typed.parse::<Accent>() {
                prop_assert_eq!(format!("#{colour}"), format!("#{}", typed.trim_start_matches('#').to_lowercase()));
            }
        }
    }

    #[test]
    fn a_colour_is_six_digits_and_nothing_more() {
        assert_eq!("#0F5280".parse::<Accent>().map(|colour| colour.to_string()), Ok("0f5280".to_owned())); // tidy: colour because a company chose it
        for wrong in [
            "",
            "#",
            "#fff",
            "red",
            "#0f528",
            "#0f52800",
            "0f5280;}",
            "#0f5280}*{",
            "url(x)",
            "+f5280",
            "０f5280",
            "##0f528",
        ] {
            assert_eq!(wrong.parse::<Accent>(), Err(NotAColour), "{wrong}");
        }
    }

    #[test]
    fn the_houses_own_colour_stays_as_it_is_and_contrast_is_the_standards() {
        let own: Accent = "#0f5280".parse().expect("a colour"); // tidy: colour because a company chose it
        assert_eq!(ThemeColours::light(own).accent, own);
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 1e-9);
        let grey: Accent = "#767676".parse().expect("a colour"); // tidy: colour because a company chose it
        assert!((grey.contrast(WHITE) - 4.54).abs() < 0.01, "{}", grey.contrast(WHITE));
    }
}
