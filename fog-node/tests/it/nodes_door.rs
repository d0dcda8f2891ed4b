//! Goal: at the nodes' door each kind of message is answered to the nodes that it is for, and to nobody else. Method: a
//! stranger's program, written from the protocol as it is documented (`consortium/transfer`), that knocks with the keys
//! of a colleague, of another hospital's node and of nobody, at a real node that holds a patient's record; each message
//! in each of these hands, one of them until its node is put out of the consortium while it is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger_core::access::{
    AccessDecision, AskAccess, DecideAccess, PersonKeys, Purpose, RegisterPerson, Relation,
    Resolution, Role,
};
use ledger_core::{
    ChainId, Digest, Nonce, Payload, PublicKey, SecretKey, Signature, SignedTransaction,
    TransactionBody, canonical,
};
use serde::Serialize;
use serde_json::{Value, json as value};

use crate::access::put;
use crate::consortium::{Place, create, invite, propose, view};
use crate::desk::Desk;
use crate::disclosed::{Patient, SATURATION};
use crate::interactions::push;
use crate::program::{ask, wait_for};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
const HOUR: u64 = 3_600_000;

// What is asked, by its first byte.
const OFFER: u8 = 1;
const CHUNK: u8 = 2;
const PAIRING: u8 = 3;
const TAKEN: u8 = 4;
const HEARS: u8 = 5;
const RELAY: u8 = 6;
const ORDER: u8 = 7;
const PART: u8 = 8;
const CLAIM: u8 = 9;
/// What is answered, by its first byte.
const PREPARING: u8 = 0x10;
const OFFERED: u8 = 0x11;
const UNKNOWN: u8 = 0x13;
const DEVICE: u8 = 0x14;
const FORGOTTEN: u8 = 0x15;
const NOTED: u8 = 0x16;
const PACKED: u8 = 0x18;
const REFUSED: u8 = 0x19;

/// A channel to a node's door, as somebody who holds this key opens it.
struct Asker {
    stream: TcpStream,
    noise: snow::TransportState,
    buffer: Vec<u8>,
}

impl Asker {
    fn knock(door: &str, chain: &ChainId, key: &SecretKey) -> io::Result<Self> {
        let mut stream = TcpStream::connect(door)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let pattern = "Noise_NN_25519_ChaChaPoly_BLAKE2s".parse().unwrap();
        let mut noise = snow::Builder::new(pattern).build_initiator().unwrap();
        let mut buffer = vec![0; 65_535];
        stream.write_all(b"FWSNAP1")?;
        stream.write_all(&chain.0.0[..16])?;
        let length = noise.write_message(&[], &mut buffer).unwrap();
        frame(&mut stream, &buffer[..length])?;
        let answer = unframe(&mut stream)?;
        noise
            .read_message(&answer, &mut buffer)
            .map_err(io::Error::other)?;
        let hash = noise.get_handshake_hash().to_vec();
        let noise = noise.into_transport_mode().unwrap();
        let mut asker = Self {
            stream,
            noise,
            buffer,
        };
        assert_eq!(asker.receive()?.len(), 96, "the other end proves its key");
        let proven = [&b"fogward/transfer/1\0asks__"[..], &chain.0.0, &hash].concat();
        let proof = [&key.public().0[..], &key.sign(&proven).0].concat();
        asker.send(&proof)?;
        Ok(asker)
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        for part in [&length[..]].into_iter().chain(message.chunks(60_000)) {
            let sealed = self.noise.write_message(part, &mut self.buffer).unwrap();
            frame(&mut self.stream, &self.buffer[..sealed])?;
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let length = self.part()?.try_into().map(u32::from_be_bytes).unwrap();
        let mut message = Vec::new();
        while message.len() < length as usize {
            message.extend(self.part()?);
        }
        Ok(message)
    }

    fn part(&mut self) -> io::Result<Vec<u8>> {
        let sealed = unframe(&mut self.stream)?;
        let carried = self
            .noise
            .read_message(&sealed, &mut self.buffer)
            .map_err(io::Error::other)?;
        Ok(self.buffer[..carried].to_vec())
    }

    /// Asks one thing.
    fn ask(&mut self, kind: u8, content: &[u8]) -> io::Result<Vec<u8>> {
        self.send(&[&[kind], content].concat())?;
        self.receive()
    }
}

fn frame(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, bytes].concat())
}

fn unframe(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A key of the node in this folder.
pub(crate) fn key_in(data: &Path, name: &str) -> SecretKey {
    let text = std::fs::read_to_string(data.join("keys").join(name)).unwrap();
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed).unwrap();
    SecretKey::from_seed(&seed)
}

/// Somebody who sends her own transactions.
pub(crate) struct Sender {
    key: SecretKey,
    chain: ChainId,
    nonce: u64,
}

impl Sender {
    /// Who has not sent any yet.
    pub(crate) fn new(key: SecretKey, chain: ChainId) -> Self {
        Self {
            key,
            chain,
            nonce: 0,
        }
    }

    /// Sends one, taken or not; whether it is in a block now, void or not.
    pub(crate) fn try_send(&mut self, api: &str, payload: Payload) -> (u16, Value) {
        let body = TransactionBody {
            chain: self.chain,
            nonce: Nonce(self.nonce),
            payload,
        };
        let sent = push(api, &SignedTransaction::sign(&body, &self.key).encode());
        self.nonce += u64::from(sent.0 == 200);
        sent
    }

    fn send(&mut self, api: &str, payload: Payload) {
        let (status, said) = self.try_send(api, payload);
        assert_eq!(status, 200, "{said}");
    }
}

/// An order and its signature, in the form of `docs/access.md`.
#[derive(Serialize)]
struct Order<'a> {
    chain: ChainId,
    request: Digest,
    read: Digest,
    metrics: Vec<&'a str>,
    from: Option<i64>,
    until: Option<i64>,
    since: Option<BTreeMap<[u8; 16], u64>>,
}

#[derive(Serialize)]
struct SignedOrder {
    #[serde(with = "serde_bytes")]
    order: Vec<u8>,
    key: PublicKey,
    signature: Signature,
}

fn order(person: &SecretKey, chain: ChainId, request: Digest) -> Vec<u8> {
    let order = canonical::encode(&Order {
        chain,
        request,
        read: Digest::of(b"a read"),
        metrics: vec![SATURATION],
        from: None,
        until: None,
        since: None,
    });
    let signature = person.sign(&[b"fogward/read/2\0", &order[..]].concat());
    canonical::encode(&SignedOrder {
        order,
        key: person.public(),
        signature,
    })
}

/// That somebody treats a patient, as she claims it.
fn claim(person: &SecretKey, chain: ChainId, subject: &str) -> Vec<u8> {
    let subject: Digest = subject.parse().unwrap();
    let relations = BTreeSet::from([Relation::Treating]);
    let claim = canonical::encode(&(chain, subject, Purpose::Treatment, relations, u64::MAX));
    let signature = person.sign(&[b"fogward/claim/1\0", &claim[..]].concat());
    canonical::encode(&SignedOrder {
        order: claim,
        key: person.public(),
        signature,
    })
}

/// What a colleague tells of itself: it serves nothing, has nine places and hears nothing.
fn hearing() -> Vec<u8> {
    canonical::encode(&((0_u16, 9_u16, None::<u8>), Vec::<(String, i16)>::new()))
}

/// Harbour General with a second node, and a clinic; only the first node runs.
struct Town {
    chain: ChainId,
    door: String,
    api: String,
    colleague: SecretKey,
    clinic: SecretKey,
    /// Handle of the device that was handed to the clinic's node, and of the one that stays.
    handed: Digest,
    kept: Digest,
}

/// The ledger's handle of a device.
fn handle_of(api: &str, device: &str) -> Digest {
    let shown = ask(&["device", "show", device, "--api", api]);
    shown["handle"].as_str().unwrap().parse().unwrap()
}

/// Registers petra as the clinic's physician, by the clinic's admin key, and lets her ask for what Harbour's policy
/// grants at once; her key and the request's handle.
fn petra(town: &Town, admin: SecretKey, holder: &str, subject: &str) -> (Sender, Digest) {
    let key = SecretKey::from_seed(&[77; 32]);
    let mut admin = Sender::new(admin, town.chain);
    let registered = RegisterPerson {
        handle: Digest::of(b"petra"),
        keys: PersonKeys {
            signing: key.public(),
            // Public key of X25519's secret key 1, which is as good as any that is not of low order.
            sealing: x25519_base(),
        },
        roles: [Role::Physician].into(),
        credential: Digest::of(b"credential"),
    };
    admin.send(&town.api, Payload::RegisterPerson(registered));
    let mut petra = Sender::new(key, town.chain);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    let request = Digest::of(b"a request");
    let asked = AskAccess {
        handle: request,
        holder: holder.parse().unwrap(),
        subject: subject.parse().unwrap(),
        metrics: vec![SATURATION.into()],
        from_millis: now - HOUR,
        until_millis: now + HOUR,
        resolution: Resolution::Raw,
        purpose: Purpose::Treatment,
        for_millis: HOUR,
        attestation: None,
        emergency: None,
    };
    petra.send(&town.api, Payload::AskAccess(asked));
    (petra, request)
}

/// The base point of X25519 (RFC 7748, 4.1): u = 9.
fn x25519_base() -> [u8; 32] {
    let mut point = [0; 32];
    point[0] = 9;
    point
}

/// The first byte of each answer to these questions, or nothing where the door shut.
fn answers(asker: &mut io::Result<Asker>, asked: &[(u8, Vec<u8>)]) -> Vec<Option<u8>> {
    let one = |(kind, content): &(u8, Vec<u8>)| {
        let asker = asker.as_mut().ok()?;
        asker.ask(*kind, content).ok()?.first().copied()
    };
    asked.iter().map(one).collect()
}

#[test]
fn each_message_is_answered_to_whom_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, second, clinic] = [126, 127, 128].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (node, api) = harbour.start_with(&["--demo=2".into()]);
    let text = invite(&api, &["--same-organisation"]);
    second.join(&text, "Harbour General", "harbour-2");
    clinic.join(&invite(&api, &[]), "Clinic", "clinic-1");
    let patient = Patient::of_ward(&api);
    let devices = ask(&["device", "list", "--api", &api]);
    let [kept, handed] = [0, 1].map(|number| devices[number]["id"].as_str().unwrap().to_owned());
    let status = ask(&["status", "--api", &api]);
    let town = Town {
        chain: ChainId(status["chain_id"].as_str().unwrap().parse().unwrap()),
        door: harbour.listen.replace(":7401", ":7402"),
        colleague: key_in(&second.data, "validator.key"),
        clinic: key_in(&clinic.data, "validator.key"),
        handed: handle_of(&api, &handed),
        kept: handle_of(&api, &kept),
        api,
    };
    let api = &town.api;
    ask(&[
        "device", "handover", &handed, "--to", "clinic-1", "--api", api,
    ]);
    let desk = Desk::new(api);
    put(
        &desk,
        None,
        "physicians",
        "permit(principal in Role::\"physician\", action, resource);",
    );
    let holder = view(api)["me"]["organisation"].as_str().unwrap().to_owned();
    let admin = key_in(&clinic.data, "admin.key");
    let subject = &patient.handles["treatment"];
    let (mut petra, request) = petra(&town, admin, &holder, subject);
    let signed = order(&petra.key, town.chain, request);

    let unknown = Digest([0x5b; 32]).0.to_vec();
    let digest = |digest: &Digest| digest.0.to_vec();
    let asked = [
        (CHUNK, unknown.clone()),
        (PAIRING, unknown.clone()),
        (PAIRING, digest(&town.kept)),
        (PAIRING, digest(&town.handed)),
        (TAKEN, digest(&town.kept)),
        (HEARS, hearing()),
        (HEARS, vec![0xff; 99]),
        (RELAY, digest(&town.kept)),
        (RELAY, unknown.clone()),
        (ORDER, vec![7; 99]),
        (ORDER, signed.clone()),
        (PART, unknown.clone()),
        (CLAIM, vec![7; 99]),
        (CLAIM, claim(&petra.key, town.chain, subject)),
    ];
    let knock = |key: &SecretKey| Asker::knock(&town.door, &town.chain, key);
    let mut theirs = knock(&town.clinic);
    let mut ours = knock(&town.colleague);
    let both = |ours: u8, theirs: u8| (Some(ours), Some(theirs));
    let expected = [
        both(UNKNOWN, UNKNOWN),
        both(UNKNOWN, UNKNOWN),
        both(UNKNOWN, UNKNOWN),
        // What was handed to the clinic's node is for that node.
        both(UNKNOWN, DEVICE),
        both(UNKNOWN, UNKNOWN),
        // What is heard is for colleagues.
        both(NOTED, UNKNOWN),
        both(UNKNOWN, UNKNOWN),
        both(UNKNOWN, UNKNOWN),
        both(UNKNOWN, UNKNOWN),
        both(REFUSED, REFUSED),
        // An order is for a node of the person's organisation; in other hands it is a stolen one.
        both(REFUSED, PACKED),
        both(UNKNOWN, UNKNOWN),
        both(UNKNOWN, UNKNOWN),
        // The patient's team does not name her.
        both(UNKNOWN, UNKNOWN),
    ];
    let of_ours = answers(&mut ours, &asked);
    let of_theirs = answers(&mut theirs, &asked);
    let said: Vec<_> = of_ours.into_iter().zip(of_theirs).collect();
    assert_eq!(said, expected);
    for asker in [&mut ours, &mut theirs] {
        let offer = asker.as_mut().unwrap().ask(OFFER, &[0; 8]).unwrap();
        assert!(matches!(offer[0], PREPARING | OFFERED), "{offer:?}");
    }
    // Nobody is heard without a key of the consortium, nor under another chain's name.
    let stranger = SecretKey::from_seed(&[200; 32]);
    assert_eq!(answers(&mut knock(&stranger), &asked), [None; 14]);
    let elsewhere = ChainId(Digest([1; 32]));
    let mut foreign = Asker::knock(&town.door, &elsewhere, &town.clinic);
    assert_eq!(answers(&mut foreign, &asked), [None; 14]);

    // An order sent again is the same read: one receipt; its chunks are for whom ordered it.
    let theirs = theirs.as_mut().unwrap();
    let packed = theirs.ask(ORDER, &signed).unwrap();
    let chunk = &packed[1..33];
    assert_eq!(theirs.ask(PART, chunk).unwrap()[0], 0x12);
    let ours_open = ours.as_mut().unwrap();
    assert_eq!(ours_open.ask(PART, chunk).unwrap()[0], UNKNOWN);
    let receipts = || receipts(&harbour.data, &request);
    wait_for("the receipt", || (receipts() == 1).then_some(()));
    theirs.ask(ORDER, &signed).unwrap();
    // Forgotten here once the clinic has it; told by nobody else.
    let taken = digest(&town.handed);
    assert_eq!(ours_open.ask(TAKEN, &taken).unwrap()[0], UNKNOWN);
    assert_eq!(theirs.ask(TAKEN, &taken).unwrap()[0], FORGOTTEN);

    // Once she has given it back, the same order is refused.
    let ended = DecideAccess {
        access: request,
        decision: AccessDecision::End,
    };
    petra.send(api, Payload::DecideAccess(ended));
    let refused = theirs.ask(ORDER, &signed).unwrap();
    let why: Value = serde_json::from_slice(&refused[1..]).unwrap();
    assert_eq!((refused[0], &why["code"]), (REFUSED, &value!("ACC-06")));
    assert_eq!(receipts(), 1);

    // Whose node is put out is not heard any more, though it is connected.
    let nodes = view(api)["nodes"].take();
    let mut nodes = nodes.as_array().unwrap().iter();
    let colleague = nodes.find(|one| one["name"] == "harbour-2").unwrap();
    let row = propose(
        api,
        &value!({"kind": "remove_node", "key": colleague["key"]}),
    );
    assert_eq!(row["outcome"], "approved", "{row}");
    assert_eq!(answers(&mut ours, &asked), [None; 14]);
    assert_eq!(answers(&mut knock(&town.colleague), &asked), [None; 14]);
    assert!(node.terminate().success());
}

/// How many receipts of a request the replica in this folder has.
fn receipts(data: &Path, request: &Digest) -> u64 {
    let replica = ledger_store::Replica::open_read_only(data.join("replica.db")).unwrap();
    let snapshot = replica.read().unwrap();
    ledger_core::access::receipts(&snapshot, request)
        .unwrap()
        .count
}
