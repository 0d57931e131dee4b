use bytespike_ui::http::{ReferrerPolicy, SecurityHeaders, layers};
#[tokio::main]
async fn main() {
    let base = "http://127.0.0.1:41401";
    let router = bytespike_site::blog::router(bytespike_ui::Urls::single(base))
        .unwrap()
        .merge(bytespike_ui::theme::router())
        .merge(bytespike_ui::assets::router());
    let router = layers(router, SecurityHeaders { https: false, referrer: ReferrerPolicy::SameOrigin });
    axum::serve(tokio::net::TcpListener::bind("127.0.0.1:41401").await.unwrap(), router).await.unwrap();
}
