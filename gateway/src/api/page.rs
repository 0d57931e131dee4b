//! Lists a page at a time: how many are asked for, and whether more follow.

use super::answer::{Fault, invalid};

/// The longest page of any list.
pub const LONGEST: i64 = 200;

/// How many were asked for; `usual` when nobody said.
///
/// # Errors
/// None, or more than the longest page.
pub fn size(asked: Option<i64>, usual: i64) -> Result<i64, Fault> {
    let size = asked.unwrap_or(usual);
    match (1..=LONGEST).contains(&size) {
        true => Ok(size),
        false => Err(invalid(&format!("limit must be 1 to {LONGEST}")).with_param("limit").into()),
    }
}

/// Cuts rows, of which one more than a page was read, down to the page. The last row's id, where another page follows.
pub fn cut<T>(rows: &mut Vec<T>, size: i64, id: impl Fn(&T) -> &str) -> Option<String> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let has_more = rows.len() > size;
    rows.truncate(size);
    rows.last().filter(|_| has_more).map(|row| id(row).to_owned())
}
