//! What the product hands out, recognised by how it looks: keys, tokens, signing secrets, what an authenticator app is
//! given, recovery codes, the cookies of sessions.

/// Secrets by what they begin with, and the least length of what follows.
const BEGINNINGS: [(&str, &str, usize); 7] = [
    ("key", "sk-byts-", 50),
    ("webhook secret", "whsec_", 24),
    ("OAuth token", "bs1a", 50),
    ("OAuth token", "bs1r", 50),
    ("OAuth code", "bs1c", 50),
    ("OAuth code", "bs1d", 50),
    ("OAuth client secret", "bs1s", 50),
];

/// The cookies that say who somebody is.
const COOKIES: [&str; 2] = ["bs_sid", "bs_operator"];

/// Secrets in a body, each with its kind.
pub(super) fn in_body(body: &str, is_page: bool) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (kind, beginning, least) in BEGINNINGS {
        for (at, _) in body.match_indices(beginning) {
            let is_own =
                |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '/' | '=');
            let secret: String = body[at..]
                .chars()
                .take(beginning.len())
                .chain(body[at + beginning.len()..].chars().take_while(is_own))
                .collect();
            if secret.len() >= beginning.len() + least {
                found.push((kind, secret));
            }
        }
    }
    if is_page {
        found.extend(shown(body).into_iter().map(|secret| ("secret shown once", secret)));
        found.extend(recovery_codes(body).into_iter().map(|code| ("recovery code", code)));
    }
    found
}

/// The text of the field with the id `secret`, as it stands there and as an app takes it.
fn shown(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once("id=\"secret\"") else { return Vec::new() };
    let Some(value) = rest.split_once('>').and_then(|(_, value)| value.split('<').next()) else {
        return Vec::new();
    };
    let value = value.replace("&#x2F;", "/").replace("&amp;", "&");
    vec![value.replace(' ', ""), value]
}

fn recovery_codes(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once("recovery-codes") else { return Vec::new() };
    let list = rest.split("</ol>").next().unwrap_or_default();
    let codes = list.split("<code translate=\"no\">").skip(1);
    codes.filter_map(|code| code.split('<').next().map(str::to_owned)).collect()
}

/// The value of a cookie that says who somebody is, from the header that sets it.
pub(super) fn in_cookie(header: &str) -> Option<String> {
    let (name, value) = header.split(';').next()?.split_once('=')?;
    let is_session = COOKIES.contains(&name.trim().trim_start_matches("__Host-"));
    (is_session && value.len() >= 16).then(|| value.to_owned())
}
