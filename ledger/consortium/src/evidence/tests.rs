//! Goal: a validator that signs two different things is caught, its signatures kept over a restart, and
//! nobody is accused by forged ones. Method: three real nodes over loopback and a fourth validator that
//! is only a network and a key, so that it can lie; then the book by itself, with made-up votes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_malachitebft_app_channel::app::engine::network::{Msg, NetworkRef};
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core::{Context as _, NilOrVal, Round};
use arc_malachitebft_signing::Signer as _;
use ledger_core::access::POLICY_ENGINE;
use ledger_core::genesis::{Member, Parameters};
use ledger_core::governance::{Organisation, Thresholds};
use ledger_core::{Genesis, OrganisationId, SecretKey, Validator};
use ledger_store::Replica;

use super::*;
use crate::adapter::signing::ChainSigner;
use crate::adapter::{Address, BlockHeight, ValueHash};
use crate::network::{self, Settings};
use crate::peers::Peers;
use crate::{Consortium, ConsortiumConfig, Peer, engine, watch};

const LIAR: u8 = 3;

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

fn genesis() -> Genesis {
    let id = OrganisationId([1; 16]);
    let validators = (0..4).map(|number| Validator {
        key: key(number).public(),
        power: 1,
        name: format!("validator {number}"),
    });
    let members = (0..4).map(|number| {
        let name = format!("node {number}");
        Member::with_one_key(key(number).public(), name, id)
    });
    Genesis {
        name: "test".into(),
        time_millis: 1,
        validators: ValidatorSet::new(validators.collect()).unwrap(),
        organisations: vec![Organisation::new(id, "one".into(), vec![key(0).public()])],
        members: members.collect(),
        thresholds: Thresholds::default(),
        parameters: Parameters::default(),
        nonce: Digest::ZERO,
        policy_engine: POLICY_ENGINE.into(),
    }
}

fn config(
    home: &Path,
    number: u8,
    addresses: &[SocketAddr],
    found: impl FnOnce(&Replica),
) -> ConsortiumConfig {
    let home = home.join(number.to_string());
    std::fs::create_dir_all(&home).unwrap();
    let replica = Replica::open(home.join("ledger.db")).unwrap();
    let new = replica.read().unwrap().tip().is_none();
    if new {
        found(&replica);
    }
    let peers = (0..).zip(addresses).map(|(other, address)| Peer {
        key: key(other).public(),
        address: *address,
    });
    ConsortiumConfig {
        home: home.join("consensus"),
        replica: Arc::new(replica),
        validator_key: key(number),
        listen: Some(addresses[usize::from(number)]),
        peers: peers.collect(),
    }
}

/// The liar's network, and who it sees.
async fn liar(config: &ConsortiumConfig, signer: &ChainSigner) -> (NetworkRef<Chain>, Peers) {
    let me = config.validator_key.public();
    let settings = Settings::new(&me, config).unwrap();
    let keypair = network::identity(&config.validator_key).unwrap();
    let identity = engine::network_identity(me, signer, keypair).await.unwrap();
    let (network, _) = network::start(&settings, identity).await.unwrap();
    let (heard, _) = tokio::sync::mpsc::channel(1);
    let peers = Peers::new(me, true, &config.peers);
    watch::start(&network, peers.clone(), heard).await.unwrap();
    (network, peers)
}

/// Two prevotes of the liar for the first height: for a block and for none.
async fn lies(signer: &ChainSigner) -> [SignedConsensusMsg<Chain>; 2] {
    let vote = async |value| {
        let (height, round) = (BlockHeight(Height(1)), Round::new(0));
        let voter = Address(key(LIAR).public());
        let vote = Chain.new_prevote(height, round, value, voter);
        SignedConsensusMsg::Vote(signer.sign_vote(vote).await.unwrap())
    };
    let block = ValueHash(Digest::of(b"no block at all"));
    [vote(NilOrVal::Val(block)).await, vote(NilOrVal::Nil).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_votes_twice_is_caught() {
    let home = tempfile::tempdir().unwrap();
    let genesis = genesis();
    let founder = Replica::open(home.path().join("founder.db")).unwrap();
    founder.found(&genesis, &key(0)).unwrap();
    let first = founder.read().unwrap().block(Height(0)).unwrap().unwrap();
    let listeners: Vec<_> = (0..4)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .collect();
    let addresses = listeners.iter().map(|one| one.local_addr().unwrap());
    let addresses: Vec<_> = addresses.collect();
    drop(listeners);
    let join = |replica: &Replica| {
        replica.join(&genesis, &first).unwrap();
    };
    let signer = ChainSigner {
        chain: genesis.chain_id(),
        key: key(LIAR),
    };
    // The liar is there first, so that its votes are not too late for the first height.
    let own = config(home.path(), LIAR, &addresses, join);
    let (network, seen) = liar(&own, &signer).await;
    let lies = lies(&signer).await;
    let mut nodes = Vec::new();
    for number in 0..LIAR {
        let config = config(home.path(), number, &addresses, join);
        nodes.push(Consortium::start(config).await.unwrap());
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while !nodes.iter().any(|node| !node.evidence().is_empty()) {
        assert!(Instant::now() < deadline, "the liar was not caught");
        if seen.any_connected() {
            for lie in lies.clone() {
                network.cast(Msg::PublishConsensusMsg(lie)).unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let number = nodes.iter().position(|node| !node.evidence().is_empty());
    let number = number.unwrap() as u8;
    let evidence = nodes[usize::from(number)].evidence();
    assert_eq!(evidence.len(), 1);
    assert_eq!(evidence[0].offence.validator(), key(LIAR).public());
    assert_eq!(evidence[0].offence.height(), Height(1));
    network.stop(None);
    for node in nodes {
        node.shutdown().await;
    }
    let again = Consortium::start(config(home.path(), number, &addresses, join)).await;
    let again = again.unwrap();
    assert_eq!(again.evidence(), evidence, "after a restart");
    again.shutdown().await;
}

fn vote(number: u8, height: u64, block: Option<Digest>) -> SignedVote {
    let content = VoteContent {
        kind: VoteKind::Precommit,
        chain: genesis().chain_id(),
        height: Height(height),
        round: 0,
        block,
        validator: key(number).public(),
    };
    SignedVote::sign(content, &key(number))
}

fn double_vote(number: u8, height: u64) -> Offence {
    let block = Some(Digest::of(b"a block"));
    Offence::Votes(Equivocation::new(
        vote(number, height, block),
        vote(number, height, None),
    ))
}

fn double(number: u8, height: u64) -> DoubleProposal {
    let chain = genesis().chain_id();
    let proposer = key(number).public();
    let block = |block: Digest| {
        let bytes = proposal_sign_bytes(chain, Height(height), 0, None, block, proposer);
        ProposedBlock {
            block,
            valid_round: None,
            signature: key(number).sign(&bytes),
        }
    };
    DoubleProposal {
        chain,
        height: Height(height),
        round: 0,
        proposer,
        one: block(Digest([1; 32])),
        two: block(Digest([2; 32])),
    }
}

/// What holds is kept once and found again; what does not hold, or is too much, is not.
#[test]
fn the_book_keeps_what_holds() {
    let home = tempfile::tempdir().unwrap();
    let (chain, validators) = (genesis().chain_id(), genesis().validators);
    let book = EvidenceBook::open(home.path()).unwrap();
    let keep = |offence| book.keep(chain, &validators, vec![offence], 5).unwrap();
    let forged_vote = {
        let Offence::Votes(mut votes) = double_vote(1, 7) else {
            unreachable!()
        };
        votes.two.signature = votes.one.signature;
        Offence::Votes(votes)
    };
    let mut forged = double(1, 7);
    forged.two.signature = forged.one.signature;
    let mut same = double(1, 7);
    same.two = same.one;
    for none in [
        forged_vote,
        Offence::Proposals(forged),
        Offence::Proposals(same),
        double_vote(9, 7),
        Offence::Proposals(double(9, 7)),
    ] {
        keep(none);
        assert!(book.pieces().is_empty(), "{none:?}");
    }
    keep(double_vote(1, 7));
    keep(double_vote(1, 7));
    keep(Offence::Proposals(double(1, 7)));
    assert_eq!(book.pieces().len(), 2);
    assert_eq!(
        EvidenceBook::open(home.path()).unwrap().pieces(),
        book.pieces()
    );
    for height in 8..60 {
        keep(double_vote(1, height));
    }
    assert_eq!(book.pieces().len(), MAX_OF_ONE);
    keep(double_vote(2, 7));
    assert_eq!(book.pieces().len(), MAX_OF_ONE + 1, "of another");

    std::fs::write(home.path().join("evidence.bin"), b"FWEVIDE1 damaged").unwrap();
    assert!(EvidenceBook::open(home.path()).unwrap().pieces().is_empty());
    assert!(home.path().join("evidence.damaged").exists());
}
