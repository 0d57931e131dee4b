//! What a command says to whoever ran it.

/// Its result, on standard output.
#[expect(clippy::print_stdout, reason = "the command's result")]
pub fn say(text: &str) {
    println!("{text}");
}

/// What belongs beside the result, on standard error: a script that captures the result captures nothing else.
#[expect(clippy::print_stderr, reason = "for the person, not for the script")]
pub fn note(text: &str) {
    eprintln!("{text}");
}
