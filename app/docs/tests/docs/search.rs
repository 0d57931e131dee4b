//! The search page, asked as a form asks it.

use crate::support::{between, docs, get, pieces};

/// The addresses found, best first.
async fn found(path_and_query: &str) -> Vec<String> {
    let answer = get(&docs(), path_and_query).await;
    assert_eq!(answer.header("cache-control"), "private, max-age=60");
    let results = between(&answer.text, "<ol>", "</ol>").unwrap_or_default();
    pieces(results, "<h2><a href=\"", "\"").collect()
}

#[tokio::test]
async fn english_words_are_found_where_they_matter_most() {
    assert!(found("/docs/search?q=receipt").await[0].starts_with("/docs/receipts"));
    assert!(found("/docs/search?q=self-hosting").await[0].starts_with("/docs/self-hosting"));
    assert!(found("/docs/search?q=leaked%20keys").await[0].starts_with("/docs/keys-api"));
}

#[tokio::test]
async fn names_of_headers_and_codes_are_found() {
    let pages = found("/docs/search?q=X-Should-Retry").await;
    assert!(pages.iter().any(|page| page.starts_with("/docs/errors")), "{pages:?}");
    assert!(found("/docs/search?q=spend_window_exceeded").await[0].contains("spend_window_exceeded"));
}

#[tokio::test]
async fn chinese_is_found_in_chinese() {
    assert!(
        found("/zh/docs/search?q=%E6%B5%81%E5%BC%8F%E5%93%8D%E5%BA%94").await[0]
            .starts_with("/zh/docs/streaming")
    );
    assert!(
        found("/zh/docs/search?q=%E6%94%B6%E6%8D%AE")
            .await
            .iter()
            .any(|page| page.starts_with("/zh/docs/receipts"))
    );
    assert!(found("/docs/search?q=%E6%B5%81%E5%BC%8F").await.is_empty(), "an English index holds no Chinese");
}

#[tokio::test]
async fn nothing_and_nonsense_are_answered_kindly() {
    assert!(found("/docs/search").await.is_empty());
    assert!(found("/docs/search?q=zzzzqqq").await.is_empty());
    let answer = get(&docs(), "/docs/search?q=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!answer.text.contains("<script>alert"), "what was typed is escaped");
    assert!(answer.text.contains("noindex"));
}
