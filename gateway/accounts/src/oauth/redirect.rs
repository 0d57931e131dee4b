//! Where an authorization may be sent: the address as registered, byte for byte; a loopback address on any port,
//! because a program on the user's machine takes whichever is free (OAuth 2.1, section 8.4.2). Texts are compared,
//! never parsed URLs: a URL parser reads `http://2130706433/` as 127.0.0.1.

const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];
const MOST_BYTES: usize = 512;
/// Schemes a browser acts on by itself.
const DANGEROUS_SCHEMES: [&str; 6] = ["javascript", "data", "file", "blob", "vbscript", "about"];

/// Why an address cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectProblem {
    #[error("a redirect address has at most {MOST_BYTES} visible ASCII characters and no backslash")]
    Characters,
    #[error("a redirect address has no fragment, no user name and no wildcard")]
    Parts,
    #[error(
        "plain http is for this computer alone: http://127.0.0.1/…, http://[::1]/… or http://localhost/…"
    )]
    PlainHttp,
    #[error("a redirect address starts with https://, or http:// on this computer")]
    Scheme,
    #[error("a redirect address names a host")]
    Host,
}

/// Checks an address that is to be registered.
///
/// # Errors
/// What is wrong with it.
pub fn check(address: &str) -> Result<(), RedirectProblem> {
    let visible = address.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\');
    if !visible || address.len() > MOST_BYTES {
        return Err(RedirectProblem::Characters);
    }
    let (scheme, rest) = address.split_once(':').ok_or(RedirectProblem::Scheme)?;
    if address.contains(['#', '*']) {
        return Err(RedirectProblem::Parts);
    }
    match scheme {
        "https" => check_host(rest),
        "http" if Loopback::parse(address).is_some() => Ok(()),
        "http" => Err(RedirectProblem::PlainHttp),
        _ => Err(RedirectProblem::Scheme),
    }
}

fn check_host(rest: &str) -> Result<(), RedirectProblem> {
    let rest = rest.strip_prefix("//").ok_or(RedirectProblem::Host)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(RedirectProblem::Parts);
    }
    let host = authority.split(':').next().unwrap_or_default();
    let named = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    if named { Ok(()) } else { Err(RedirectProblem::Host) }
}

/// Whether a presented address is one of the registered.
pub fn matches<'a>(registered: impl IntoIterator<Item = &'a String>, presented: &str) -> bool {
    let loopback = Loopback::parse(presented);
    registered.into_iter().any(|one| {
        one == presented || (loopback.is_some() && Loopback::parse(one).as_ref() == loopback.as_ref())
    })
}

/// Whether the address leads to a program on the user's own computer.
pub fn is_loopback(address: &str) -> bool {
    Loopback::parse(address).is_some()
}

/// Whether the address starts a program by a scheme of its own: `com.example.app:/callback`. Only for programs that ship
/// with ByteSpike.
pub fn is_private_scheme(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let named = scheme.contains('.')
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    named && rest.starts_with('/') && !rest.starts_with("//") && !DANGEROUS_SCHEMES.contains(&scheme)
}

/// The host of the address, with its port, as a person should see it.
pub fn place(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// A loopback address without its port.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    host: &'a str,
    /// Path and query.
    target: &'a str,
}

impl<'a> Loopback<'a> {
    fn parse(address: &'a str) -> Option<Self> {
        let rest = address.strip_prefix("http://")?;
        let host = LOOPBACK_HOSTS.into_iter().find(|host| rest.starts_with(host))?;
        let after = &rest[host.len()..];
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (port, target) = after.split_at(end);
        let clean = target.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\' && byte != b'#');
        (is_port(port) && clean).then(|| Self { host: &rest[..host.len()], target })
    }
}

/// Nothing, or `:` and a number from 1 to 65535 without leading zeros.
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else { return text.is_empty() };
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && digits.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(registered: &str, presented: &str) -> bool {
        matches(&[registered.to_owned()], presented)
    }

    #[test]
    fn a_program_on_this_computer_may_use_any_port() {
        for (registered, presented) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback"),
            ("http://127.0.0.1:3000/callback", "http://127.0.0.1:49152/callback"),
            ("http://[::1]/callback", "http://[::1]:51004/callback"),
            ("http://localhost/callback", "http://localhost:8080/callback"),
            ("https://app.example.com/cb", "https://app.example.com/cb"),
            ("com.example.dosia:/oauth", "com.example.dosia:/oauth"),
        ] {
            assert!(accepts(registered, presented), "{registered} {presented}");
        }
    }

    #[test]
    fn n5_nothing_else_may_differ() {
        let callback = "http://127.0.0.1/callback";
        for presented in [
            "http://localhost:8080/callback",
            "https://127.0.0.1:51004/callback",
            "http://127.0.0.1:51004/callback/",
            "http://127.0.0.1:51004/callback?x=1",
            "http://127.0.0.1:51004/callback#f",
            "http://127.0.0.1.evil.example:80/callback",
            "http://127.0.0.1:51004@evil.example/callback",
            "http://127.0.0.1:51004\\@evil.example/callback",
            "http://127.1:51004/callback",
            "http://2130706433:51004/callback",
            "http://0x7f000001/callback",
            "http://127.0.0.2:51004/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:051004/callback",
            "HTTP://127.0.0.1:51004/callback",
            "http://127.0.0.1:51004/%63allback",
            "http://127.0.0.1:51004/a/../callback",
        ] {
            assert!(!accepts(callback, presented), "{presented}");
        }
        for presented in [
            "https://app.example.com:443/cb",
            "https://app.example.com/cb/",
            "https://APP.example.com/cb",
            "https://app.example.com/cb?next=x",
            "https://app.example.com.evil.example/cb",
        ] {
            assert!(!accepts("https://app.example.com/cb", presented), "{presented}");
        }
        assert!(!accepts("com.example.dosia:/oauth", "com.example.dosia://oauth"));
    }

    #[test]
    fn n41_what_cannot_be_registered_says_why() {
        for (address, problem) in [
            ("https://app.example.com/cb#x", RedirectProblem::Parts),
            ("https://user@app.example.com/cb", RedirectProblem::Parts),
            ("https://*.example.com/cb", RedirectProblem::Parts),
            ("http://app.example.com/cb", RedirectProblem::PlainHttp),
            ("http://127.0.0.1.evil.example/cb", RedirectProblem::PlainHttp),
            ("javascript:alert(1)", RedirectProblem::Scheme),
            ("data:text/html,x", RedirectProblem::Scheme),
            ("https://com/cb", RedirectProblem::Host),
            ("https:///cb", RedirectProblem::Host),
            ("https://app.example.com\\@evil/cb", RedirectProblem::Characters),
            ("nothing", RedirectProblem::Scheme),
        ] {
            assert_eq!(check(address), Err(problem), "{address}");
        }
        for address in
            ["https://app.example.com/cb", "https://app.example.com:8443/cb?a=b", "http://localhost/cb"]
        {
            assert_eq!(check(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_private_scheme_has_a_dot_and_one_slash() {
        assert!(is_private_scheme("com.example.dosia:/oauth"));
        for address in ["com.example.dosia://oauth", "dosia:/oauth", "javascript:/x", "https://a.example/"] {
            assert!(!is_private_scheme(address), "{address}");
        }
        assert_eq!(place("http://127.0.0.1:51004/callback?x"), "127.0.0.1:51004");
    }
}
