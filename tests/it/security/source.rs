//! What holds because of what is not there: requirements that only the program's own text can decide.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Rust files of the program itself, each with its text up to its own tests; paths from the root.
fn program() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["app", "gateway", "server"] {
        gather(&root().join(folder), &mut found);
    }
    assert!(found.len() > 300, "only {} files were read", found.len());
    found
}

fn gather(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() && !matches!(name.as_str(), "tests" | "examples" | "target") {
            gather(&path, found);
        } else if name.ends_with(".rs")
            && !matches!(name.as_str(), "tests.rs" | "testing.rs" | "build.rs")
            && !name.ends_with("_tests.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let own = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            let path = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            found.push((path, own));
        }
    }
}

/// The files in which a text stands outside comments.
fn with(text: &str) -> BTreeSet<String> {
    let stands =
        |own: &str| own.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(text));
    program().into_iter().filter(|(_, own)| stands(own)).map(|(path, _)| path).collect()
}

fn set(files: &[&str]) -> BTreeSet<String> {
    files.iter().map(|file| (*file).to_owned()).collect()
}

#[test]
fn s87_nothing_starts_another_process() {
    for text in ["process::Command", "Command::new", "libc::exec", "posix_spawn"] {
        assert_eq!(with(text), set(&[]), "{text}");
    }
}

#[test]
fn s79_s86_every_client_follows_no_redirect_and_uses_no_proxy() {
    let clients = with("Client::builder()");
    assert!(clients.len() >= 4, "{clients:?}");
    for (path, own) in program().into_iter().filter(|(path, _)| clients.contains(path)) {
        for part in own.split("reqwest::Client::builder()").skip(1) {
            let built = part.split(".build()").next().unwrap_or_default();
            for wanted in [".no_proxy()", "Policy::none()", ".timeout("] {
                assert!(built.contains(wanted), "{path}: {wanted}");
            }
        }
    }
    assert_eq!(with("reqwest::get"), set(&[]));
}

#[test]
fn s125_randomness_comes_from_one_place_and_that_is_the_operating_systems() {
    assert_eq!(with("getrandom::"), set(&["gateway/store/src/world.rs"]));
    for text in ["thread_rng", "rand::rng", "SmallRng", "fastrand", "StdRng", "from_entropy", "Uuid::new_v4"]
    {
        assert_eq!(with(text), set(&[]), "{text}");
    }
}

#[test]
fn s132_sql_is_written_out_but_where_the_tables_are_our_own() {
    // sqlx takes only text that is in the program; whoever joins SQL together says so with this word.
    let joined = with("AssertSqlSafe(");
    let allowed = ["gateway/ledger/src/", "gateway/store/src/"];
    for file in &joined {
        assert!(
            allowed.iter().any(|start| file.starts_with(start)),
            "{file} joins SQL together: bind its values"
        );
    }
    assert!(!joined.is_empty(), "the word has changed");
    for (path, own) in program() {
        for line in own.lines().filter(|line| line.contains("format!(")) {
            let line = line.to_ascii_lowercase();
            let binds_text = line.contains("where") && (line.contains("= '{") || line.contains("='{"));
            assert!(!binds_text, "{path}: {line}");
        }
    }
}

#[test]
fn s133_markup_is_made_only_of_our_own_text() {
    let allowed = set(&[
        "app/docs/src/view.rs",
        "app/site/src/blog/view.rs",
        "app/ui/src/components/code.rs",
        "app/ui/src/components/form.rs",
    ]);
    let raw: BTreeSet<String> = with("inner_html=");
    assert_eq!(raw, allowed, "whoever writes markup as it comes has a reason that stands here");
}

#[test]
fn s139_s140_nobody_but_us_writes_a_pattern_a_template_or_a_program() {
    assert_eq!(with("Regex::new"), set(&["server/src/telemetry/redact.rs"]));
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for engine in [
        "tera",
        "minijinja",
        "handlebars",
        "liquid",
        "rhai",
        "mlua",
        "rlua",
        "boa_engine",
        "deno_core",
        "rquickjs",
        "wasmtime",
        "wasmer",
        "pyo3",
        "fancy-regex",
        "pcre2",
        "libloading",
    ] {
        assert!(!lock.contains(&format!("name = \"{engine}\"\n")), "{engine} would let text run");
    }
}

/// Licences that let a program be built in and handed on without its source.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn s146_every_package_has_a_licence_we_may_ship() {
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--offline"]).current_dir(root());
    let said = cargo.output().expect("cargo runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100);
    for package in packages.iter().filter(|package| package["source"].is_string()) {
        let (name, text) = (&package["name"], package["license"].as_str().unwrap_or_default());
        let licence = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)
            .unwrap_or_else(|error| panic!("{name} says `{text}`: {error}"));
        let allowed = licence.evaluate(|one| one.license.id().is_some_and(|id| LICENCES.contains(&id.name)));
        assert!(allowed, "{name} is under `{text}`: replace it, or add a licence with its reason");
    }
}

#[test]
fn s146_what_is_built_is_what_was_locked() {
    let root = root();
    assert!(root.join("Cargo.lock").is_file());
    let ignored = std::fs::read_to_string(root.join(".gitignore")).unwrap();
    assert!(!ignored.contains("Cargo.lock"), "the lock is kept with the source");
    let run = std::fs::read_to_string(root.join("tests/run")).unwrap();
    assert!(run.contains("--locked"), "tests build what was locked");
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let sources: BTreeSet<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    assert_eq!(sources, BTreeSet::from([registry]), "every package comes from the one registry");
    let packages = lock.matches("\n[[package]]\n").count();
    let checked = lock.matches("\nchecksum = \"").count();
    assert_eq!(
        lock.matches("\nsource = ").count(),
        checked,
        "of {packages}, each that is fetched is checked"
    );
}
