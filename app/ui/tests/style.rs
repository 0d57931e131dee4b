//! House rules of the style sheets, and their budget.

use std::fs;
use std::path::Path;

fn sheets() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../style");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sheets =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "css"));
    sheets.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap_or_default())).collect()
}

#[test]
fn colours_are_tokens() {
    for (name, text) in sheets() {
        for line in text.lines() {
            let raw = line.split('#').skip(1).any(|rest| {
                let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
                matches!(digits, 3 | 4 | 6 | 8)
                    && !rest.chars().nth(digits).is_some_and(char::is_alphanumeric)
            });
            assert!(!raw, "{name}: a colour belongs into tokens.toml: {line}");
        }
    }
}

#[test]
fn nothing_shouts_and_both_reading_directions_work() {
    for (name, text) in sheets() {
        assert!(!text.contains("!important"), "{name}");
        for property in [
            "margin-left",
            "margin-right",
            "padding-left",
            "padding-right",
            "text-align: left",
            "text-align: right",
        ] {
            assert!(!text.contains(property), "{name}: {property} has a logical name");
        }
    }
}

#[test]
fn the_built_sheet_keeps_its_layers_and_its_budget() {
    let out = Path::new(env!("OUT_DIR"));
    let named = |path: &Path, end: &str| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("core.") && name.ends_with(end)
    };
    let newest = |end: &str| {
        let files = built_files(out).into_iter().filter(|path| named(path, end));
        files.max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok())
    };
    let css = newest(".css").and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    // The minifier drops the order statement and prints the blocks in that order instead.
    let layers = ["tokens", "reset", "base", "layout", "components", "utilities", "surface"];
    let places: Vec<Option<usize>> =
        layers.iter().map(|layer| css.find(&format!("@layer {layer}{{"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    let packed = newest(".css.brotli").and_then(|path| fs::metadata(path).ok()).map(|data| data.len());
    assert!(packed.is_some_and(|bytes| bytes <= 20_000), "{packed:?} bytes");
}

fn built_files(out: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(out).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
