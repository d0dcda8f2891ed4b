//! Devices on the ledger. Goal: each step of a life and of an interaction, each reason to refuse one, and
//! that nothing else changes. Method: three organisations of one node each, blocks executed on a state in
//! memory; what is void is executed too, and leaves only a used nonce.

use ledger_core::device::{
    self, AskInteraction, ChangeDevice, DecideInteraction, DeviceChange, DeviceError, DeviceLife,
    DeviceStanding, InteractionState, MAX_INTERACTION_MILLIS,
};
use ledger_core::governance::Standing;
use ledger_core::state::{Clock, ExecutionError, StateKey, read};
use ledger_core::transaction::RegisterDevice;
use ledger_core::{AnchorBatch, BatchNumber, Digest, Genesis, Height, Nonce, Payload};

use crate::support::{State, assert_void, execute, genesis, register};
use crate::town::public;

/// A chain whose blocks have one transaction each, a second apart.
#[derive(Clone)]
struct Town {
    genesis: Genesis,
    state: State,
    height: u64,
    nonces: [u64; 16],
}

impl Town {
    fn founded() -> Self {
        let genesis = genesis(&[1, 2, 3]);
        let mut town = Self {
            state: State::default(),
            height: 0,
            nonces: [0; 16],
            genesis: genesis.clone(),
        };
        town.send(1, Payload::Genesis(genesis)).expect("founded");
        town.nonces = [0; 16];
        town
    }

    fn time_millis(&self) -> u64 {
        self.height * 1_000
    }

    fn clock(&self) -> Clock {
        Clock {
            height: Height(self.height),
            time_millis: self.time_millis(),
        }
    }

    /// Executes a block with this transaction, unless it would be void.
    fn send(&mut self, sender: u8, payload: Payload) -> Result<(), ExecutionError> {
        let void = device::check(&self.state, self.clock(), public(sender), &payload);
        let before = self.state.clone();
        self.execute(sender, payload)?;
        if void.is_err() {
            assert_void(&before, &self.state, sender);
            self.state = before;
            self.nonces[usize::from(sender)] -= 1;
            self.height -= 1;
        }
        void
    }

    fn execute(&mut self, sender: u8, payload: Payload) -> Result<(), ExecutionError> {
        let clock = self.clock();
        let nonce = &mut self.nonces[usize::from(sender)];
        execute(
            &self.genesis,
            &mut self.state,
            clock,
            (sender, *nonce),
            payload,
        )?;
        *nonce += 1;
        self.height += 1;
        Ok(())
    }

    fn change(
        &mut self,
        sender: u8,
        number: u8,
        change: DeviceChange,
    ) -> Result<(), ExecutionError> {
        let handle = handle(number);
        self.send(
            sender,
            Payload::ChangeDevice(ChangeDevice { handle, change }),
        )
    }

    fn decide(
        &mut self,
        sender: u8,
        of: AskInteraction,
        allow: bool,
    ) -> Result<(), ExecutionError> {
        let interaction = of.id();
        self.send(
            sender,
            Payload::DecideInteraction(DecideInteraction { interaction, allow }),
        )
    }

    fn life(&self, number: u8) -> DeviceLife {
        device::life(&self.state, &handle(number))
            .expect("a state")
            .expect("a device")
    }

    fn state_of(&self, asked: AskInteraction) -> InteractionState {
        let found = device::interaction(&self.state, &asked.id());
        found.expect("a state").expect("an interaction").state
    }

    fn may_hear(&self, asked: AskInteraction) -> bool {
        device::may_hear(&self.state, &asked.id(), self.time_millis()).expect("a state")
    }
}

fn handle(number: u8) -> Digest {
    Digest::of(&[number])
}

fn with_key(number: u8, own: u8) -> Payload {
    Payload::RegisterDevice(RegisterDevice {
        handle: handle(number),
        key: Some(public(own)),
        simulated: true,
    })
}

fn anchor(batch: u64) -> Payload {
    Payload::AnchorBatch(AnchorBatch {
        batch: BatchNumber(batch),
        root: handle(200),
        streams: 1,
        readings: 10,
    })
}

fn ask(asker: u8, source: u8, for_millis: u64) -> AskInteraction {
    AskInteraction {
        asker: handle(asker),
        source: handle(source),
        for_millis,
    }
}

fn refused(outcome: Result<(), ExecutionError>, expected: DeviceError) {
    assert_eq!(outcome, Err(ExecutionError::Device(expected)));
}

#[test]
fn a_device_lives_and_is_retired() {
    let mut town = Town::founded();
    town.send(1, register(50)).expect("registered");
    let new = town.life(50);
    assert_eq!(
        (new.node, new.standing),
        (public(1), DeviceStanding::InService)
    );
    assert_eq!((new.assignment, new.key), (None, None));
    assert_eq!(device::life(&town.state, &handle(51)), Ok(None));

    let whose = Some(handle(99));
    town.change(1, 50, DeviceChange::Assign(whose))
        .expect("assigned");
    assert_eq!(town.life(50).assignment, whose);
    refused(
        town.change(1, 50, DeviceChange::Assign(whose)),
        DeviceError::NothingNew,
    );
    town.change(1, 50, DeviceChange::Suspend)
        .expect("suspended");
    assert_eq!(town.life(50).standing, DeviceStanding::Suspended);
    town.change(1, 50, DeviceChange::Resume).expect("resumed");
    let changed = town.life(50);
    assert_eq!(changed.standing, DeviceStanding::InService);
    assert_eq!(changed.changed, Height(town.height - 1));

    refused(
        town.change(2, 50, DeviceChange::Retire),
        DeviceError::NotYours,
    );
    refused(
        town.change(1, 51, DeviceChange::Retire),
        DeviceError::Unknown,
    );
    refused(
        town.change(1, 50, DeviceChange::RotateKey(public(60))),
        DeviceError::NoKey,
    );
    town.change(1, 50, DeviceChange::Retire).expect("retired");
    let retired = town.life(50);
    assert_eq!(retired.standing, DeviceStanding::Retired);
    assert_eq!(retired.assignment, None, "nobody's any more");
    for change in [
        DeviceChange::Resume,
        DeviceChange::Assign(whose),
        DeviceChange::HandOver(public(2)),
    ] {
        refused(town.change(1, 50, change), DeviceError::Retired);
    }
}

#[test]
fn only_the_serving_node_hands_over() {
    let mut town = Town::founded();
    town.send(1, register(50)).expect("registered");
    refused(
        town.change(1, 50, DeviceChange::HandOver(public(9))),
        DeviceError::NotANode,
    );
    refused(
        town.change(2, 50, DeviceChange::HandOver(public(2))),
        DeviceError::NotYours,
    );
    town.change(1, 50, DeviceChange::HandOver(public(2)))
        .expect("handed over");
    assert_eq!(town.life(50).node, public(2));
    assert_eq!(town.life(50).handed_by, Some(public(1)));
    assert_eq!(town.life(50).handovers, 1);
    refused(
        town.change(1, 50, DeviceChange::Suspend),
        DeviceError::NotYours,
    );
    town.change(2, 50, DeviceChange::Suspend)
        .expect("suspended");
    town.change(2, 50, DeviceChange::HandOver(public(1)))
        .expect("back");

    // A second node of the same organisation may change what the first serves, but not hand it over.
    let member: Option<ledger_core::genesis::Member> =
        read(&town.state, &StateKey::member(&public(2))).expect("a state");
    let mut member = member.expect("a member");
    member.organisation = crate::support::organisation(1).id;
    let entry = ledger_core::canonical::encode(&member);
    town.state.0.insert(StateKey::member(&public(2)), entry);
    town.change(2, 50, DeviceChange::Resume)
        .expect("a colleague");
    refused(
        town.change(2, 50, DeviceChange::HandOver(public(3))),
        DeviceError::NotServing,
    );

    // A node that is gone serves no new device; what it served stays its organisation's.
    member.standing = Standing::Removed { height: Height(3) };
    let entry = ledger_core::canonical::encode(&member);
    town.state.0.insert(StateKey::member(&public(2)), entry);
    refused(
        town.change(1, 50, DeviceChange::HandOver(public(2))),
        DeviceError::NotANode,
    );
}

#[test]
fn a_device_that_signs_sends_its_own_anchors_only() {
    let mut town = Town::founded();
    assert_eq!(town.send(8, anchor(0)), Err(ExecutionError::NotMember));
    town.send(1, with_key(50, 8)).expect("registered");
    town.send(8, anchor(0)).expect("anchored");
    town.send(8, anchor(1)).expect("anchored");
    assert_eq!(
        town.send(8, anchor(1)),
        Err(ExecutionError::Batch {
            expected: BatchNumber(2),
            actual: BatchNumber(1),
        })
    );
    for payload in [register(51), Payload::AskInteraction(ask(50, 51, 5_000))] {
        assert_eq!(town.send(8, payload), Err(ExecutionError::NotMember));
    }
    let mut again = town.clone();
    again.nonces[8] = 0;
    assert_eq!(
        again.send(8, anchor(2)),
        Err(ExecutionError::Nonce {
            expected: Nonce(2),
            actual: Nonce(0),
        })
    );

    for taken in [8, 1, 3] {
        refused(town.send(2, with_key(51, taken)), DeviceError::KeyTaken);
    }
    // Points of small order, and no point at all: whatever is signed with them, nothing or anything would hold.
    let mut one = [0; 32];
    one[0] = 1;
    for bytes in [[0; 32], one, [0xff; 32]] {
        let bad = ledger_core::PublicKey(bytes);
        let registered = Payload::RegisterDevice(RegisterDevice {
            handle: handle(51),
            key: Some(bad),
            simulated: true,
        });
        refused(town.send(2, registered), DeviceError::BadKey);
        let rotated = town.change(1, 50, DeviceChange::RotateKey(bad));
        refused(rotated, DeviceError::BadKey);
    }
    town.change(1, 50, DeviceChange::Suspend)
        .expect("suspended");
    assert_eq!(town.send(8, anchor(2)), Err(ExecutionError::NotMember));
    town.change(1, 50, DeviceChange::Resume).expect("resumed");
    town.change(1, 50, DeviceChange::RotateKey(public(9)))
        .expect("rotated");
    assert_eq!(town.send(8, anchor(2)), Err(ExecutionError::NotMember));
    town.send(9, anchor(0)).expect("anchored with the new key");
    refused(town.send(2, with_key(51, 8)), DeviceError::KeyTaken);
    assert_eq!(device::changes(&town.state), Ok(3));
}

#[test]
fn own_devices_hear_each_other_at_once_and_others_when_allowed() {
    let mut town = Town::founded();
    for (sender, number) in [(1, 50), (1, 51), (2, 60)] {
        town.send(sender, register(number)).expect("registered");
    }
    let own = ask(50, 51, 60_000);
    town.send(1, Payload::AskInteraction(own)).expect("asked");
    assert_eq!(town.state_of(own), InteractionState::Granted);
    assert!(town.may_hear(own));
    assert!(!town.may_hear(ask(51, 50, 60_000)), "one direction");
    refused(
        town.send(1, Payload::AskInteraction(own)),
        DeviceError::AlreadyOpen,
    );

    let other = ask(50, 60, 60_000);
    town.send(1, Payload::AskInteraction(other)).expect("asked");
    assert_eq!(town.state_of(other), InteractionState::Asked);
    assert!(!town.may_hear(other));
    for sender in [1, 3] {
        refused(town.decide(sender, other, true), DeviceError::NotYours);
    }
    refused(town.decide(3, other, false), DeviceError::NotYours);
    town.decide(2, other, true).expect("granted");
    assert!(town.may_hear(other));
    refused(town.decide(2, other, true), DeviceError::NothingNew);

    // Suspending either device stops it at once; ending it is for good.
    town.change(2, 60, DeviceChange::Suspend)
        .expect("suspended");
    assert!(!town.may_hear(other));
    town.change(2, 60, DeviceChange::Resume).expect("resumed");
    assert!(town.may_hear(other));
    town.decide(1, other, false).expect("ended by the asker");
    assert_eq!(town.state_of(other), InteractionState::Ended);
    assert!(!town.may_hear(other));
    refused(town.decide(2, other, false), DeviceError::NoInteraction);

    town.send(1, Payload::AskInteraction(other))
        .expect("asked again");
    town.decide(2, other, false).expect("refused");
    assert_eq!(town.state_of(other), InteractionState::Refused);

    town.send(1, Payload::AskInteraction(ask(51, 60, 1_000)))
        .expect("asked");
    refused(
        town.decide(2, ask(51, 60, 1_000), true),
        DeviceError::NoInteraction,
    );
}

#[test]
fn an_interaction_ends_by_itself() {
    let mut town = Town::founded();
    for number in [50, 51] {
        town.send(1, register(number)).expect("registered");
    }
    let short = ask(50, 51, 2_000);
    town.send(1, Payload::AskInteraction(short)).expect("asked");
    assert!(town.may_hear(short));
    town.change(1, 51, DeviceChange::Assign(Some(handle(9))))
        .expect("a block");
    assert!(!town.may_hear(short), "two seconds are over");
    town.send(1, Payload::AskInteraction(short))
        .expect("asked anew");
    assert!(town.may_hear(short));
}

#[test]
fn what_makes_no_sense_is_not_asked() {
    let mut town = Town::founded();
    for (sender, number) in [(1, 50), (1, 51), (2, 60)] {
        town.send(sender, register(number)).expect("registered");
    }
    town.change(1, 51, DeviceChange::Suspend)
        .expect("suspended");
    for (asked, expected) in [
        (ask(50, 60, 999), DeviceError::Duration),
        (
            ask(50, 60, MAX_INTERACTION_MILLIS + 1),
            DeviceError::Duration,
        ),
        (ask(50, 50, 5_000), DeviceError::Itself),
        (ask(50, 70, 5_000), DeviceError::Unknown),
        (ask(70, 50, 5_000), DeviceError::Unknown),
        (ask(60, 50, 5_000), DeviceError::NotYours),
        (ask(50, 51, 5_000), DeviceError::NotInService),
        (ask(51, 50, 5_000), DeviceError::NotInService),
    ] {
        let before = town.state.clone();
        refused(town.send(1, Payload::AskInteraction(asked)), expected);
        assert_eq!(town.state, before);
    }
    refused(
        town.decide(1, ask(50, 60, 5_000), true),
        DeviceError::NoInteraction,
    );
}
