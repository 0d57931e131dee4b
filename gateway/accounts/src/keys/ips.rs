//! From which networks a key may be used.
use ipnet::IpNet;
use std::net::IpAddr;

/// Networks in a list, at most.
pub const MOST_NETWORKS: usize = 100;

/// A list of networks. Without one it is wherever the parent may be used from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IpRule {
    Any,
    Only(Vec<IpNet>),
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither an address nor a network such as 203.0.113.0/24 or 2001:db8::/32")]
pub struct NotANetwork(pub String);

impl IpRule {
    /// Reads addresses and networks. Of a network only the part that names it is kept; none at all is any.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NotANetwork> {
        let mut networks = Vec::new();
        for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            networks.push(network(text).ok_or_else(|| NotANetwork(text.to_owned()))?);
        }
        networks.sort_unstable();
        networks.dedup();
        Ok(if networks.is_empty() { Self::Any } else { Self::Only(networks) })
    }

    /// Whether a caller from there is let in.
    pub fn admits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        match self {
            Self::Any => true,
            Self::Only(networks) => networks.iter().any(|network| network.contains(&ip)),
        }
    }

    /// Whether everything this admits is admitted by the other; a list of its own is wanted below one.
    pub fn is_within(&self, above: &Self) -> bool {
        match (self, above) {
            (_, Self::Any) | (Self::Any, _) => true,
            (Self::Only(own), Self::Only(above)) => {
                own.iter().all(|network| above.iter().any(|wider| wider.contains(network)))
            }
        }
    }

    /// As people write them.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::Any => Vec::new(),
            Self::Only(networks) => networks.iter().map(ToString::to_string).collect(),
        }
    }

    /// A list that cannot be read admits nobody.
    pub(crate) fn from_stored(json: Option<&str>) -> Self {
        json.map_or(Self::Any, |json| Self::Only(serde_json::from_str(json).unwrap_or_default()))
    }

    pub(crate) fn to_stored(&self) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Only(_) => Some(serde_json::Value::from(self.texts()).to_string()),
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical()),
    };
    Some(network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(texts: &[&str]) -> IpRule {
        IpRule::parse(texts.iter().copied()).expect("networks")
    }

    #[test]
    fn a_list_admits_its_networks_in_both_families_and_nothing_else() {
        let rule = rule(&[" 203.0.113.77/24 ", "198.51.100.7", "2001:db8::/32", "::ffff:192.0.2.1"]);
        assert_eq!(rule.texts(), ["192.0.2.1/32", "198.51.100.7/32", "203.0.113.0/24", "2001:db8::/32"]);
        for (ip, admitted) in [
            ("203.0.113.1", true),
            ("::ffff:203.0.113.9", true),
            ("203.0.114.1", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("192.0.2.1", true),
        ] {
            assert_eq!(rule.admits(ip.parse().expect("an address")), admitted, "{ip}");
        }
        assert!(IpRule::Any.admits("192.0.2.9".parse().expect("an address")));
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["203.0.113.0/33", "example.com", "10.0.0", "*", "10.0.0.0/8,"] {
            assert_eq!(IpRule::parse([text]), Err(NotANetwork(text.to_owned())));
        }
        assert_eq!(IpRule::parse(["", "  "]), Ok(IpRule::Any));
    }

    #[test]
    fn a_list_is_within_another_when_each_of_its_networks_is() {
        let wide = rule(&["10.0.0.0/8", "2001:db8::/32"]);
        assert!(rule(&["10.1.0.0/16", "2001:db8:5::/48"]).is_within(&wide));
        assert!(
            !rule(&["10.1.0.0/16", "11.0.0.0/8"]).is_within(&wide) && !wide.is_within(&rule(&["10.0.0.0/9"]))
        );
        assert!(IpRule::Any.is_within(&wide), "no list of its own means the parent's");
    }

    #[test]
    fn rules_survive_being_stored_and_what_cannot_be_read_admits_nobody() {
        for rule in [IpRule::Any, rule(&["10.0.0.0/8", "::1"])] {
            assert_eq!(IpRule::from_stored(rule.to_stored().as_deref()), rule);
        }
        let broken = IpRule::from_stored(Some("[broken"));
        assert!(!broken.admits("10.0.0.1".parse().expect("an address")));
    }
}
