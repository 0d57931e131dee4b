//! Recovery codes: ten, of 80 random bits each, shown once and kept as HMACs.
use crate::secrets::{MacKey, SecretText};
use bytespike_store::world::World;

const COUNT: usize = 10;
const CHARS: usize = 16;
/// Crockford's base32: no I, L, O or U, so that nothing is mistaken when it is copied by hand.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new set, each as `XXXX-XXXX-XXXX-XXXX`.
pub(super) fn make(world: &World) -> Vec<SecretText> {
    (0..COUNT).map(|_| one(world)).collect()
}

fn one(world: &World) -> SecretText {
    let bytes = world.bytes::<CHARS>();
    let chars: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    SecretText::new(groups.join("-"))
}

/// The code as it was made, whatever case or spaces it is typed with. `None` for what cannot be one.
pub(super) fn read(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|c| c.is_ascii_alphanumeric()).map(meant).collect();
    (plain.len() == CHARS && plain.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(plain)
}

/// Letters that the alphabet leaves out stand for what they look like.
fn meant(c: char) -> char {
    match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    }
}

/// What is stored. The subject is hashed along, so that a row moved to another person is worthless.
pub(super) fn hash(pepper: &MacKey, subject_id: &str, plain: &str) -> String {
    pepper.mac_hex(format!("{subject_id}!{plain}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_047_ten_codes_of_eighty_bits_that_are_read_as_people_type_them() {
        let (world, _) = World::manual(0, 6);
        let codes = make(&world);
        assert_eq!(codes.len(), 10);
        for code in codes {
            let plain = read(code.expose()).expect("its own code");
            assert_eq!(plain.len() * 5, 80);
            assert_eq!(read(&format!("  {} ", code.expose().to_lowercase())), Some(plain));
        }
        assert_eq!(read("oiLO-0000-0000-0000").as_deref(), Some("0110000000000000"));
        for strange in ["", "0000-0000-0000-000", "0000-0000-0000-000U", "081804"] {
            assert_eq!(read(strange), None, "{strange}");
        }
    }
}
