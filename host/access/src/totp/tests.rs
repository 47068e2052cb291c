//! The vectors of RFC 6238, appendix B, and which steps count.

use portolan_core::{Duration, SystemRandom};
use totp_rs::Algorithm;

use super::*;

/// Seconds, then the codes by SHA-1, SHA-256 and SHA-512.
const VECTORS: [(u64, [&str; 3]); 6] = [
    (59, ["94287082", "46119246", "90693936"]),
    (1_111_111_109, ["07081804", "68084774", "25091201"]),
    (1_111_111_111, ["14050471", "67062674", "99943326"]),
    (1_234_567_890, ["89005924", "91819424", "93441116"]),
    (2_000_000_000, ["69279037", "90698825", "38618901"]),
    (20_000_000_000, ["65353130", "77737706", "47863826"]),
];

/// "1234567890", repeated to the length of the algorithm's output.
fn seed_bytes(length: usize) -> Vec<u8> {
    b"1234567890".iter().copied().cycle().take(length).collect()
}

fn at(seconds: u64) -> Instant {
    Instant(seconds as i64 * 1_000_000)
}

#[test]
fn all_eighteen_vectors_of_the_rfc_come_out() {
    let algorithms = [(Algorithm::SHA1, 20), (Algorithm::SHA256, 32), (Algorithm::SHA512, 64)];
    for (seconds, codes) in VECTORS {
        for ((algorithm, length), code) in algorithms.into_iter().zip(codes) {
            let totp = Builder::new()
                .with_algorithm(algorithm)
                .with_digits(8)
                .with_skew(0)
                .with_secret(seed_bytes(length))
                .with_account_name("nobody")
                .build()
                .expect("as in the RFC");
            assert_eq!(totp.generate(seconds).to_string(), code, "{seconds} {algorithm:?}");
            assert!(totp.check(code, seconds).is_some(), "{seconds} {algorithm:?}");
        }
    }
}

/// Six digits are the last six of eight.
#[test]
fn our_codes_are_those_of_the_rfc() {
    let seed = Seed::from_bytes(seed_bytes(20)).expect("a seed");
    for (seconds, codes) in VECTORS {
        assert_eq!(seed.code_at(at(seconds)), codes[0][2..], "{seconds}");
        assert_eq!(seed.matched_step(&codes[0][2..], at(seconds)), Some(seconds as i64 / 30), "{seconds}");
    }
}

#[test]
fn the_present_step_and_the_one_before_count_and_no_other() {
    let seed = Seed::from_bytes(seed_bytes(20)).expect("a seed");
    let now = at(1_234_567_890);
    let step = 1_234_567_890 / 30;
    for (seconds, expected) in [(-60, None), (-30, Some(step - 1)), (0, Some(step)), (30, None), (60, None)] {
        let code = seed.code_at(now + Duration::from_secs(seconds));
        assert_eq!(seed.matched_step(&code, now), expected, "{seconds}");
    }
    for wrong in ["", "05924", "0059240", "+05924", "00592x", "００５９２４"] {
        assert_eq!(seed.matched_step(wrong, now), None, "{wrong}");
    }
}

#[test]
fn an_authenticator_reads_who_and_what() {
    let seed = Seed::from_bytes(b"12345678901234567890".to_vec()).expect("a seed");
    assert_eq!(
        seed.url("ada:lovelace@harbour"),
        "otpauth://totp/Portolan:ada%20lovelace%40harbour?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Portolan"
    );
    assert_eq!(seed.key_text(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    assert_ne!(Seed::generate(&SystemRandom).bytes(), Seed::generate(&SystemRandom).bytes());
    assert!(Seed::from_bytes(vec![0; 19]).is_none());
}
