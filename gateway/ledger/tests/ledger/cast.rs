//! Who takes part in a history: orgs, and the keys that call for them.
use bytespike_ledger::{NodeId, Payer};

pub fn org_id(number: usize) -> String {
    format!("org_{number}")
}

/// Four keys of the first org in a tree three deep, over two deployments and two members; one key of each other org.
pub fn payer(number: usize) -> Payer {
    let (org, path, deployment, member): (usize, &[&str], _, _) = match number {
        0 => (0, &["root"], 0, 0),
        1 => (0, &["root", "branch"], 0, 0),
        2 => (0, &["root", "branch", "leaf"], 1, 1),
        3 => (0, &["other"], 1, 0),
        4 => (1, &["east"], 2, 2),
        _ => (2, &["west"], 3, 3),
    };
    Payer {
        org_id: org_id(org),
        deployment_id: format!("dep_{deployment}"),
        member_id: format!("mem_{member}"),
        key_path: path.iter().map(|id| (*id).to_owned()).collect(),
    }
}

/// Every node that a payer has, with its org.
pub fn node(number: usize) -> (String, NodeId) {
    let mut nodes: Vec<(String, NodeId)> = Vec::new();
    for payer in (0..crate::steps::PAYERS).map(payer) {
        for node in payer.nodes() {
            if !nodes.iter().any(|(_, known)| *known == node) {
                nodes.push((payer.org_id.clone(), node));
            }
        }
    }
    assert_eq!(nodes.len(), crate::steps::NODES);
    nodes.swap_remove(number)
}
