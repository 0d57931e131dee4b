//! Who is measured: ByteSpike, started here, and other gateways by their address.

use std::net::SocketAddr;

use bytespike_tests::person::Person;
use bytespike_tests::product::{Product, Setup};

/// A gateway, or the provider itself.
pub struct Target {
    pub name: String,
    /// What stands before `/chat/completions`.
    pub url: String,
    pub key: String,
    /// What the provider's plain model is called there; its slow one has `-lat50` behind that.
    pub model: String,
    /// Whose CPU is counted.
    pub pid: Option<u32>,
}

impl Target {
    /// The provider, without anything between.
    pub fn direct(provider: SocketAddr) -> Self {
        let url = format!("http://{provider}/v1");
        Self { name: "direct".to_owned(), url, key: "none".to_owned(), model: "mock".to_owned(), pid: None }
    }

    /// `NAME=BASE_URL[,key=…][,model=…][,pid=…]`
    pub fn parse(spec: &str) -> Self {
        let (name, rest) =
            spec.split_once('=').unwrap_or_else(|| panic!("NAME=BASE_URL,… is wanted, not {spec}"));
        let mut parts = rest.split(',');
        let url = parts.next().unwrap_or_default().trim_end_matches('/').to_owned();
        let mut target =
            Self { name: name.to_owned(), url, key: "none".to_owned(), model: "mock".to_owned(), pid: None };
        for part in parts {
            match part.split_once('=') {
                Some(("key", key)) => target.key = key.to_owned(),
                Some(("model", model)) => target.model = model.to_owned(),
                Some(("pid", pid)) => target.pid = Some(pid.parse().expect("a process id")),
                _ => panic!("key=, model= or pid= is wanted, not {part}"),
            }
        }
        target
    }
}

/// ByteSpike with everything on: an account, a key, credit, receipts.
pub async fn ours(provider: SocketAddr) -> (Target, Product) {
    let product = Setup::default()
        .trial_grant(1_000_000_000)
        .settings("[log]\nlevel = \"warn\"")
        .model("mock", "1.00")
        .model("mock-lat50", "1.00")
        .channel("openai-chat", &format!("http://{provider}/v1"), &["mock", "mock-lat50"])
        .start()
        .await;
    let mut person = Person::new(&product, "bench@example.com");
    person.sign_up().await;
    let key = person.create_key("bench", &[]).await;
    let (url, pid) = (product.at("/v1"), Some(product.pid()));
    (Target { name: "bytespike".to_owned(), url, key, model: "mock".to_owned(), pid }, product)
}
