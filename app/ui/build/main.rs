//! Builds the typed locale catalogue, the style sheets and the asset table into `OUT_DIR`.

mod assets;
mod catalogue;
mod style;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(clippy::print_stdout, reason = "cargo reads a build script's output")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its output folder this way")]
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for folder in ["locales", "style", "public"] {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
    }
    println!("cargo:rerun-if-changed=build");

    let areas = read_areas(&root.join("locales"))?;
    let source = catalogue::generate(&areas).map_err(|faults| report("locale catalogue", &faults))?;
    fs::write(out.join("catalogue.rs"), source)?;

    let sheets = style::bundle(&root.join("style"))?;
    assets::write(&root.join("public"), sheets, &out)?;
    Ok(())
}

fn read_areas(root: &Path) -> Result<Vec<catalogue::Area>, Box<dyn Error>> {
    let (en, zh) = (names(&root.join("en"))?, names(&root.join("zh"))?);
    let alone: Vec<String> = en
        .iter()
        .filter(|name| !zh.contains(name))
        .map(|name| format!("locales/zh/{name}.toml: missing, present in en"))
        .chain(
            zh.iter()
                .filter(|name| !en.contains(name))
                .map(|name| format!("locales/en/{name}.toml: missing, present in zh")),
        )
        .collect();
    if !alone.is_empty() {
        return Err(report("locale catalogue", &alone).into());
    }
    en.into_iter()
        .map(|name| Ok(catalogue::Area { en: read(root, "en", &name)?, zh: read(root, "zh", &name)?, name }))
        .collect()
}

fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            names.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn read(root: &Path, lang: &str, name: &str) -> Result<toml::Table, Box<dyn Error>> {
    let path = root.join(lang).join(format!("{name}.toml"));
    let text = fs::read_to_string(&path)?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()).into())
}

fn report(what: &str, faults: &[String]) -> String {
    format!("{what}: {} fault(s)\n{}", faults.len(), faults.join("\n"))
}
