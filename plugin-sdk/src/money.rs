//! Exact money and decimals. Nothing here rounds unless its name says so, and nothing is a float.

use std::fmt;

use crate::error::BadValue;
use crate::{Decimal, Minor};

/// Digits after the point that a decimal may have; more is an error, not a rounding.
const LARGEST_SCALE: u8 = 18;

/// The exact decimal that a text spells: `-12.50`, `3`, `1e3`. Trailing zeros are dropped, so that
/// the same number is the same document however it is spelt.
pub fn decimal(text: &str) -> Result<Decimal, BadValue> {
    match plain(text) {
        Some(plain) => Ok(plain.shortest()),
        None => any_decimal(text),
    }
}

/// A number as nearly every channel writes it: an optional minus, and at most 18 digits, one of which
/// may be a point. Numbers of 128 bits are slow in WebAssembly, and these need none.
#[derive(Clone, Copy)]
struct Plain {
    unscaled: i64,
    scale: u8,
}

/// So many digits fit into 64 bits, whatever they are.
const PLAIN_DIGITS: usize = 18;

const POWERS: [i64; PLAIN_DIGITS + 1] = {
    let mut powers = [1; PLAIN_DIGITS + 1];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

fn plain(text: &str) -> Option<Plain> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > PLAIN_DIGITS {
        return None;
    }
    let (mut unscaled, mut scale, mut point) = (0_i64, 0_u8, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                unscaled = unscaled * 10 + i64::from(byte - b'0');
                scale += u8::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    let has_digits = digits.len() > usize::from(point);
    has_digits.then(|| Plain { unscaled: if negative { -unscaled } else { unscaled }, scale })
}

impl Plain {
    fn shortest(self) -> Decimal {
        let Self { mut unscaled, mut scale } = self;
        while scale > 0 && unscaled % 10 == 0 {
            unscaled /= 10;
            scale -= 1;
        }
        Decimal { unscaled, scale }
    }

    /// The number at this scale, where no digit is lost and it fits.
    fn at_scale(self, scale: u8) -> Option<i64> {
        if scale >= self.scale {
            return self.unscaled.checked_mul(*POWERS.get(usize::from(scale - self.scale))?);
        }
        let divisor = *POWERS.get(usize::from(self.scale - scale))?;
        (self.unscaled % divisor == 0).then(|| self.unscaled / divisor)
    }
}

fn any_decimal(text: &str) -> Result<Decimal, BadValue> {
    let bad = || BadValue::new(format!("{:?} is not a decimal number", shortened(text)));
    let trimmed = text.trim();
    let (mantissa, exponent) = match trimmed.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
        None => (trimmed, 0),
    };
    let (negative, digits) = match mantissa.as_bytes().first() {
        Some(b'-') => (true, &mantissa[1..]),
        Some(b'+') => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(bad());
    }
    let mut unscaled: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        unscaled = unscaled
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_add(i128::from(digit - b'0')))
            .ok_or_else(|| too_large(text))?;
    }
    let scale = i64::try_from(fraction.len()).map_err(|_| bad())? - i64::from(exponent);
    exact(if negative { -unscaled } else { unscaled }, scale).ok_or_else(|| too_large(text))
}

/// The amount in minor units of the currency. More digits than the currency has are an error:
/// `1.005` is no amount of USD, and which way to round it is not ours to guess.
pub fn minor(text: &str, currency: &str) -> Result<Minor, BadValue> {
    if let Some(amount) = plain(text).and_then(|plain| plain.at_scale(exponent(currency))) {
        return Ok(amount);
    }
    minor_of(decimal(text)?, currency)
}

/// The same for a decimal.
pub fn minor_of(amount: Decimal, currency: &str) -> Result<Minor, BadValue> {
    from_scaled(amount.unscaled, amount.scale, currency)
}

/// An amount that the channel sends as an integer at a scale of its own choosing: Stripe keeps ISK
/// at two digits although ISO 4217 says none, so `from_scaled(100, 2, "ISK")` is 1 króna.
pub fn from_scaled(amount: i64, scale: u8, currency: &str) -> Result<Minor, BadValue> {
    let digits = exponent(currency);
    rescaled(amount.into(), scale, digits).and_then(|minor| i64::try_from(minor).ok()).ok_or_else(|| {
        let amount = Decimal { unscaled: amount, scale };
        BadValue::new(format!("{amount} {currency} is not exact in its {digits} digits, or too large"))
    })
}

/// `quantity` × `unit_price`, rounded once to minor units, half away from zero: what a till does
/// with each row it prints.
pub fn rounded_product(quantity: Decimal, unit_price: Decimal, currency: &str) -> Result<Minor, BadValue> {
    let product = i128::from(quantity.unscaled) * i128::from(unit_price.unscaled);
    round(product, u32::from(quantity.scale) + u32::from(unit_price.scale), currency)
}

/// A decimal rounded to minor units, half away from zero.
pub fn rounded_minor(amount: Decimal, currency: &str) -> Result<Minor, BadValue> {
    round(amount.unscaled.into(), amount.scale.into(), currency)
}

fn round(unscaled: i128, scale: u32, currency: &str) -> Result<Minor, BadValue> {
    let overflow = || BadValue::new(format!("an amount of {currency} is too large"));
    let digits = u32::from(exponent(currency));
    let rounded = if scale <= digits {
        unscaled.checked_mul(power_of_ten(digits - scale).ok_or_else(overflow)?).ok_or_else(overflow)?
    } else {
        let divisor = power_of_ten(scale - digits).ok_or_else(overflow)?;
        let (quotient, remainder) = (unscaled / divisor, unscaled % divisor);
        let away = if remainder.abs() * 2 >= divisor { unscaled.signum() } else { 0 };
        quotient + away
    };
    i64::try_from(rounded).map_err(|_| overflow())
}

/// Digits of the minor unit by ISO 4217: 0, 2, 3 or 4.
pub fn exponent(currency: &str) -> u8 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// The text as a currency code of ISO 4217 (or `X-` and a provider's code).
pub fn currency(text: &str) -> Result<String, BadValue> {
    let code = text.trim().to_ascii_uppercase();
    let iso = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let provider = code.len() <= 12
        && code.strip_prefix("X-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        });
    if iso || provider {
        return Ok(code);
    }
    Err(BadValue::new(format!("{:?} is not a currency code", shortened(text))))
}

impl Decimal {
    pub const fn new(unscaled: i64, scale: u8) -> Self {
        Self { unscaled, scale }
    }

    pub const fn whole(number: i64) -> Self {
        Self { unscaled: number, scale: 0 }
    }

    /// The number without its sign; `None` for the one number that has no positive.
    pub fn absolute(self) -> Option<Self> {
        Some(Self { unscaled: self.unscaled.checked_abs()?, scale: self.scale })
    }

    /// The sum; `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let left = rescaled(self.unscaled.into(), self.scale, scale)?;
        let right = rescaled(other.unscaled.into(), other.scale, scale)?;
        exact(left.checked_add(right)?, scale.into())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.unscaled.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() {
            write!(formatter, "{sign}{whole}")
        } else {
            write!(formatter, "{sign}{whole}.{fraction}")
        }
    }
}

/// The shortest spelling of `unscaled` × 10^-`scale`, where it fits.
fn exact(unscaled: i128, scale: i64) -> Option<Decimal> {
    let (mut unscaled, mut scale) = (unscaled, scale);
    if unscaled == 0 {
        return Some(Decimal::whole(0));
    }
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    if scale < 0 {
        unscaled = unscaled.checked_mul(power_of_ten(u32::try_from(-scale).ok()?)?)?;
        scale = 0;
    }
    let scale = u8::try_from(scale).ok().filter(|scale| *scale <= LARGEST_SCALE)?;
    Some(Decimal { unscaled: i64::try_from(unscaled).ok()?, scale })
}

/// The same number at another scale; `None` when digits would be lost or it does not fit.
fn rescaled(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return unscaled.checked_mul(power_of_ten(u32::from(to - from))?);
    }
    let divisor = power_of_ten(u32::from(from - to))?;
    (unscaled % divisor == 0).then_some(unscaled / divisor)
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

fn too_large(text: &str) -> BadValue {
    BadValue::new(format!("{:?} has more digits than an exact decimal can hold", shortened(text)))
}

pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
