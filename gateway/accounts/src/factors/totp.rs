//! Codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds, which is what every app can do).
use crate::secrets::SecretText;
use bytespike_store::world::World;
use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, Secret, TOTP};
use zeroize::Zeroizing;

/// What the app shows above the code.
const ISSUER: &str = "ByteSpike";
const DIGITS: usize = 6;
const STEP_SECONDS: u64 = 30;
const SECRET_BYTES: usize = 20;

/// The secret that an app and we share.
pub(super) struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    pub fn random(world: &World) -> Self {
        Self(Zeroizing::new(world.bytes::<SECRET_BYTES>().to_vec()))
    }

    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as somebody types it into an app: base32 in groups of four.
    pub fn typed(&self) -> SecretText {
        let base32 = Zeroizing::new(Secret::Raw(self.0.to_vec()).to_encoded().to_string());
        let groups: Vec<&str> =
            base32.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        SecretText::new(groups.join(" "))
    }

    /// The `otpauth:` address that an app reads from a QR code. `None` for an account name that cannot stand in one.
    pub fn address(&self, account: &str) -> Option<SecretText> {
        self.totp(account).map(|totp| SecretText::new(totp.get_url()))
    }

    /// The step whose code was typed: the current one or a neighbour of it, because clocks differ.
    pub fn step_of(&self, code: &str, now_ms: i64) -> Option<i64> {
        let totp = self.totp("")?;
        let now = u64::try_from(now_ms / 1_000).ok()? / STEP_SECONDS;
        let is_right = |step: &u64| {
            let expected = Zeroizing::new(totp.generate(step * STEP_SECONDS));
            bool::from(expected.as_bytes().ct_eq(code.as_bytes()))
        };
        let steps = [now, now.saturating_sub(1), now + 1];
        steps.into_iter().find(is_right).and_then(|step| i64::try_from(step).ok())
    }

    fn totp(&self, account: &str) -> Option<TOTP> {
        // A colon would end the issuer's name.
        let account = account.replace(':', "");
        let issuer = Some(ISSUER.to_owned());
        TOTP::new(Algorithm::SHA1, DIGITS, 1, STEP_SECONDS, self.0.to_vec(), issuer, account).ok()
    }
}

/// Whether the text can be a code: six digits, of whatever width an input method made them.
pub(super) fn read(typed: &str) -> Option<String> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(narrow).collect();
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

fn narrow(c: char) -> char {
    let is_wide = ('０'..='９').contains(&c);
    char::from_u32(u32::from(c) - 0xfee0 * u32::from(is_wide)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret of its SHA-1 rows, whose eight digits end in these six.
    fn of_the_rfc() -> TotpSecret {
        TotpSecret::from_bytes(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    impl TotpSecret {
        /// The code an app shows.
        pub(in crate::factors) fn code_at(&self, now_ms: i64) -> String {
            let second = u64::try_from(now_ms / 1_000).expect("after 1970");
            self.totp("").expect("a secret long enough").generate(second)
        }
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(of_the_rfc().step_of(code, second * 1_000), Some(second / 30), "{second}");
        }
    }

    #[test]
    fn s46_a_code_is_good_one_step_early_and_one_late_and_no_more() {
        let (secret, code, step) = (of_the_rfc(), "081804", 1_111_111_109 / 30);
        for off in [-1, 0, 1] {
            assert_eq!(secret.step_of(code, (step + off) * 30_000), Some(step), "{off}");
        }
        for off in [-3, -2, 2, 3] {
            assert_eq!(secret.step_of(code, (step + off) * 30_000), None, "{off}");
        }
        assert_eq!(secret.step_of("081805", step * 30_000), None);
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(read(" 081 804 ").as_deref(), Some("081804"));
        assert_eq!(read("０８１８０４").as_deref(), Some("081804"));
        for strange in ["", "08180", "0818044", "08180a", "٠٨١٨٠٤"] {
            assert_eq!(read(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_address_is_what_apps_read() {
        let address = of_the_rfc().address("ada@example.com").expect("an address");
        assert_eq!(
            address.expose(),
            "otpauth://totp/ByteSpike:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ByteSpike"
        );
        assert_eq!(of_the_rfc().typed().expose(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
