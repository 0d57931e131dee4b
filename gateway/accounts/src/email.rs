//! E-mail addresses. A value of this type is safe to put into a mail header.

/// An ASCII address without quoting, spaces or control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an e-mail address we can write to; it looks like name@example.com")]
pub struct EmailError;

impl EmailAddress {
    /// Accepts what mail services hand out: letters, digits and `.!#$%&'*+/=?^_{|}~-` before the `@`, a host name
    /// with a dot (or `localhost`) after it. At most 254 bytes (RFC 5321 section 4.5.3.1).
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        let valid = text.len() <= 254 && is_local(local) && is_domain(domain);
        if valid { Ok(Self(text.to_owned())) } else { Err(EmailError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it is compared: lower case throughout, because that is how people mistype it.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

/// Enough of an address to know it again, in a log that is never erased: `a…@example.com`.
pub(crate) fn masked(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    format!("{}…@{domain}", local.chars().next().unwrap_or_default())
}

fn is_local(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_{|}~-".contains(&byte);
    (1..=64).contains(&text.len())
        && text.bytes().all(allowed)
        && text.split('.').all(|part| !part.is_empty())
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split('.').all(label) && (text.contains('.') || text == "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_accepted() {
        for text in [
            "ada@example.com",
            " Ada.Lovelace+news@Mail.Example.co.uk ",
            "o'neil@example.cn",
            "dev@localhost",
        ] {
            let address = EmailAddress::parse(text).expect(text);
            assert_eq!(address.key(), text.trim().to_lowercase());
        }
    }

    #[test]
    fn s136_header_injection_and_nonsense_are_refused() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "a@b@example.com",
            "ada@-example.com",
            "a..b@example.com",
            "ada@example.com\r\nBcc: all@example.com",
            "ada\n@example.com",
            "\"a b\"@example.com",
            "ada@exa mple.com",
            "Ada <ada@example.com>",
            "ada@example.com,bob@example.com",
            "名@example.com",
        ] {
            assert_eq!(EmailAddress::parse(text), Err(EmailError), "{text:?} was accepted");
        }
        assert!(EmailAddress::parse(&format!("{}@example.com", "a".repeat(65))).is_err());
        assert!(EmailAddress::parse(&format!("a@{}.com", "b.".repeat(130))).is_err());
    }
}
