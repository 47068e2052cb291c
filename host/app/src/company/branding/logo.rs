//! A picture that somebody brings: PNG, JPEG or WebP, told by its bytes and never by its name. It is taken apart and written
//! anew of the parts that make the picture: no text, no position where it was taken, no second file behind its end.
//!
//! Nothing is decoded: what the picture shows is the browser's to draw. SVG is refused: it is a document that runs.

/// A logo is small; a photograph is no logo.
pub const LARGEST_BYTES: usize = 256 << 10;
const LONGEST_SIDE: u32 = 2_048;

const PNG_BEGINS: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What a picture needs: its head, palette, transparency, colours' meaning, and itself.
const PNG_PARTS: [&[u8; 4]; 7] = [b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"IDAT", b"IEND"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoKind {
    Png,
    Jpeg,
    WebP,
}

impl LogoKind {
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::WebP];

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    /// By its media type, as it is stored.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.content_type() == name)
    }
}

/// A picture that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    pub kind: LogoKind,
    pub bytes: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Why a file is no logo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    #[error("a logo has at most 256 kB: make the picture smaller")]
    TooLarge,
    #[error("this is no PNG, JPEG or WebP: save the picture as one of them")]
    Unknown,
    #[error("the picture is damaged, or holds more than a picture: save it anew")]
    Damaged,
    #[error("a logo has at most 2048 pixels on each side: make the picture smaller")]
    TooManyPixels,
    #[error("a logo does not move: save one picture of it")]
    Animated,
}

impl Logo {
    pub fn read(bytes: &[u8]) -> Result<Self, LogoError> {
        if bytes.len() > LARGEST_BYTES {
            return Err(LogoError::TooLarge);
        }
        let logo = if bytes.starts_with(PNG_BEGINS) {
            read_png(bytes)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            read_jpeg(bytes)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            read_webp(bytes)
        } else {
            Err(LogoError::Unknown)
        }?;
        let fits = |side: u32| (1..=LONGEST_SIDE).contains(&side);
        if fits(logo.width) && fits(logo.height) { Ok(logo) } else { Err(LogoError::TooManyPixels) }
    }
}

fn read_png(bytes: &[u8]) -> Result<Logo, LogoError> {
    let (mut rest, mut kept) = (&bytes[PNG_BEGINS.len()..], PNG_BEGINS.to_vec());
    let mut sides = None;
    loop {
        let length = u32_at(rest, 0).ok_or(LogoError::Damaged)?;
        let whole = usize::try_from(length).ok().and_then(|length| length.checked_add(12));
        let (chunk, behind) =
            whole.and_then(|whole| rest.split_at_checked(whole)).ok_or(LogoError::Damaged)?;
        let kind = &chunk[4..8];
        match kind {
            b"acTL" => return Err(LogoError::Animated),
            b"IHDR" if sides.is_none() && length == 13 => {
                sides = u32_at(chunk, 8).zip(u32_at(chunk, 12));
            }
            // Every picture begins with its head, and has one.
            b"IHDR" => return Err(LogoError::Damaged),
            _ if sides.is_none() => return Err(LogoError::Damaged),
            _ => {}
        }
        if PNG_PARTS.iter().any(|part| *part == kind) {
            kept.extend_from_slice(chunk);
        }
        rest = behind;
        if kind == b"IEND" {
            break;
        }
    }
    let (width, height) = sides.filter(|_| rest.is_empty()).ok_or(LogoError::Damaged)?;
    Ok(Logo { kind: LogoKind::Png, bytes: kept, width, height })
}

fn read_jpeg(bytes: &[u8]) -> Result<Logo, LogoError> {
    let (mut at, mut kept, mut sides) = (2, bytes[..2].to_vec(), None);
    loop {
        let &[0xff, marker] = bytes.get(at..at + 2).ok_or(LogoError::Damaged)? else {
            return Err(LogoError::Damaged);
        };
        if marker == 0xd9 {
            kept.extend_from_slice(&[0xff, marker]);
            at += 2;
            break;
        }
        let length = usize::from(u16_at(bytes, at + 2).ok_or(LogoError::Damaged)?);
        let segment = bytes.get(at..at + 2 + length).filter(|_| length >= 2).ok_or(LogoError::Damaged)?;
        at += segment.len();
        match marker {
            // Baseline, extended, progressive: what browsers draw.
            0xc0..=0xc2 if sides.is_none() => {
                let side = |from| u16_at(segment, from).map(u32::from);
                sides = Some(side(7).zip(side(5)).ok_or(LogoError::Damaged)?);
                kept.extend_from_slice(segment);
            }
            // Tables, restarts, the heads of JFIF and of Adobe, which says what the colours mean.
            0xc4 | 0xdb | 0xdd | 0xe0 | 0xee => kept.extend_from_slice(segment),
            0xda if sides.is_some() => {
                kept.extend_from_slice(segment);
                let end = end_of_scan(bytes, at).ok_or(LogoError::Damaged)?;
                kept.extend_from_slice(&bytes[at..end]);
                at = end;
            }
            // Where and with what it was taken, notes, thumbnails, profiles.
            0xe1..=0xef | 0xfe => {}
            _ => return Err(LogoError::Damaged),
        }
    }
    let (width, height) = sides.filter(|_| at == bytes.len()).ok_or(LogoError::Damaged)?;
    Ok(Logo { kind: LogoKind::Jpeg, bytes: kept, width, height })
}

/// Where the drawing ends: at the next marker that is neither a restart nor an escaped byte.
fn end_of_scan(bytes: &[u8], from: usize) -> Option<usize> {
    let drawn = bytes.get(from..)?;
    let marks = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7);
    drawn.windows(2).position(marks).map(|end| from + end)
}

fn read_webp(bytes: &[u8]) -> Result<Logo, LogoError> {
    let said = u32_le_at(bytes, 4).and_then(|length| usize::try_from(length).ok());
    if said.and_then(|said| said.checked_add(8)) != Some(bytes.len()) {
        return Err(LogoError::Damaged);
    }
    let (mut rest, mut kept) = (&bytes[12..], Vec::new());
    let (mut canvas, mut drawn) = (None, None);
    while !rest.is_empty() {
        let length = u32_le_at(rest, 4).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(LogoError::Damaged)?;
        let whole = length.checked_add(8 + length % 2).ok_or(LogoError::Damaged)?;
        let (chunk, behind) = rest.split_at_checked(whole).ok_or(LogoError::Damaged)?;
        rest = behind;
        let body = &chunk[8..8 + length];
        match &chunk[..4] {
            b"VP8X" if canvas.is_none() && drawn.is_none() && length == 10 => {
                if body[0] & 0x02 != 0 {
                    return Err(LogoError::Animated);
                }
                let side =
                    |from: usize| 1 + u32::from_le_bytes([body[from], body[from + 1], body[from + 2], 0]);
                canvas = Some((side(4), side(7)));
                kept.extend_from_slice(chunk);
                let flags = kept.len() - body.len();
                // Of what it says to hold, only transparency is kept.
                kept[flags] &= 0x10;
            }
            b"ALPH" if canvas.is_some() && drawn.is_none() => kept.extend_from_slice(chunk),
            b"VP8 " if drawn.is_none() => {
                drawn = Some(lossy_sides(body).ok_or(LogoError::Damaged)?);
                kept.extend_from_slice(chunk);
            }
            b"VP8L" if drawn.is_none() => {
                drawn = Some(lossless_sides(body).ok_or(LogoError::Damaged)?);
                kept.extend_from_slice(chunk);
            }
            b"ANIM" | b"ANMF" => return Err(LogoError::Animated),
            b"ICCP" | b"EXIF" | b"XMP " => {}
            _ => return Err(LogoError::Damaged),
        }
    }
    let (width, height) = drawn.ok_or(LogoError::Damaged)?;
    if canvas.is_some_and(|canvas| canvas != (width, height)) {
        return Err(LogoError::Damaged);
    }
    let length = u32::try_from(kept.len() + 4).map_err(|_| LogoError::TooLarge)?;
    let head = [b"RIFF".as_slice(), &length.to_le_bytes(), b"WEBP"].concat();
    Ok(Logo { kind: LogoKind::WebP, bytes: [head, kept].concat(), width, height })
}

fn lossy_sides(body: &[u8]) -> Option<(u32, u32)> {
    let is_key_frame = body.first()? & 1 == 0;
    let begins = body.get(3..6)? == b"\x9d\x01\x2a";
    let side =
        |from: usize| Some(u32::from(u16::from_le_bytes([*body.get(from)?, *body.get(from + 1)?]) & 0x3fff));
    Some((side(6)?, side(8)?)).filter(|_| is_key_frame && begins)
}

fn lossless_sides(body: &[u8]) -> Option<(u32, u32)> {
    let bits = u32_le_at(body, 1).filter(|_| body[0] == 0x2f)?;
    Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
}

fn u16_at(bytes: &[u8], from: usize) -> Option<u16> {
    bytes.get(from..from + 2)?.try_into().ok().map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], from: usize) -> Option<u32> {
    bytes.get(from..from + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn u32_le_at(bytes: &[u8], from: usize) -> Option<u32> {
    bytes.get(from..from + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests;
