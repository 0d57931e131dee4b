//! What the list of posts and a post look like.

use super::feed;
use super::posts::{self, Post};
use bytespike_ui::format::iso_date;
use bytespike_ui::{Visit, layout};
use leptos::prelude::*;

/// All posts, newest first.
pub(super) fn list(visit: &Visit, posts: &[Post]) -> AnyView {
    let t = &visit.t().blog.list;
    let entries = posts.iter().map(|post| {
        view! {
            <li>
                <h2><a href=visit.link(&posts::path(post.slug))>{post.title.clone()}</a></h2>
                <p>{post.description.clone()}</p>
                {meta(visit, post)}
            </li>
        }
    });
    let content = view! {
        <header class="article-head">
            <h1>{t.title}</h1>
            <p class="lead">{t.lead}</p>
            <p class="article-meta"><a href=visit.link(feed::PATH)>{t.feed}</a></p>
        </header>
        <ol class="post-list">{entries.collect_view()}</ol>
    };
    layout::reading(visit, content)
}

/// The post at `position`, with the ways to its neighbours.
pub(super) fn post(visit: &Visit, posts: &[Post], position: usize) -> AnyView {
    let Some(post) = posts.get(position) else { return ().into_any() };
    let t = &visit.t().blog.post;
    let newer = position.checked_sub(1).and_then(|at| posts.get(at));
    let older = position.checked_add(1).and_then(|at| posts.get(at));
    let turn = |post: Option<&Post>, class: &'static str, word: &'static str| {
        post.map(|post| {
            let href = visit.link(&posts::path(post.slug));
            view! { <a class=class href=href><span>{word}</span><strong>{post.title.clone()}</strong></a> }
        })
    };
    let content = view! {
        <p class="article-back"><a href=visit.link("/blog")>{t.back}</a></p>
        <article>
            <header class="article-head">
                <h1>{post.title.clone()}</h1>
                <p class="lead">{post.description.clone()}</p>
                {meta(visit, post)}
            </header>
            <div class="prose" inner_html=post.document.html.clone()></div>
        </article>
        <nav class="docs-turn" aria-label=t.back>{turn(newer, "prev", t.newer)}{turn(older, "next", t.older)}</nav>
    };
    layout::reading(visit, content)
}

fn meta(visit: &Visit, post: &Post) -> AnyView {
    let minutes = visit.t().blog.post.minutes(post.document.minutes as u64);
    view! {
        <p class="article-meta">
            <time datetime=post.date.clone()>{iso_date(visit.locale, &post.date)}</time>
            <span>{minutes}</span>
        </p>
    }
    .into_any()
}
