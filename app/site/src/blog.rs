//! The blog: posts from `content/blog`, rendered once when the surface starts, and an Atom feed in each language.

mod feed;
mod posts;
mod view;

use crate::blog::posts::Posts;
use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::response::Response;
use axum::routing::get;
use bytespike_ui::markdown::Fault;
use bytespike_ui::{CachePolicy, Head, Page, Urls, Visit, error_page};
use serde_json::json;
use std::sync::Arc;

/// Every address of the blog, in both languages. Wrap it in [`bytespike_ui::http::layers`].
///
/// # Errors
/// A post is not valid, with its file named.
pub fn router(urls: Urls) -> Result<Router, Fault> {
    let blog = Blog { posts: Arc::new(Posts::build(&urls)?), urls };
    Ok(addresses().nest("/zh", addresses()).with_state(blog))
}

/// The paths of the blog's pages, for a sitemap; the same in both languages.
#[must_use]
pub fn paths() -> Vec<String> {
    let posts = posts::SLUGS.iter().map(|slug| posts::path(slug));
    std::iter::once("/blog".to_owned()).chain(posts).collect()
}

fn addresses() -> Router<Blog> {
    Router::new()
        .route("/blog", get(list))
        .route("/blog/feed.xml", get(feed::atom))
        .route("/blog/{slug}", get(post))
}

/// What a handler needs.
#[derive(Clone)]
struct Blog {
    posts: Arc<Posts>,
    urls: Urls,
}

impl FromRef<Blog> for Urls {
    fn from_ref(blog: &Blog) -> Self {
        blog.urls.clone()
    }
}

/// `GET /blog`
async fn list(State(blog): State<Blog>, visit: Visit) -> Response {
    let t = &visit.t().blog.list;
    let head = Head::new(t.title, t.description).feed(t.feed_title, visit.link(feed::PATH));
    let body = view::list(&visit, blog.posts.of(visit.locale));
    Page::new(head, CachePolicy::Content, || body).render(&visit).await
}

/// `GET /blog/<slug>`
async fn post(State(blog): State<Blog>, Path(slug): Path<String>, visit: Visit) -> Response {
    let posts = blog.posts.of(visit.locale);
    let Some(position) = posts.iter().position(|post| post.slug == slug) else {
        return error_page::not_found(&visit).await;
    };
    let Some(post) = posts.get(position) else { return error_page::not_found(&visit).await };
    let t = &visit.t().blog.list;
    let head = Head::new(&post.title, &post.description)
        .article()
        .feed(t.feed_title, visit.link(feed::PATH))
        .json_ld(json!({
            "@context": "https://schema.org",
            "@type": "BlogPosting",
            "headline": post.title,
            "description": post.description,
            "datePublished": post.date,
            "inLanguage": visit.locale.tag(),
            "url": visit.absolute(visit.locale, &posts::path(post.slug)),
            "author": {"@type": "Organization", "name": "ByteSpike"},
        }));
    let body = view::post(&visit, posts, position);
    Page::new(head, CachePolicy::Content, || body).render(&visit).await
}
