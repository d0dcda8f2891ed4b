//! Goal: who is here, who is away and who is silent is told right. Method: the table with made-up
//! times.

use ledger_core::{SecretKey, Validator};

use super::*;

fn key(number: u8) -> PublicKey {
    SecretKey::from_seed(&[number; 32]).public()
}

fn id(number: u8) -> PeerId {
    network::peer_id(&key(number)).unwrap()
}

fn validators(count: u8) -> ValidatorSet {
    let of = |number: u8| Validator {
        key: key(number),
        power: 1,
        name: format!("Ward {number}"),
    };
    ValidatorSet::new((0..count).map(of).collect()).unwrap()
}

fn peer(number: u8) -> Peer {
    Peer {
        key: key(number),
        address: ([10, 0, 0, number], 7000).into(),
    }
}

fn later(now: Now, seconds: u64) -> Now {
    Now {
        steady: now.steady + Duration::from_secs(seconds),
        micros: now.micros + seconds * 1_000_000,
    }
}

fn hello(sent_micros: u64, height: u64) -> Hello {
    Hello {
        sent_micros,
        height: Height(height),
        echoes: Vec::new(),
    }
}

#[test]
fn a_quorum_is_counted_and_said_in_words() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1), peer(2)]);
    let set = validators(4);
    peers.validators(&set);
    peers.connected(&id(1), now);
    let quorum = peers.quorum(&set, now);
    assert_eq!((quorum.present, quorum.needed), (2, 3));
    assert!(!quorum.is_reached());
    let said = quorum.to_string();
    assert!(said.starts_with("2 of 4 validators are heard; 3 must sign each block."));
    assert!(said.contains("Ward 2") && said.contains("Ward 3"), "{said}");
    assert!(said.contains("until one of them is back"), "{said}");

    // A validator that is heard through others is here as well.
    peers.hello(&id(3), &id(3), &hello(1, 9), now);
    assert!(peers.quorum(&set, now).is_reached());
    assert!(!peers.quorum(&set, later(now, 7)).is_reached());
}

#[test]
fn strangers_have_no_row() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1)]);
    peers.connected(&id(5), now);
    peers.hello(&id(5), &id(5), &hello(1, 1), now);
    assert_eq!(peers.status(now).len(), 1);
    assert!(!peers.any_connected());
    peers.list(&[]);
    assert!(peers.status(now).is_empty());
}

#[test]
fn a_silent_connection_is_renewed_once_in_a_while() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1), peer(2)]);
    peers.connected(&id(1), now);
    assert!(peers.silent(later(now, 5)).is_empty());
    peers.heard_directly(&id(1), later(now, 5));
    assert!(peers.silent(later(now, 10)).is_empty());
    assert_eq!(peers.silent(later(now, 11)), [peer(1)]);
    assert!(peers.silent(later(now, 12)).is_empty());
    assert_eq!(peers.silent(later(now, 17)), [peer(1)]);
}

#[test]
fn who_does_not_hear_us_is_dialled_anew() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1)]);
    peers.connected(&id(1), now);
    let says = |held: Duration, at: Now| {
        let echo = Echo {
            peer: key(0),
            sent_micros: 1,
            held_micros: held.as_micros() as u64,
        };
        let hello = Hello {
            echoes: vec![echo],
            ..hello(at.micros, 1)
        };
        peers.heard_directly(&id(1), at);
        peers.hello(&id(1), &id(1), &hello, at);
    };
    says(Duration::from_secs(9), later(now, 2));
    assert!(peers.silent(later(now, 3)).is_empty(), "it may mean before");
    says(Duration::from_secs(1), later(now, 8));
    assert!(peers.silent(later(now, 8)).is_empty());
    says(Duration::from_secs(7), later(now, 14));
    assert_eq!(peers.silent(later(now, 14)), [peer(1)]);
    assert!(peers.silent(later(now, 15)).is_empty());
}

/// A node that was started again, and whose first connection was dead in one direction from its beginning.
#[test]
fn who_never_heard_us_is_dialled_anew() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1)]);
    peers.connected(&id(1), now);
    for seconds in [1, 3, 5] {
        let at = later(now, seconds);
        assert!(peers.silent(at).is_empty(), "it may be on its way");
        peers.heard_directly(&id(1), at);
        peers.hello(&id(1), &id(1), &hello(at.micros, 1), at);
    }
    assert_eq!(peers.silent(later(now, 7)), [peer(1)]);
}

#[test]
fn two_nodes_learn_the_delay_and_their_clocks() {
    let start = Now::read();
    let ours = Peers::new(key(0), true, &[peer(1)]);
    let theirs = Peers::new(key(1), true, &[peer(0)]);
    // Their clock is an hour ahead; each way takes a second.
    let there = |now: Now| Now {
        micros: now.micros + 3_600_000_000,
        ..now
    };
    let first = ours.say_hello(Height(4), start);
    theirs.hello(&id(0), &id(0), &first, there(later(start, 1)));
    let answer = theirs.say_hello(Height(6), there(later(start, 3)));
    ours.hello(&id(1), &id(1), &answer, later(start, 4));
    let status = ours.status(later(start, 4))[0];
    assert_eq!(status.height, Some(Height(6)));
    assert_eq!(status.delay_micros, Some(1_000_000));
    let clock = status.clock.unwrap();
    assert_eq!(clock.ahead_micros, 3_600_000_000);
    assert_eq!(clock.within_micros, 1_000_000);
}

#[test]
fn another_node_under_our_key_is_noticed() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1)]);
    let echoed = |sent_micros: u64, at: Now| {
        let echo = Echo {
            peer: key(0),
            sent_micros,
            held_micros: 0,
        };
        let hello = Hello {
            echoes: vec![echo],
            ..hello(at.micros, 1)
        };
        peers.hello(&id(1), &id(1), &hello, at);
        peers.has_double(at)
    };
    assert!(!echoed(now.micros - 9, now), "from before the start");
    let own = peers.say_hello(Height(1), later(now, 1)).sent_micros;
    assert!(!echoed(now.micros - 9, later(now, 1)), "still");
    assert!(!echoed(own, later(now, 2)), "our own");
    assert!(echoed(own + 5, later(now, 3)));
    assert!(!peers.has_double(later(now, 70)), "gone for a while");
}

#[test]
fn nobody_else_can_repeat_a_hello() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1), peer(2)]);
    let heard = |at: Now| peers.status(at)[0].heard_millis_ago.map(|ago| ago / 1000);
    let first = peers.status(now)[0].key;
    let (one, other) = if first == key(1) { (1, 2) } else { (2, 1) };
    peers.hello(&id(one), &id(one), &hello(50, 3), now);
    for old in [50, 49] {
        peers.hello(&id(one), &id(other), &hello(old, 9), later(now, 4));
    }
    assert_eq!(heard(later(now, 4)), Some(4));
    peers.hello(&id(one), &id(other), &hello(51, 4), later(now, 4));
    assert_eq!(heard(later(now, 4)), Some(0));
    peers.hello(&id(one), &id(one), &hello(7, 4), later(now, 6));
    assert_eq!(heard(later(now, 6)), Some(0), "it set its clock back");
}

/// Goal: whoever was connected anew can be told so, also within the second in which the old connection
/// went, and the number of connections is the same.
#[test]
fn a_renewed_connection_is_a_new_one() {
    let now = Now::read();
    let peers = Peers::new(key(0), true, &[peer(1), peer(2)]);
    assert_eq!(peers.newest_connection(), None);
    peers.connected(&id(1), now);
    peers.connected(&id(2), later(now, 1));
    let before = peers.newest_connection();
    peers.disconnected(&id(1));
    assert_eq!(peers.newest_connection(), before);
    peers.connected(&id(1), later(now, 2));
    assert!(peers.newest_connection() > before);
    peers.disconnected(&id(1));
    assert_eq!(peers.newest_connection(), before);
}
