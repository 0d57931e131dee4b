//! The last net under the secret types: finds secrets in finished log lines by their shape, and makes
//! characters visible that could forge a line or drive a terminal.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Keys of ours and of the providers, bearer credentials, cookies, passwords inside URLs, signed and sealed tokens.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = [
        r"\bsk-[0-9A-Za-z_-]{8,}",
        r"\bAIza[0-9A-Za-z_-]{10,}",
        r"(?i:\bbearer\s+)[0-9A-Za-z._~+/=-]+",
        r"(?i:\bbasic\s+)[0-9A-Za-z+/=]{8,}",
        r#"(?i:\b(?:set-)?cookie["']?\s*[:=]\s*["']?)[^\r\n"']+"#,
        r"(?:__Host-)?bs_sid=[^;\s]+",
        r"://[^/\s:@]+:[^/\s@]+@",
        r#"(?i:\b(?:x-api-key|x-goog-api-key|api_key|password|token)["']?\s*[:=]\s*["']?)[^\s"'&,}]+"#,
    ];
    Regex::new(&shapes.join("|")).ok()
});

/// A log line without secrets and without control characters; its closing line break stays.
pub fn redact(line: &str) -> String {
    let replaced = match &*SECRETS {
        Some(secrets) => secrets.replace_all(line, "[redacted]"),
        // The shapes are fixed and a test compiles them; if they ever did not, saying nothing is the safe side.
        None => Cow::Borrowed("[line withheld: redaction is broken]\n"),
    };
    let (text, end) = replaced.strip_suffix('\n').map_or((&*replaced, ""), |text| (text, "\n"));
    let mut visible = String::with_capacity(replaced.len());
    for letter in text.chars() {
        match letter {
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                visible.extend(letter.escape_unicode());
            }
            letter if letter.is_control() => visible.extend(letter.escape_default()),
            letter => visible.push(letter),
        }
    }
    visible + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s122_secrets_of_every_shape_are_taken_out() {
        let secrets = [
            "key sk-byts-7Qm3Zt9aLk2PN4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa2oLZbv refused",
            "upstream said: invalid sk-proj-CANARYcanary_1234",
            "sk-ant-api03-CANARYcanary",
            "authorization: Bearer CANARY.canary-1",
            "Authorization=\"Basic CANARYcanary==\"",
            "AIzaSyCANARYcanary_12345",
            "cookie: __Host-bs_sid=CANARY; other=CANARY",
            "set-cookie: a=CANARY",
            "found bs_sid=CANARY in the jar",
            "postgres://me:CANARY@db/x",
            "{\"x-api-key\":\"CANARY\"}",
            "password=CANARY",
        ];
        for line in secrets {
            let shown = redact(line);
            assert!(
                shown.contains("[redacted]") && !shown.contains("CANARY") && !shown.contains("7Qm3Zt9a"),
                "{shown}"
            );
        }
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        for line in [
            "call settled receipt=rcp_01 charged=12.000\n",
            "listening on http://127.0.0.1:8080\n",
            "risk-free desk-top",
        ] {
            assert_eq!(redact(line), line);
        }
    }

    #[test]
    fn s124_a_line_cannot_be_forged() {
        assert_eq!(redact("user=a\nWARN b\u{1b}[31m\u{2028}\n"), "user=a\\nWARN b\\u{1b}[31m\\u{2028}\n");
    }
}
