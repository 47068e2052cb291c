//! What people may do to a code on its way.

use portolan_core::SeededRandom;
use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_code_is_known_however_it_is_typed(seed in any::<u64>(), lower in any::<bool>(), spaces in any::<bool>()) {
        let random = SeededRandom::new(seed);
        let shown = new_code(&random);
        prop_assert_eq!(shown.len(), 27);
        let meant = normal_code(&shown).expect("its own code");
        prop_assert_eq!(meant.len(), 24);
        let mut typed = shown.replace('0', "o").replace('1', if lower { "l" } else { "I" });
        if lower {
            typed = typed.to_lowercase();
        }
        if spaces {
            typed = format!(" {} ", typed.replace('-', " "));
        }
        let read = normal_code(&typed);
        prop_assert_eq!(read.as_deref(), Some(meant.as_str()));
        let (salt, other) = (new_salt(&random), new_salt(&random));
        prop_assert_eq!(code_hash(&salt, &meant), code_hash(&salt, &meant));
        prop_assert_ne!(code_hash(&salt, &meant), code_hash(&other, &meant));
    }

    #[test]
    fn whatever_is_typed_is_read_or_refused(typed in "\\PC{0,40}") {
        if let Some(code) = normal_code(&typed) {
            prop_assert!(code.len() == 24 && code.bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }
}

#[test]
fn what_is_no_code_is_told_apart() {
    for wrong in [
        "",
        "123456",
        "000000-000000-000000-00000",
        "000000-000000-000000-0000000",
        "00000U-000000-000000-000000",
    ] {
        assert_eq!(normal_code(wrong), None, "{wrong}");
    }
}
