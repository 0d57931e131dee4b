//! A catalogue whose two languages do not match is refused, by file and key.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

#[path = "../build/catalogue.rs"]
mod catalogue;

use catalogue::Area;

fn generate(en: &str, zh: &str) -> Result<String, Vec<String>> {
    catalogue::generate(&[Area { name: "shop".to_owned(), en: en.parse().unwrap(), zh: zh.parse().unwrap() }])
}

fn faults(en: &str, zh: &str) -> Vec<String> {
    generate(en, zh).expect_err("this catalogue has a fault")
}

#[test]
fn every_kind_of_fault_names_its_file_and_key() {
    for (en, zh, expected) in [
        ("a = \"x\"\nb = \"y\"", "a = \"甲\"", "locales/zh/shop.toml: b: missing here, present in en"),
        ("a = \"x\"", "a = \"甲\"\nb = \"乙\"", "locales/en/shop.toml: b: missing here, present in zh"),
        ("[t]\na = \"x\"", "[t]\na = \"\"", "locales/zh/shop.toml: t.a: is empty"),
        ("[t]\na = \"  \"", "[t]\na = \"甲\"", "locales/en/shop.toml: t.a: is empty"),
        ("a = \"TODO\"", "a = \"甲\"", "locales/en/shop.toml: a: still says TODO"),
        ("a = \"x\"", "a = [\"甲\"]", "locales/zh/shop.toml: a: has another shape"),
        ("a = [\"x\", \"y\"]", "a = [\"甲\"]", "locales/zh/shop.toml: a: en lists 2 entries, zh 1"),
        ("a = \"{n} x\"", "a = \"甲\"", "locales/zh/shop.toml: a: placeholders differ"),
        ("a = \"{n x\"", "a = \"{n} 甲\"", "locales/en/shop.toml: a: has an unmatched brace"),
        ("a = \"{N}\"", "a = \"{N}\"", "locales/en/shop.toml: a: placeholder {N}"),
        ("type = \"x\"", "type = \"甲\"", "locales/en/shop.toml: type: `type` is not a snake_case name"),
        (
            "[a]\none = \"{count} x\"\nother = \"{count} xs\"",
            "[a]\none = \"一\"\nother = \"{count} 个\"",
            "a plural here has exactly one key",
        ),
        (
            "[[l]]\na = \"x\"\n[[l]]\nb = \"y\"",
            "[[l]]\na = \"甲\"\n[[l]]\nb = \"乙\"",
            "locales/en/shop.toml: l: a list holds",
        ),
    ] {
        let found = faults(en, zh);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{expected:?} not in {found:?}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    assert_eq!(faults("a = \"\"\nb = \"TODO\"\nc = \"x\"", "a = \"甲\"\nb = \"乙\"").len(), 3);
}

#[test]
fn texts_become_fields_and_placeholders_become_arguments() {
    let source =
        generate("a = \"x\"\n[t]\nb = \"{z} of {a}\"", "a = \"甲\"\n[t]\nb = \"{a} 之 {z}\"").unwrap();
    assert!(source.contains("pub a: &'static str"));
    assert!(
        source.contains("pub fn b(&self, a: impl std::fmt::Display, z: impl std::fmt::Display) -> String")
    );
    assert!(source.contains("ZH: Catalogue = Catalogue { shop: Shop { a: \"甲\""));
}
