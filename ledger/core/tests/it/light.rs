//! The light client: what it follows, what it refuses and why. Chains are made by hand and signed with
//! real keys.

use ledger_core::light::{Bisection, LightBlock, LightError, Options};
use ledger_core::{Digest, Height, LightClient, ValidatorSet};
use proptest::prelude::*;

use crate::support::{certify, genesis, header, validators};

/// Later than every block of a chain made here.
pub const NOW: u64 = 1_800_000_000_000;

/// A chain whose block at height h, counted from 1, is certified by all of `sets[h - 1]`.
pub struct Chain {
    pub genesis: ledger_core::Genesis,
    pub blocks: Vec<LightBlock>,
}

impl Chain {
    /// Certified by all validators of each height.
    pub fn new(sets: &[&[u8]]) -> Self {
        Self::signed_by(sets, sets)
    }

    /// Certified by some of the validators of each height.
    pub fn signed_by(sets: &[&[u8]], signers: &[&[u8]]) -> Self {
        let genesis = genesis(sets[0]);
        let mut parent = Digest::of(b"block 0");
        let mut blocks = Vec::new();
        for (at, numbers) in sets.iter().enumerate() {
            let set = validators(numbers);
            let next = validators(sets.get(at + 1).unwrap_or(numbers));
            let mut header = header(&genesis, at as u64 + 1, &set, &next);
            header.parent = parent;
            parent = header.hash();
            let certificate = certify(&header, &set, 1, signers[at]);
            blocks.push(LightBlock::new(header, certificate, set, next));
        }
        Self { genesis, blocks }
    }

    pub fn at(&self, height: u64) -> LightBlock {
        self.blocks[height as usize - 1].clone()
    }

    pub fn client(&self) -> LightClient {
        LightClient::from_genesis(&self.genesis)
    }

    /// A client that has followed every block up to a height.
    pub fn client_at(&self, height: u64) -> LightClient {
        let mut client = self.client();
        for at in 1..=height {
            client.advance(self.at(at), NOW).expect("follows");
        }
        client
    }

    /// Signs a changed block anew, with all its validators.
    pub fn resign(&self, block: &mut LightBlock, signers: &[u8]) {
        block.certificate = certify(&block.header, &block.validators, 1, signers);
    }
}

fn tip(chain: &Chain) -> Height {
    Height(chain.blocks.len() as u64)
}

const FOUR: &[u8] = &[1, 2, 3, 4];

/// Goal: each block leads to the next, changes of validators are told, the same block again is fine.
#[test]
fn adjacent_blocks_are_followed() {
    let chain = Chain::new(&[FOUR, FOUR, &[2, 3, 4, 5], &[2, 3, 4, 5], &[9]]);
    let mut client = chain.client();
    assert_eq!((client.height(), client.hash()), (Height(0), None));
    let changed: Vec<_> = (1..=5)
        .map(|height| {
            let step = client.advance(chain.at(height), NOW).expect("follows");
            assert_eq!(step.height, Height(height));
            assert_eq!(client.block(), Some(&chain.at(height)));
            step.validators_changed
        })
        .collect();
    assert_eq!(changed, [false, true, false, true, false]);
    assert_eq!(*client.next_validators(), validators(&[9]));
    let again = client.advance(chain.at(5), NOW).expect("the same block");
    assert!(!again.validators_changed);
    assert!(matches!(
        client.advance(chain.at(4), NOW),
        Err(LightError::Older { .. })
    ));
}

/// Goal: a far block is followed where more than a third of the known validators signed it, and only
/// there. Method: a table of signers of block 3 for a client that knows 1, 2, 3.
#[test]
fn skipping_needs_more_than_a_third_of_the_known() {
    let known: &[u8] = &[1, 2, 3];
    type Found = Result<(), (u64, u64)>;
    let cases: [(&[u8], &[u8], Found); 6] = [
        (&[1, 2, 3], &[1, 2, 3], Ok(())),
        (&[1, 2, 4], &[1, 2, 4], Ok(())),
        (&[1, 4, 5, 6], &[1, 4, 5, 6], Err((1, 3))),
        (&[1, 2, 5, 6, 7], &[2, 5, 6, 7], Err((1, 3))),
        (&[1, 2, 5, 6, 7], &[1, 2, 6, 7], Ok(())),
        (&[7, 8, 9], &[7, 8, 9], Err((0, 3))),
    ];
    for (set, signers, expected) in cases {
        let chain = Chain::signed_by(&[known, known, set], &[known, known, signers]);
        let found = chain.client().advance(chain.at(3), NOW).map(|_| ());
        let expected =
            expected.map_err(|(power, total)| LightError::NotEnoughTrust { power, total });
        assert_eq!(found, expected, "{set:?} {signers:?}");
    }
}

type Spoil = fn(&Chain, &mut LightBlock);

/// Goal: each reason to refuse the next block. Method: block 2 changed one way at a time, signed anew
/// where signatures are not the point.
#[test]
fn each_reason_to_refuse() {
    let chain = Chain::new(&[FOUR, FOUR, FOUR]);
    let cases: [(&str, Spoil); 13] = [
        ("version", |chain, block| {
            block.header.version = 2;
            chain.resign(block, FOUR);
        }),
        ("other_chain", |_, block| {
            block.header.chain.0.0[0] ^= 1;
        }),
        ("other_certificate", |chain, block| {
            block.certificate = chain.at(3).certificate;
        }),
        ("other_validators", |_, block| {
            block.validators = validators(&[1, 2, 3]);
        }),
        ("next_validators", |_, block| {
            block.next_validators = Some(validators(&[1, 2, 3]));
        }),
        ("next_validators", |chain, block| {
            block.header.next_validators_hash = validators(&[5]).hash();
            chain.resign(block, FOUR);
        }),
        ("next_validators", |_, block| {
            block.next_validators = Some(block.validators.clone());
        }),
        ("signature", |_, block| {
            block.certificate.signatures[2].signature.0[9] ^= 1;
        }),
        ("no_quorum", |chain, block| chain.resign(block, &[1, 2])),
        ("validators_not_named", |chain, block| {
            *block = Chain::new(&[FOUR, &[5, 6, 7]]).at(2);
            block.header.chain = chain.genesis.chain_id();
            chain.resign(block, &[5, 6, 7]);
        }),
        ("parent", |chain, block| {
            block.header.parent = Digest::of(b"elsewhere");
            chain.resign(block, FOUR);
        }),
        ("time", |chain, block| {
            block.header.time_millis = chain.at(1).header.time_millis;
            chain.resign(block, FOUR);
        }),
        ("future", |chain, block| {
            block.header.time_millis = NOW + 10_001;
            chain.resign(block, FOUR);
        }),
    ];
    for (code, spoil) in cases {
        let mut client = chain.client_at(1);
        let mut block = chain.at(2);
        spoil(&chain, &mut block);
        let error = client.advance(block, NOW).expect_err(code);
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().is_empty() && !error.next().is_empty());
        assert_eq!(
            client,
            chain.client_at(1),
            "a refused block changes nothing"
        );
        client.advance(chain.at(2), NOW).expect("the true block");
    }
}

/// Goal: the clock drift and the trusting period are bounds, to the millisecond.
#[test]
fn time_has_bounds() {
    let chain = Chain::new(&[FOUR, FOUR, FOUR]);
    let time = |height: u64| chain.at(height).header.time_millis;
    let options = Options {
        trusting_period_millis: Some(5000),
        clock_drift_millis: 10,
    };
    let start = LightClient::resume(chain.genesis.chain_id(), chain.at(1), options);
    let start = start.expect("a whole block");
    let cases = [
        (time(2) - 11, Some("future")),
        (time(2) - 10, None),
        (time(1) + 4999, None),
        (time(1) + 5000, Some("expired")),
    ];
    for (now, expected) in cases {
        let found = start.clone().advance(chain.at(2), now);
        assert_eq!(found.err().map(|error| error.code()), expected, "{now}");
    }
    let mut without_end = chain.client();
    without_end
        .advance(chain.at(2), u64::MAX)
        .expect("no period");
}

/// Goal: a client goes on from where it was, but not from a block that is not whole.
#[test]
fn a_client_resumes() {
    let chain = Chain::new(&[FOUR, FOUR, &[3, 4, 5]]);
    let id = chain.genesis.chain_id();
    let kept = LightBlock::decode(&chain.at(2).encode()).expect("decodes");
    let mut client = LightClient::resume(id, kept, Options::default()).expect("whole");
    client.advance(chain.at(3), NOW).expect("follows");
    let mut spoiled = chain.at(2);
    spoiled.certificate.signatures.truncate(2);
    assert!(LightClient::resume(id, spoiled, Options::default()).is_err());
}

/// Goal: a transaction is in a block or not.
#[test]
fn transactions_are_found_in_a_block() {
    let (_, proof) = crate::support::proof(FOUR, FOUR, FOUR);
    let set = validators(FOUR);
    let block = LightBlock::new(
        proof.header.clone(),
        proof.certificate.clone(),
        set.clone(),
        set,
    );
    let block = block.certify(proof.chain).expect("certified");
    let id = ledger_core::SignedTransaction::decode(&proof.transaction)
        .expect("a transaction")
        .id();
    let (at, path) = (proof.transaction_index, &proof.transaction_path);
    assert!(block.includes(&id, at, path));
    assert!(!block.includes(&id, at + 1, path));
    assert!(!block.includes(&Digest::of(b"other"), at, path));
    assert!(!block.includes(&id, at, &path[1..]));
}

/// Follows a way to the tip; how many blocks were asked for.
fn bisect(chain: &Chain, client: &mut LightClient) -> Result<usize, LightError> {
    let mut way = Bisection::to(tip(chain));
    let mut asked = 0;
    while let Some(height) = way.next_wanted(client) {
        asked += 1;
        way.offer(client, chain.at(height.0), NOW)?;
    }
    Ok(asked)
}

/// Goal: a hundred blocks of the same validators cost one, and a whole exchange of validators a few.
#[test]
fn bisection_asks_for_few() {
    let same = Chain::new(&[FOUR; 100]);
    assert_eq!(bisect(&same, &mut same.client()), Ok(1));
    let mut sets: Vec<&[u8]> = vec![FOUR; 60];
    sets.extend(vec![&[5u8, 6, 7][..]; 40]);
    let exchanged = Chain::new(&sets);
    let mut client = exchanged.client();
    let asked = bisect(&exchanged, &mut client).expect("follows");
    assert!(asked <= 9, "{asked}");
    assert_eq!(client.block(), Some(&exchanged.at(100)));
}

/// Goal: another block than the one asked for is not taken, and the true one is still wanted.
#[test]
fn bisection_takes_what_it_asked_for() {
    let chain = Chain::new(&[FOUR; 10]);
    let (mut client, mut way) = (chain.client(), Bisection::to(Height(10)));
    let wrong = way.offer(&mut client, chain.at(9), NOW);
    assert_eq!(wrong, Err(LightError::MissingBlock { height: Height(10) }));
    let mut forged = chain.at(10);
    forged.certificate.signatures[0].signature.0[0] ^= 1;
    assert!(way.offer(&mut client, forged, NOW).is_err());
    assert_eq!(way.next_wanted(&client), Some(Height(10)));
    way.offer(&mut client, chain.at(10), NOW).expect("follows");
    assert_eq!(way.next_wanted(&client), None);
}

/// Random sets of validators: each differs from the one before by one that comes or goes.
fn histories() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::option::weighted(0.4, 1u8..12), 1..14).prop_map(|changes| {
        let mut now = vec![1u8, 2, 3, 4];
        let step = |change: Option<u8>| {
            match change {
                Some(key) if now.contains(&key) && now.len() > 1 => now.retain(|one| *one != key),
                Some(key) if !now.contains(&key) => now.push(key),
                _ => {}
            }
            now.clone()
        };
        changes.into_iter().map(step).collect()
    })
}

fn chain_of(history: &[Vec<u8>]) -> Chain {
    let sets: Vec<&[u8]> = history.iter().map(Vec::as_slice).collect();
    Chain::new(&sets)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Goal: whatever the changes of validators, one by one and by bisection lead to the same block.
    #[test]
    fn random_changes_are_followed(history in histories()) {
        let chain = chain_of(&history);
        let walked = chain.client_at(tip(&chain).0);
        let mut skipped = chain.client();
        let asked = bisect(&chain, &mut skipped).expect("follows");
        prop_assert!(asked <= history.len());
        prop_assert_eq!(&walked, &skipped);
        let last: ValidatorSet = validators(history.last().expect("a height"));
        prop_assert_eq!(walked.next_validators(), &last);
    }

    /// Goal: any flipped bit anywhere in a light block is refused, adjacent and skipped to.
    #[test]
    fn any_flipped_bit_is_refused(history in histories(), height: prop::sample::Index, at: prop::sample::Index, bit in 0u8..8) {
        let chain = chain_of(&history);
        let height = height.index(history.len()) as u64 + 1;
        let mut bytes = chain.at(height).encode();
        bytes[at.index(chain.at(height).encode().len())] ^= 1 << bit;
        if let Ok(block) = LightBlock::decode(&bytes) {
            for mut client in [chain.client_at(height - 1), chain.client()] {
                prop_assert!(client.advance(block.clone(), NOW).is_err());
            }
        }
    }

    /// Goal: a server that lies at any height is found there. Method: one block of the chain is replaced
    /// by another that its own, true validators did not sign.
    #[test]
    fn a_lie_at_any_height_is_found(history in histories(), height: prop::sample::Index, lie in 0u8..4) {
        let mut chain = chain_of(&history);
        let at = height.index(history.len());
        let block = &mut chain.blocks[at];
        match lie {
            0 => block.header.state_root = Digest::of(b"a lie"),
            1 => block.header.tx_root = Digest::of(b"a lie"),
            2 => {
                block.header.state_root = Digest::of(b"a lie");
                block.validators = validators(&[20, 21, 22]);
                block.header.validators_hash = block.validators.hash();
                block.certificate = certify(&block.header, &block.validators, 1, &[20, 21, 22]);
            }
            _ => block.header.height.0 += 1,
        }
        let mut client = chain.client();
        let found = (1..=tip(&chain).0).map(|at| client.advance(chain.at(at), NOW)).position(|step| step.is_err());
        prop_assert_eq!(found, Some(at));
        prop_assert_eq!(client.height(), Height(at as u64));
    }
}
