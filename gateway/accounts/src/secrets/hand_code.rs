//! Codes that people copy by hand: Crockford's base32 in groups of four, read as they are typed.
use super::SecretText;
use bytespike_store::world::World;

/// No I, L, O or U, so that nothing is mistaken.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// From a full-width character to the ASCII one it looks like.
const FULL_WIDTH: u32 = 0xFEE0;

/// A code of `CHARS` characters, five random bits each, as `XXXX-XXXX-…`.
pub(crate) fn make<const CHARS: usize>(world: &World) -> SecretText {
    let bytes = world.bytes::<CHARS>();
    let chars: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    SecretText::new(groups.join("-"))
}

/// The code's characters alone, whatever case, width or spaces it is typed with. `None` for what cannot be one.
pub(crate) fn read<const CHARS: usize>(typed: &str) -> Option<String> {
    let narrow = typed.chars().map(narrow);
    let plain: String = narrow.filter(char::is_ascii_alphanumeric).map(meant).take(CHARS + 1).collect();
    (plain.len() == CHARS && plain.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(plain)
}

/// What a Chinese keyboard types as `Ａ` is an A.
fn narrow(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - FULL_WIDTH).unwrap_or(c),
        other => other,
    }
}

/// Letters that the alphabet leaves out stand for what they look like.
fn meant(c: char) -> char {
    match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let (world, _) = World::manual(0, 6);
        let code = make::<20>(&world);
        assert_eq!(code.expose().len(), 24);
        let plain = read::<20>(code.expose()).expect("its own code");
        let wide: String =
            code.expose().chars().filter_map(|c| char::from_u32(u32::from(c) + FULL_WIDTH)).collect();
        for typed in [code.expose().to_lowercase(), code.expose().replace('-', " "), format!("　{wide} ")] {
            assert_eq!(read::<20>(&typed).as_ref(), Some(&plain), "{typed}");
        }
        assert_eq!(read::<16>("oiLO-0000-0000-0000").as_deref(), Some("0110000000000000"));
        for strange in
            ["", "0000-0000-0000-000", "0000-0000-0000-000U", "0000-0000-0000-0000-0", "081804", "码码码码"]
        {
            assert_eq!(read::<16>(strange), None, "{strange}");
        }
    }
}
