//! `GET /blog/feed.xml`: Atom with whole posts.

use super::Blog;
use super::posts::{self, Post};
use axum::extract::State;
use axum::response::Response;
use bytespike_ui::page::text;
use bytespike_ui::{CachePolicy, Visit};
use std::fmt::Write as _;

/// The path both languages share.
pub(super) const PATH: &str = "/blog/feed.xml";

pub(super) async fn atom(State(blog): State<Blog>, visit: Visit) -> Response {
    let feed = write(&visit, blog.posts.of(visit.locale));
    text("application/atom+xml; charset=utf-8", feed, CachePolicy::Text)
}

fn write(visit: &Visit, posts: &[Post]) -> String {
    let t = &visit.t().blog.list;
    let here = escape(&visit.absolute(visit.locale, PATH));
    let page = escape(&visit.absolute(visit.locale, "/blog"));
    let updated = posts.iter().map(|post| post.date.as_str()).max().unwrap_or("1970-01-01");
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{page}</id>\n<title>{}</title>\n<subtitle>{}</subtitle>\n<updated>{updated}T00:00:00Z</updated>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{here}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{page}\"/>\n<author><name>ByteSpike</name></author>\n",
        visit.locale.tag(),
        escape(t.feed_title),
        escape(t.description),
    );
    for post in posts {
        entry(&mut out, visit, post);
    }
    out.push_str("</feed>\n");
    out
}

fn entry(out: &mut String, visit: &Visit, post: &Post) {
    let address = escape(&visit.absolute(visit.locale, &posts::path(post.slug)));
    let Post { title, description, date, feed_html, .. } = post;
    let _ = write!(
        out, // writing to a String cannot fail
        "<entry>\n<id>{address}</id>\n<title>{}</title>\n<published>{date}T00:00:00Z</published>\n\
         <updated>{date}T00:00:00Z</updated>\n<link rel=\"alternate\" type=\"text/html\" href=\"{address}\"/>\n\
         <summary>{}</summary>\n<content type=\"html\">{}</content>\n</entry>\n",
        escape(title),
        escape(description),
        escape(feed_html),
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
