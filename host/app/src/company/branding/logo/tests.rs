use proptest::prelude::*;

use super::*;

/// Where and by whom a picture was taken, and what runs if somebody takes it for a page.
const HIDDEN: &[u8] = b"<script>alert(1)</script> 52.5N 13.4E <?php";

fn png_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("small").to_be_bytes();
    // Nobody here looks at the sum.
    [&length[..], kind, body, &[1, 2, 3, 4]].concat()
}

fn png(width: u32, height: u32, further: &[Vec<u8>]) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let mut file = [PNG_BEGINS, &png_chunk(b"IHDR", &head)].concat();
    file.extend(further.concat());
    file.extend(png_chunk(b"IDAT", b"pixels"));
    file.extend(png_chunk(b"IEND", b""));
    file
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).expect("small").to_be_bytes();
    [&[0xff, marker][..], &length, body].concat()
}

fn jpeg(width: u16, height: u16, further: &[Vec<u8>]) -> Vec<u8> {
    let frame = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    let mut file = vec![0xff, 0xd8];
    file.extend(segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"));
    file.extend(further.concat());
    file.extend(segment(0xdb, &[0; 65]));
    file.extend(segment(0xc0, &frame));
    file.extend(segment(0xc4, &[0; 20]));
    file.extend(segment(0xda, &[1, 1, 0, 0, 63, 0]));
    file.extend([0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56, 0xff, 0xd9]);
    file
}

fn webp_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("small").to_le_bytes();
    let mut chunk = [&kind[..], &length, body].concat();
    if body.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WEBP".to_vec(), chunks.concat()].concat();
    let length = u32::try_from(body.len()).expect("small").to_le_bytes();
    [b"RIFF", &length[..], &body].concat()
}

fn lossless(width: u32, height: u32) -> Vec<u8> {
    let bits = (width - 1) | ((height - 1) << 14);
    webp_chunk(b"VP8L", &[&[0x2f][..], &bits.to_le_bytes(), b"pixels"].concat())
}

fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    webp_chunk(b"VP8X", &[vec![flags, 0, 0, 0], side(width), side(height)].concat())
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn a_picture_is_told_by_its_bytes_and_measured_by_its_head() {
    for (file, kind) in [
        (png(640, 480, &[]), LogoKind::Png),
        (jpeg(640, 480, &[]), LogoKind::Jpeg),
        (webp(&[lossless(640, 480)]), LogoKind::WebP),
        (webp(&[extended(0x10, 640, 480), lossless(640, 480)]), LogoKind::WebP),
    ] {
        let logo = Logo::read(&file).expect("a picture");
        assert_eq!((logo.kind, logo.width, logo.height), (kind, 640, 480));
        assert_eq!(logo.bytes, file, "nothing of a plain picture is lost");
        assert_eq!(LogoKind::of_name(kind.content_type()), Some(kind));
    }
    let lossy =
        [&[0, 0, 0, 0x9d, 0x01, 0x2a][..], &64_u16.to_le_bytes(), &32_u16.to_le_bytes(), b"xx"].concat();
    let logo = Logo::read(&webp(&[webp_chunk(b"VP8 ", &lossy)])).expect("a picture");
    assert_eq!((logo.width, logo.height), (64, 32));
}

#[test]
fn what_is_no_picture_is_refused_whatever_it_is_called() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for file in
        [&svg[..], b"<?xml version='1.0'?><svg/>", b"", b"GIF89a", b"%PDF-1.7", b"PK\x03\x04", b"BM", b"\x00"]
    {
        assert_eq!(Logo::read(file), Err(LogoError::Unknown));
    }
    assert_eq!(Logo::read(&vec![0; LARGEST_BYTES + 1]), Err(LogoError::TooLarge));
}

#[test]
fn nothing_but_the_picture_is_kept() {
    let further = [png_chunk(b"tEXt", HIDDEN), png_chunk(b"eXIf", HIDDEN), png_chunk(b"zzZz", HIDDEN)];
    let notes = [segment(0xe1, HIDDEN), segment(0xfe, HIDDEN), segment(0xe2, HIDDEN)];
    let chunks = [
        extended(0x3c, 8, 8),
        webp_chunk(b"ICCP", HIDDEN),
        lossless(8, 8),
        webp_chunk(b"EXIF", HIDDEN),
        webp_chunk(b"XMP ", HIDDEN),
    ];
    for file in [png(8, 8, &further), jpeg(8, 8, &notes), webp(&chunks)] {
        assert!(holds(&file, HIDDEN));
        let logo = Logo::read(&file).expect("a picture");
        assert!(!holds(&logo.bytes, HIDDEN), "{:?}", logo.kind);
        // And what is left is a picture that stays as it is.
        assert_eq!(Logo::read(&logo.bytes).as_ref(), Ok(&logo));
    }
}

#[test]
fn a_second_file_behind_the_picture_is_refused() {
    for mut file in [png(8, 8, &[]), jpeg(8, 8, &[]), webp(&[lossless(8, 8)])] {
        file.extend_from_slice(HIDDEN);
        assert_eq!(Logo::read(&file), Err(LogoError::Damaged));
    }
    // Nor is one hidden between, where a reader of pictures looks away.
    assert_eq!(Logo::read(&webp(&[lossless(8, 8), webp_chunk(b"JUNK", HIDDEN)])), Err(LogoError::Damaged));
    assert_eq!(Logo::read(&webp(&[lossless(8, 8), lossless(8, 8)])), Err(LogoError::Damaged));
}

#[test]
fn a_picture_that_takes_memory_when_it_is_drawn_is_refused() {
    for file in [
        png(2_049, 1, &[]),
        png(1, u32::MAX, &[]),
        png(0, 8, &[]),
        jpeg(u16::MAX, 8, &[]),
        jpeg(8, 0, &[]),
        webp(&[lossless(16_384, 8)]),
    ] {
        assert_eq!(Logo::read(&file), Err(LogoError::TooManyPixels));
    }
    // The canvas lies about what is drawn on it.
    assert_eq!(Logo::read(&webp(&[extended(0, 8, 8), lossless(16_384, 8)])), Err(LogoError::Damaged));
    assert_eq!(Logo::read(&webp(&[extended(0x02, 8, 8)])), Err(LogoError::Animated));
    assert_eq!(Logo::read(&png(8, 8, &[png_chunk(b"acTL", &[0; 8])])), Err(LogoError::Animated));
}

proptest! {
    #[test]
    fn a_picture_that_was_cut_or_changed_is_read_or_refused_and_nothing_else(
        which in 0..3_usize,
        cut in 0..200_usize,
        changes in prop::collection::vec((0..200_usize, any::<u8>()), 0..4),
    ) {
        let mut file = [png(8, 8, &[]), jpeg(8, 8, &[]), webp(&[extended(0, 8, 8), lossless(8, 8)])][which].clone();
        for (place, byte) in changes {
            if let Some(known) = file.get_mut(place) {
                *known = byte;
            }
        }
        file.truncate(file.len().saturating_sub(cut.saturating_sub(100)));
        if let Ok(logo) = Logo::read(&file) {
            prop_assert!((1..=LONGEST_SIDE).contains(&logo.width) && (1..=LONGEST_SIDE).contains(&logo.height));
            prop_assert_eq!(Logo::read(&logo.bytes), Ok(logo));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fall(begins in 0..4_usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let head: &[u8] = [PNG_BEGINS, b"\xff\xd8\xff", b"RIFF\x10\0\0\0WEBP", b""][begins];
        let _read = Logo::read(&[head, &bytes].concat());
    }
}
