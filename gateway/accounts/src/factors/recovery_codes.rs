//! Recovery codes: ten, of 80 random bits each, shown once and kept as HMACs.
use crate::secrets::{MacKey, SecretText, hand_code};
use bytespike_store::world::World;

const COUNT: usize = 10;
const CHARS: usize = 16;

/// A new set, each as `XXXX-XXXX-XXXX-XXXX`.
pub(super) fn make(world: &World) -> Vec<SecretText> {
    (0..COUNT).map(|_| hand_code::make::<CHARS>(world)).collect()
}

/// The code as it was made, whatever case or spaces it is typed with. `None` for what cannot be one.
pub(super) fn read(typed: &str) -> Option<String> {
    hand_code::read::<CHARS>(typed)
}

/// What is stored. The subject is hashed along, so that a row moved to another person is worthless.
pub(super) fn hash(pepper: &MacKey, subject_id: &str, plain: &str) -> String {
    pepper.mac_hex(format!("{subject_id}!{plain}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s47_ten_codes_of_eighty_bits_that_are_read_as_people_type_them() {
        let (world, _) = World::manual(0, 6);
        let codes = make(&world);
        assert_eq!(codes.len(), 10);
        for code in codes {
            let plain = read(code.expose()).expect("its own code");
            assert_eq!(plain.len() * 5, 80);
            assert_eq!(read(&format!("  {} ", code.expose().to_lowercase())), Some(plain));
        }
    }
}
