//! Unpacks an uploaded file while it is staged: gzip and xz by their magic bytes, UTF-16 by its
//! byte order mark. What comes out is what plugins look into and chunks are cut from.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use portolan_core::hex;
use sha2::{Digest, Sha256};

/// The largest file, unpacked. Beyond it, split the file: it is cut in memory.
pub const LARGEST_FILE_BYTES: u64 = 1 << 30;

/// What an xz dictionary may take; `xz -9` asks for 64 MiB.
const XZ_MEMORY_BYTES: u64 = 128 << 20;

/// An unpacked file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    pub size_bytes: u64,
    /// SHA-256 of the unpacked bytes, lower-case hex: the same content packed anew is the same file.
    pub sha256: String,
}

/// Why a file cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("the file is larger than {limit_bytes} bytes once unpacked: split it and upload the parts")]
    TooLarge { limit_bytes: u64 },
    #[error("the file is damaged and cannot be unpacked ({0}): export it again")]
    Damaged(io::Error),
    #[error("the file cannot be stored: {0}")]
    Storage(io::Error),
}

/// Unpacks `source` into `destination`, synced to disk.
pub fn unpack(source: &Path, destination: &Path, limit_bytes: u64) -> Result<Unpacked, UnpackError> {
    let mut packed = BufReader::new(File::open(source).map_err(UnpackError::Storage)?);
    let magic = peek_magic(&mut packed).map_err(UnpackError::Storage)?;
    let reader: Box<dyn Read> = match magic {
        [0x1F, 0x8B, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        [0xFD, b'7', b'z', b'X', b'Z', 0] => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_BYTES, CONCATENATED)
                .map_err(|error| UnpackError::Damaged(error.into()))?;
            Box::new(XzDecoder::new_stream(packed, stream))
        }
        _ => Box::new(packed),
    };
    let file = File::create(destination).map_err(UnpackError::Storage)?;
    let unpacked = copy_as_utf8(reader, BufWriter::new(&file), limit_bytes)?;
    file.sync_all().map_err(UnpackError::Storage)?;
    Ok(unpacked)
}

/// The first six bytes, left in the reader; zeros where the file is shorter.
fn peek_magic(reader: &mut BufReader<File>) -> io::Result<[u8; 6]> {
    let mut magic = [0_u8; 6];
    let start = io::BufRead::fill_buf(reader)?;
    let length = start.len().min(magic.len());
    magic[..length].copy_from_slice(&start[..length]);
    Ok(magic)
}

/// Copies, turning UTF-16 (recognised by its mark) into UTF-8 and leaving all else as it is.
fn copy_as_utf8(
    mut reader: impl Read,
    mut writer: impl Write,
    limit_bytes: u64,
) -> Result<Unpacked, UnpackError> {
    let mut hasher = Sha256::new();
    let mut size_bytes = 0_u64;
    let mut buffer = vec![0_u8; 64 << 10];
    let mut decoder: Option<encoding_rs::Decoder> = None;
    let mut text = String::new();
    let mut first = true;
    loop {
        let length = read_full(&mut reader, &mut buffer).map_err(UnpackError::Damaged)?;
        let piece = &buffer[..length];
        if first {
            first = false;
            decoder = utf16_encoding(piece).map(encoding_rs::Encoding::new_decoder);
        }
        let last = length < buffer.len();
        let output = match decoder.as_mut() {
            Some(decoder) => {
                text.clear();
                text.reserve(decoder.max_utf8_buffer_length(length).unwrap_or(length * 3 + 16));
                let (_, _, _) = decoder.decode_to_string(piece, &mut text, last);
                text.as_bytes()
            }
            None => piece,
        };
        size_bytes += output.len() as u64;
        if size_bytes > limit_bytes {
            return Err(UnpackError::TooLarge { limit_bytes });
        }
        hasher.update(output);
        writer.write_all(output).map_err(UnpackError::Storage)?;
        if last {
            break;
        }
    }
    writer.flush().map_err(UnpackError::Storage)?;
    Ok(Unpacked { size_bytes, sha256: hex(&hasher.finalize()) })
}

fn utf16_encoding(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match start {
        [0xFF, 0xFE, ..] => Some(encoding_rs::UTF_16LE),
        [0xFE, 0xFF, ..] => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

/// Reads until the buffer is full or the input ends.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack_bytes(bytes: &[u8], limit_bytes: u64) -> Result<(Unpacked, Vec<u8>), UnpackError> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (source, destination) = (folder.path().join("in"), folder.path().join("out"));
        std::fs::write(&source, bytes).expect("write");
        let unpacked = unpack(&source, &destination, limit_bytes)?;
        Ok((unpacked, std::fs::read(destination).expect("read")))
    }

    #[test]
    fn gzip_and_plain_are_the_same_file() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(b"a,b\n1,2\n").expect("gzip");
        let (from_gzip, text) = unpack_bytes(&packed.finish().expect("gzip"), 1_000).expect("unpack");
        let (plain, _) = unpack_bytes(b"a,b\n1,2\n", 1_000).expect("unpack");
        assert_eq!(text, b"a,b\n1,2\n");
        assert_eq!(from_gzip, plain);
    }

    #[test]
    fn utf16_becomes_utf8() {
        let bytes: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("é,b\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let (_, text) = unpack_bytes(&bytes, 1_000).expect("unpack");
        assert_eq!(text, "é,b\n".as_bytes());
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![b'x'; 1 << 20]).expect("gzip");
        let error = unpack_bytes(&packed.finish().expect("gzip"), 1_000).expect_err("too large");
        assert!(error.to_string().contains("split it"));
    }

    #[test]
    fn a_truncated_archive_is_damaged_not_short() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(&[7; 5_000]).expect("gzip");
        let mut bytes = packed.finish().expect("gzip");
        bytes.truncate(bytes.len() / 2);
        assert!(matches!(unpack_bytes(&bytes, 10_000), Err(UnpackError::Damaged(_))));
    }
}
