//! Base62 text (digits, upper case, lower case): random strings and the checksum inside a key.
use bytespike_store::world::World;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` characters, each drawn evenly: 5.95 bits apiece, so 32 of them carry 190.
pub fn random(world: &World, length: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    while text.len() < length {
        let bytes = Zeroizing::new(world.bytes::<64>());
        let missing = length - text.len();
        // Six bits name 64 characters; the two too many are drawn again, which keeps the rest even.
        text.extend(
            bytes
                .iter()
                .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)))
                .take(missing)
                .map(|c| char::from(*c)),
        );
    }
    text
}

/// A CRC-32 as six characters, the most significant first.
pub fn checksum(crc: u32) -> String {
    let digit = |place: u32| char::from(ALPHABET[(crc / 62_u32.pow(place) % 62) as usize]);
    (0..6).rev().map(digit).collect()
}

pub fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_padded_and_covers_every_value() {
        assert_eq!(
            (checksum(0), checksum(61), checksum(62)),
            ("000000".into(), "00000z".into(), "000010".into())
        );
        assert_eq!(checksum(u32::MAX), "4gfFC3");
    }

    #[test]
    fn random_text_uses_the_whole_alphabet_and_nothing_else() {
        let (world, _) = World::manual(0, 1);
        let text = random(&world, 20_000);
        assert_eq!(text.len(), 20_000);
        assert!(is_base62(&text));
        assert!(
            ALPHABET.iter().all(|c| text.bytes().filter(|b| b == c).count() > 200),
            "some characters are rare"
        );
    }
}
