//! Nodes that announce themselves on this network by mDNS (RFC 6762, RFC 6763): found, not trusted.
//!
//! Everybody on the network can hear an announcement and can make one. So it says as little as finds a
//! node again: a number that is new at each start, the port, and the first digits of a digest of the
//! chain's id, by which a node knows its own consortium and a stranger knows nothing. No name of a hospital
//! or a node is in it. What is heard is shown to people and used for nothing: whom this node talks to is on
//! the ledger. At most [`MAX_FOUND`] are kept, and what has another form is dropped.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fog_api::FoundNode;
use ledger_core::{ChainId, Digest};
use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};

use crate::keystore::random;
use crate::node::Node;

const SERVICE: &str = "_fogward._tcp.local.";
const TAG: &[u8] = b"fogward/nearby/1\0";
/// Name of the text that tells the chain.
const CHAIN_TEXT: &str = "c";
/// Digits of it.
const CHAIN_DIGITS: usize = 8;
/// Nodes kept at most.
const MAX_FOUND: usize = 64;
/// Longest name of an announcement that is kept.
const MAX_NAME_BYTES: usize = 255;
/// How often it is looked whether the address or the switch has changed.
const LOOK: Duration = Duration::from_secs(5);

/// Whether a node announces itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Announce {
    /// Where it listens for others than this machine.
    #[default]
    Lan,
    /// Also where it listens on this machine only.
    Always,
    /// Not at all.
    Never,
}

impl Announce {
    /// Whether a node that listens at `listen` announces itself.
    fn applies(self, listen: SocketAddr) -> bool {
        match self {
            Self::Lan => !listen.ip().is_loopback(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// A node heard on this network.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Heard {
    chain: String,
    address: SocketAddr,
    at: Instant,
}

/// The nodes heard.
#[derive(Default)]
pub(super) struct Nearby(Mutex<BTreeMap<String, Heard>>);

impl Nearby {
    fn heard(&self) -> MutexGuard<'_, BTreeMap<String, Heard>> {
        // One entry comes or goes at a time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For people, in order of their addresses.
    pub(super) fn rows(&self, chain: ChainId) -> Vec<FoundNode> {
        let own = digits(chain);
        let heard = self.heard();
        let rows = heard.values().map(|one| FoundNode {
            chain: one.chain.clone(),
            same_chain: one.chain == own,
            address: one.address.to_string(),
            heard_ms_ago: u64::try_from(one.at.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|one, other| one.address.cmp(&other.address));
        rows
    }

    /// Takes what was heard.
    fn take(&self, event: ServiceEvent, own: &str) {
        match event {
            ServiceEvent::ServiceResolved(found) if found.fullname != own => {
                let Some(read) = read(&found) else { return };
                let mut heard = self.heard();
                if heard.len() < MAX_FOUND || heard.contains_key(&found.fullname) {
                    heard.insert(found.fullname.clone(), read);
                }
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                self.heard().remove(&name);
            }
            _ => {}
        }
    }
}

/// Reads an announcement; nothing that has another form.
fn read(found: &ResolvedService) -> Option<Heard> {
    let chain = found.txt_properties.get_property_val_str(CHAIN_TEXT)?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_chain = chain.len() == CHAIN_DIGITS && chain.bytes().all(is_digit);
    if !is_chain || found.port == 0 || found.fullname.len() > MAX_NAME_BYTES {
        return None;
    }
    let addresses = found.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
    // The same one each time, IPv4 before IPv6.
    let address = addresses.min()?;
    Some(Heard {
        chain: chain.to_owned(),
        address: SocketAddr::new(address, found.port),
        at: Instant::now(),
    })
}

/// What a network is told of a chain.
fn digits(chain: ChainId) -> String {
    let digest = Digest::of(&[TAG, &chain.0.0].concat());
    hex::encode(&digest.0[..CHAIN_DIGITS / 2])
}

/// A node that announces itself and listens for others; both end when it is dropped.
struct Announced {
    daemon: ServiceDaemon,
    name: String,
    events: Receiver<ServiceEvent>,
}

impl Announced {
    fn begin(listen: SocketAddr, chain: ChainId) -> anyhow::Result<Self> {
        let daemon = ServiceDaemon::new().context("mDNS cannot be used")?;
        let number = hex::encode(random::<8>()?);
        let host = format!("fogward-{number}.local.");
        let texts = [(CHAIN_TEXT, digits(chain))];
        let port = listen.port();
        let is_any = listen.ip().is_unspecified();
        // Heard and told only where the node listens.
        daemon.disable_interface(IfKind::All)?;
        let info = if is_any {
            daemon.enable_interface(vec![IfKind::IPv4, IfKind::IPv6])?;
            daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
            ServiceInfo::new(SERVICE, &number, &host, (), port, &texts[..])?.enable_addr_auto()
        } else {
            daemon.enable_interface(interface(listen.ip()))?;
            ServiceInfo::new(SERVICE, &number, &host, listen.ip(), port, &texts[..])?
        };
        let name = info.get_fullname().to_owned();
        let events = daemon.browse(SERVICE)?;
        daemon.register(info)?;
        Ok(Self {
            daemon,
            name,
            events,
        })
    }
}

/// The interface that has this address.
fn interface(address: IpAddr) -> IfKind {
    match address {
        IpAddr::V4(address) if address.is_loopback() => IfKind::LoopbackV4,
        IpAddr::V6(address) if address.is_loopback() => IfKind::LoopbackV6,
        address => IfKind::Addr(address),
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Says goodbye; a daemon that is gone already has nobody to say it.
        let _ = self.daemon.unregister(&self.name);
        let _ = self.daemon.shutdown();
    }
}

/// Announces the node and listens for others, until the node is gone.
pub(crate) async fn keep_nearby(node: Weak<Node>) {
    let mut announced: Option<(SocketAddr, Announced)> = None;
    loop {
        let Some(running) = node.upgrade() else {
            return;
        };
        let listen = running.membership.settings().listen;
        let wanted = listen.filter(|listen| running.announce.applies(*listen));
        if announced.as_ref().map(|(at, _)| *at) != wanted {
            drop(announced.take());
            running.membership.nearby.heard().clear();
            announced = wanted.and_then(|at| match Announced::begin(at, running.chain) {
                Ok(begun) => Some((at, begun)),
                Err(error) => {
                    tracing::warn!(%error, "this node does not announce itself on its network");
                    None
                }
            });
        }
        let nearby = Arc::clone(&running.membership.nearby);
        drop(running);
        let look = tokio::time::sleep(LOOK);
        tokio::pin!(look);
        loop {
            tokio::select! {
                () = &mut look => break,
                event = next(announced.as_ref()) => match (event, &announced) {
                    (Some(event), Some((_, own))) => nearby.take(event, &own.name),
                    _ => {
                        // The daemon has ended by itself.
                        look.as_mut().await;
                        announced = None;
                        break;
                    }
                },
            }
        }
    }
}

async fn next(announced: Option<&(SocketAddr, Announced)>) -> Option<ServiceEvent> {
    match announced {
        Some((_, announced)) => announced.events.recv_async().await.ok(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    //! Goal: two nodes hear each other, and what has another form is not heard. Method: two on the
    //! loopback interface; announcements made up.
    use super::*;

    const CHAIN: ChainId = ChainId(Digest([7; 32]));

    fn resolved(text: &str, port: u16) -> Option<Heard> {
        let texts = [(CHAIN_TEXT, text)];
        let address = "192.0.2.7".parse::<IpAddr>().unwrap();
        let info = ServiceInfo::new(SERVICE, "a", "a.local.", address, port, &texts[..]).unwrap();
        read(&info.as_resolved_service())
    }

    #[test]
    fn only_announcements_of_the_known_form_are_kept() {
        let heard = resolved("0123abcd", 7401).unwrap();
        assert_eq!(heard.address, "192.0.2.7:7401".parse().unwrap());
        for (text, port) in [
            ("0123abcd", 0),
            ("0123abc", 7401),
            ("0123abcde", 7401),
            ("0123abcg", 7401),
            ("Harbour!", 7401),
            ("", 7401),
        ] {
            assert_eq!(resolved(text, port), None, "{text}");
        }
    }

    #[test]
    fn the_number_of_nodes_is_bounded_and_says_no_chain_id() {
        let nearby = Nearby::default();
        for number in 0..2 * MAX_FOUND {
            let texts = [(CHAIN_TEXT, digits(CHAIN))];
            let name = format!("n{number}");
            let address = "192.0.2.7".parse::<IpAddr>().unwrap();
            let info =
                ServiceInfo::new(SERVICE, &name, "a.local.", address, 7401, &texts[..]).unwrap();
            let found = Box::new(info.as_resolved_service());
            nearby.take(ServiceEvent::ServiceResolved(found), "own");
        }
        let rows = nearby.rows(CHAIN);
        assert_eq!(rows.len(), MAX_FOUND);
        assert!(rows.iter().all(|row| row.same_chain));
        assert!(!CHAIN.to_string().contains(&rows[0].chain));
        assert!(!nearby.rows(ChainId(Digest([8; 32])))[0].same_chain);
    }

    #[test]
    fn a_node_on_this_machine_only_announces_itself_when_told_to() {
        let (here, lan) = ("127.0.0.1:7401", "0.0.0.0:7401");
        for (announce, at_home, abroad) in [
            (Announce::Lan, false, true),
            (Announce::Always, true, true),
            (Announce::Never, false, false),
        ] {
            assert_eq!(announce.applies(here.parse().unwrap()), at_home);
            assert_eq!(announce.applies(lan.parse().unwrap()), abroad);
        }
    }

    #[tokio::test]
    async fn two_nodes_hear_each_other() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let one = Announced::begin(at(7401), CHAIN).unwrap();
        let other = Announced::begin(at(7501), ChainId(Digest([8; 32]))).unwrap();
        let nearby = Nearby::default();
        let hearing = async {
            while !nearby
                .rows(CHAIN)
                .iter()
                .any(|row| row.address == "127.0.0.1:7501" && !row.same_chain)
            {
                let event = one.events.recv_async().await.unwrap();
                nearby.take(event, &one.name);
            }
        };
        tokio::time::timeout(Duration::from_secs(30), hearing)
            .await
            .expect("the other node is heard");
        drop(other);
    }
}
