//! Where to go after signing in. The address comes from the browser, so only our own pages are taken.

/// The console's own pages, and the two where a program's request waits.
const PLACES: [&str; 3] = ["/console", "/oauth/consent", "/device"];

/// The page to open after sign-in: `asked` if it is one of the console's own paths, otherwise the overview.
///
/// Only visible ASCII is allowed, so that nothing can break out of the `Location` header, and the path has to
/// lie under one of ours, so that no other host and no other surface can be named.
pub fn after_sign_in(asked: Option<&str>, home: &str) -> String {
    asked.filter(|path| lies_under(path, &PLACES)).unwrap_or(home).to_owned()
}

/// The same for an operator, who has pages of their own.
pub fn after_operator_sign_in(asked: Option<&str>, home: &str) -> String {
    asked.filter(|path| lies_under(path, &["/admin"])).unwrap_or(home).to_owned()
}

fn lies_under(path: &str, places: &[&str]) -> bool {
    let visible = path.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\');
    let inside = path.strip_prefix("/zh").unwrap_or(path);
    let own = places.iter().any(|place| {
        inside.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    });
    visible && own && path.len() <= 512 && !path.contains("/..") && !path.contains('%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_pages_are_opened() {
        for path in [
            "/console",
            "/console/keys",
            "/zh/console/calls?outcome=billed",
            "/console?ok=verified",
            "/oauth/consent?request=7Qm3Zt9aLk2PN4vC8yQ1hS",
            "/zh/device?code=BDFG-HKLM",
        ] {
            assert_eq!(after_sign_in(Some(path), "/console"), path);
        }
    }

    #[test]
    fn s29_anything_else_opens_the_overview() {
        for path in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/console",
            "javascript:alert(1)",
            "/%0d%0aSet-Cookie:x",
            "/\t/evil",
            "/console/../admin",
            "/console/%2e%2e/admin",
            "/consoleevil",
            "/oauth/authorize?client_id=x",
            "/devices",
            "/v1/messages",
            "/console/keys\r\nX: y",
            "/console/键",
            "",
        ] {
            assert_eq!(after_sign_in(Some(path), "/zh/console"), "/zh/console", "{path:?}");
        }
        assert_eq!(after_sign_in(None, "/console"), "/console");
    }
}
