//! Which pictures may be relayed, besides those of the platforms' own hosts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Host;

use super::{Origin, value};

/// The image relay.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Images {
    #[serde(deserialize_with = "value::list")]
    pub origins: Vec<ImageOrigin>,
}

/// Where pictures may come from: `https://name[:port]`, or any scheme on a loopback address for a mirror on this
/// machine. Another address than loopback is refused: it would open somebody's network to every reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ImageOrigin(pub Origin);

impl FromStr for ImageOrigin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const REMEDY: &str = "not an origin of pictures: write https://images.example.com, or http://127.0.0.1:8000 \
            for a mirror on this machine";
        let origin: Origin = text.parse().map_err(|_| REMEDY)?;
        let is_good = match Host::parse(&origin.host) {
            Ok(Host::Ipv4(ip)) => ip.is_loopback(),
            Ok(Host::Ipv6(ip)) => ip.is_loopback(),
            Ok(Host::Domain(_)) => origin.scheme == "https",
            Err(_) => false,
        };
        if is_good { Ok(Self(origin)) } else { Err(REMEDY) }
    }
}
