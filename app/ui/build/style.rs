//! Style sheets: tokens become custom properties, the sheets of `style/` are joined in layer order, checked and minified.

use crate::assets::Files;
use lightningcss::printer::PrinterOptions;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, StyleSheet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};
use toml::Table;

/// The first line of the sheet fixes which layer wins; files name their own layer.
const LAYERS: &str = "@layer tokens, reset, base, layout, components, utilities, surface;\n";

/// `core.css` and its bytes.
pub fn bundle(folder: &Path) -> Result<Files, Box<dyn Error>> {
    let tokens: Table = fs::read_to_string(folder.join("tokens.toml"))?.parse()?;
    let mut sheet = format!("{LAYERS}@layer tokens {{\n{}}}\n", properties(&tokens)?);
    for name in sheets(folder)? {
        let text = fs::read_to_string(folder.join(&name))?;
        minify(&name, &text)?; // a fault is reported against its own file
        sheet.push_str(&text);
    }
    let css = minify("core.css", &sheet)?;
    Ok(vec![("core.css".to_owned(), css.into_bytes())])
}

fn sheets(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".css") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn minify(name: &str, text: &str) -> Result<String, String> {
    let fault = |what: String| format!("style/{name}: {what}");
    let options = ParserOptions { filename: name.to_owned(), ..ParserOptions::default() };
    let mut sheet = StyleSheet::parse(text, options).map_err(|error| fault(error.to_string()))?;
    sheet.minify(MinifyOptions::default()).map_err(|error| fault(error.to_string()))?;
    let printed = sheet.to_css(PrinterOptions { minify: true, ..PrinterOptions::default() });
    printed.map(|result| result.code).map_err(|error| fault(error.to_string()))
}

/// Light by default, dark by the system's wish unless the visitor chose, and by the visitor's choice.
fn properties(tokens: &Table) -> Result<String, Box<dyn Error>> {
    let shared = declarations(section(tokens, "shared")?)?;
    let light = declarations(section(tokens, "light")?)?;
    let dark = declarations(section(tokens, "dark")?)?;
    Ok(format!(
        ":root {{ color-scheme: light; {shared}{light} }}\n\
         @media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ color-scheme: dark; {dark} }} }}\n\
         :root[data-theme=dark], .night {{ color-scheme: dark; {dark} }}\n\
         @media print {{ :root, :root:not([data-theme=light]), :root[data-theme=dark] {{ color-scheme: light; {light} }} }}\n"
    ))
}

fn section<'t>(tokens: &'t Table, name: &str) -> Result<&'t Table, String> {
    tokens
        .get(name)
        .and_then(toml::Value::as_table)
        .ok_or_else(|| format!("style/tokens.toml: [{name}] is missing"))
}

fn declarations(section: &Table) -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    for (name, value) in section {
        let value = value.as_str().ok_or_else(|| format!("style/tokens.toml: {name} must be a text"))?;
        write!(out, "--{name}: {value}; ")?;
    }
    Ok(out)
}
