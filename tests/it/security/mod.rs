//! The security requirements that hold for the whole product, each test named after the numbers it decides
//! (`tests/security.toml` has those that need none). Others are tested where their code is, under the same names.

mod count;
mod credentials;
mod egress;
mod forms;
mod headers;
mod hosts;
mod limits;
mod nul;
mod output;
mod reading;
mod secrets;
mod sessions;
mod source;
mod start;

use bytespike_tests::http::Call;
use bytespike_tests::person::Person;
use bytespike_tests::product::Product;

/// A request of this browser: its cookies, and the headers a form of ours would have.
fn as_browser(person: &Person, call: Call) -> Call {
    let cookies: Vec<String> = person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    call.header("cookie", cookies.join("; ")).header("sec-fetch-site", "same-origin")
}

/// What a page of the development server says where a letter would have gone.
fn token_in(link: &str) -> String {
    let (_, rest) = link.split_once("token=").unwrap_or_else(|| panic!("no token in {link}"));
    rest.split('&').next().unwrap_or_default().to_owned()
}

/// The one-time address of the first operator, from what the product printed.
fn first_operator_token(product: &Product) -> String {
    let log = product.log();
    let line = log.lines().find(|line| line.contains("/admin/first?token=")).expect("the printed address");
    token_in(line.trim())
}
