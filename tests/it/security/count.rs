//! Every requirement has a test that bears its number, or a reason in `tests/security.toml`.

use std::collections::BTreeSet;
use std::path::Path;

const LAST: u32 = 148;

/// The numbers in the name of a test: `s64_s65_n2_who_says` bears 64 and 65.
fn numbers_in(name: &str) -> BTreeSet<u32> {
    let is_number = |part: &&str| {
        part.strip_prefix(|letter: char| letter.is_ascii_lowercase())
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let numbers = name.split('_').take_while(is_number);
    numbers.filter_map(|part| part.strip_prefix('s')?.parse().ok()).collect()
}

/// The numbers that the tests of a file bear: functions behind `#[test]` or `#[tokio::test]`, and code in the documentation
/// that must not compile, behind a sentence that begins with the number.
fn numbers_of(source: &str) -> BTreeSet<u32> {
    let tests = source.split("#[test]").skip(1).chain(source.split("#[tokio::test").skip(1));
    let names = tests.filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
    let mut documented = source.split("```compile_fail").collect::<Vec<_>>();
    documented.pop();
    let documented = documented.into_iter().filter_map(|before| {
        let (_, number) = before.rsplit_once("/// S-").filter(|(_, rest)| rest.lines().count() <= 3)?;
        number.split_once(':')?.0.parse().ok()
    });
    names.flat_map(|(name, _)| numbers_in(name)).chain(documented).collect()
}

fn gather(folder: &Path, found: &mut BTreeSet<u32>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "target" | "node_modules" | ".git") {
            gather(&path, found);
        } else if name.ends_with(".rs") {
            found.extend(numbers_of(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_requirement_is_tested_by_its_number_or_has_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut tested = BTreeSet::new();
    for folder in ["app", "gateway", "server", "tests"] {
        gather(&root.join(folder), &mut tested);
    }
    let table: toml::Table =
        std::fs::read_to_string(root.join("tests/security.toml")).unwrap().parse().unwrap();
    let mut reasoned = BTreeSet::new();
    for row in table["requirement"].as_array().expect("rows") {
        let number =
            row["number"].as_integer().and_then(|number| u32::try_from(number).ok()).expect("a number");
        let why = row["why"].as_str().expect("a reason");
        assert!(why.split_whitespace().count() >= 6, "S-{number}: a reason in words");
        assert!(reasoned.insert(number), "S-{number} stands twice in tests/security.toml");
        assert!(!tested.contains(&number), "S-{number} has a test: take its row out of tests/security.toml");
    }
    for row in table["amended"].as_array().expect("rows") {
        let number =
            row["number"].as_integer().and_then(|number| u32::try_from(number).ok()).expect("a number");
        assert!(tested.contains(&number) && row["how"].is_str(), "S-{number} is amended and has no test");
    }
    let missing: Vec<u32> = (1..=LAST).filter(|n| !tested.contains(n) && !reasoned.contains(n)).collect();
    assert!(missing.is_empty(), "neither tested by number nor reasoned: {missing:?}");
    let unknown: Vec<u32> = tested.union(&reasoned).copied().filter(|n| *n == 0 || *n > LAST).collect();
    assert!(unknown.is_empty(), "there is no such requirement: {unknown:?}");
}

#[test]
fn numbers_are_read_from_the_names_of_tests_alone() {
    assert_eq!(numbers_in("s64_s65_n2_who_says_s9_nothing"), BTreeSet::from([64, 65]));
    assert_eq!(numbers_in("a_test_of_s9"), BTreeSet::new());
    let source =
        "#[test]\nfn s3_a() {}\nfn s4_helper() {}\n#[tokio::test(flavor = \"x\")]\nasync fn s05_b() {}";
    assert_eq!(numbers_of(source), BTreeSet::from([3, 5]));
    let documented = "/// S-7: nobody does.\n///\n/// ```compile_fail\n/// x\n/// ```\n/// S-8: not followed by code.\nfn x() {}";
    assert_eq!(numbers_of(documented), BTreeSet::from([7]));
}
