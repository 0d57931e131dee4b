//! The first minute: the binary alone in an empty folder, and the sample it prints.

use bytespike_tests::person::key_in;
use bytespike_tests::product::Process;
use tokio::process::Command;

#[tokio::test]
async fn the_printed_sample_works_as_it_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listen = port.to_string();
    let mut product = Process::start(folder.path(), &[], &[("BYTESPIKE_SERVER__LISTEN", &*listen)]);
    let printed = product.printed("curl").await;
    let sample = sample(&printed);
    assert!(key_in(&sample).is_some(), "the sample holds the demo key: {sample}");
    let ran = Command::new("bash").arg("-c").arg(&sample).output().await.unwrap();
    let printed_answer = String::from_utf8_lossy(&ran.stdout).into_owned();
    let (head, body) = printed_answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{sample}\n{ran:?}"));
    let answer: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{sample}\n{ran:?}"));
    for header in ["x-credits-held", "x-credits-charged", "x-receipt-id"] {
        assert!(
            head.to_ascii_lowercase().contains(header),
            "{header} is among what the sample shows: {head}"
        );
    }
    assert_eq!(answer["type"], "message", "{answer}");
    assert!(printed.contains(&format!("http://{listen}")), "it says where to go: {printed}");
    assert!(printed.to_lowercase().contains("demo"), "the demo provider is named as such");

    let key = std::fs::metadata(folder.path().join("data/master.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

/// The shell command in what was printed: from `curl` to the first line that does not continue it.
fn sample(printed: &str) -> String {
    let from_curl = printed.lines().map(str::trim).skip_while(|line| !line.starts_with("curl"));
    let mut lines = Vec::new();
    let mut inside_quotes = false;
    for line in from_curl {
        lines.push(line);
        inside_quotes ^= line.matches('\'').count() % 2 == 1;
        if !line.ends_with('\\') && !inside_quotes {
            break;
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn an_unknown_setting_is_refused_and_the_nearest_one_named() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("bytespike.toml"), "[server]\nlisten_on = \"127.0.0.1:1\"\n").unwrap();
    let mut product = Process::start(folder.path(), &["check-config"], &[]);
    let printed = product.printed("listen").await;
    assert!(printed.contains("listen_on") && printed.contains("bytespike.toml:2"), "{printed}");
}
