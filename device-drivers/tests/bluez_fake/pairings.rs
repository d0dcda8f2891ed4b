//! Pairings that BlueZ ends in each of its ways, and the agent's answers.

use crate::bus::{HEART_RATE, HEART_RATE_MEASUREMENT, SENSOR, SOON, config};
use bluez_fake::{Fake, Question, lock};
use device_drivers::ble::pairing::{
    BondState, Bonded, Pairing, PairingCode, PairingError, Passkey, Prompt, Step, bond_state,
    unpair,
};
use std::time::Duration;
use tokio::time::timeout;

const ADAPTER: &str = "AA:AA:AA:00:00:01";

async fn with_sensor() -> Fake {
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    fake
}

async fn follow(
    mut pairing: Pairing,
    mut answer: impl FnMut(Prompt),
) -> Result<Bonded, PairingError> {
    let steps = async {
        loop {
            match pairing.next().await {
                Step::Prompt(prompt) => answer(prompt),
                Step::Ended(ended) => return ended,
            }
        }
    };
    timeout(SOON, steps).await.expect("the pairing ends")
}

/// Goal: every error that `Device1.Pair` documents has a code, and leaves no agent behind. Method: a
/// table of the names.
pub(crate) async fn every_failure_of_bluez_has_a_code() {
    let fake = with_sensor().await;
    for (name, code) in [
        ("AlreadyExists", PairingCode::AlreadyBonded),
        ("AuthenticationCanceled", PairingCode::Cancelled),
        ("AuthenticationFailed", PairingCode::RefusedByDevice),
        ("AuthenticationRejected", PairingCode::RefusedByDevice),
        ("AuthenticationTimeout", PairingCode::TimedOut),
        ("ConnectionAttemptFailed", PairingCode::ConnectionFailed),
        ("DoesNotExist", PairingCode::NotFound),
        ("Failed", PairingCode::Failed),
        ("InProgress", PairingCode::Busy),
        ("NotReady", PairingCode::AdapterOff),
    ] {
        lock(&fake.script).pair_error = Some(name);
        let ended = follow(Pairing::start(config()), |prompt| panic!("{prompt:?}")).await;
        assert_eq!(ended.unwrap_err().code, code, "{name}");
        assert_eq!(
            lock(&fake.script).agent,
            None,
            "{name}: the agent is unregistered"
        );
    }
}

/// Goal: answers reach BlueZ as they are given; none is a refusal, and is told as one; a failure
/// after digits is theirs. Method: the fake asks as BlueZ does.
pub(crate) async fn the_agent_asks_and_answers() {
    let fake = with_sensor().await;
    lock(&fake.script).questions = vec![Question::Passkey, Question::Authorization];
    let ended = follow(Pairing::start(config()), |prompt| match prompt {
        Prompt::EnterPasskey(answer) => answer.give(Passkey::new(42).unwrap()),
        Prompt::JustWorks(answer) => answer.give(true),
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.await, Ok(Bonded::Here));
    assert_eq!(lock(&fake.script).agent_answers, [Ok(42), Ok(0)]);
    let trusted = BondState::Bonded { trusted: true };
    assert_eq!(bond_state(&config()).await, Ok(trusted));

    unpair(&config()).await.unwrap();
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    for (says_no, code) in [
        (true, PairingCode::RefusedHere),
        (false, PairingCode::WrongPasskey),
    ] {
        lock(&fake.script).agent_answers.clear();
        lock(&fake.script).pair_error = Some("AuthenticationFailed");
        lock(&fake.script).questions = vec![Question::Passkey];
        let ended = follow(Pairing::start(config()), |prompt| match prompt {
            Prompt::EnterPasskey(answer) if says_no => drop(answer),
            Prompt::EnterPasskey(answer) => answer.give(Passkey::new(7).unwrap()),
            other => panic!("{other:?}"),
        });
        assert_eq!(ended.await.unwrap_err().code, code);
        let refused = Err("org.bluez.Error.Rejected".to_owned());
        let answered = if says_no { refused } else { Ok(7) };
        assert_eq!(lock(&fake.script).agent_answers, [answered]);
    }
}

/// Goal: a question about another device is refused without a person, and one that BlueZ takes back
/// does not wait for one. Method: both, with nobody who answers.
pub(crate) async fn the_agent_serves_one_device_and_takes_back_questions() {
    let fake = with_sensor().await;
    lock(&fake.script).questions = vec![Question::OtherDevice, Question::WithdrawnPasskey];
    lock(&fake.script).pair_error = Some("AuthenticationTimeout");
    let mut kept = Vec::new();
    let ended = follow(Pairing::start(config()), |prompt| kept.push(prompt)).await;
    assert_eq!(ended.unwrap_err().code, PairingCode::TimedOut);
    assert_eq!(kept.len(), 1, "the other device's question reached nobody");
    let refused = |name: &str| Err(format!("org.bluez.Error.{name}"));
    assert_eq!(
        lock(&fake.script).agent_answers,
        [refused("Rejected"), refused("Canceled")]
    );
}

/// Goal: a pairing that is cancelled, or forgotten, ends at BlueZ, too. Method: one that would
/// never end.
pub(crate) async fn a_pairing_is_cancelled() {
    let fake = with_sensor().await;
    for is_dropped in [false, true] {
        lock(&fake.script).pair_hangs = true;
        lock(&fake.script).pairing_cancelled = false;
        let pairing = Pairing::start(config());
        until("an agent", || lock(&fake.script).agent.is_some()).await;
        if is_dropped {
            drop(pairing);
        } else {
            pairing.cancel();
            let ended = follow(pairing, |prompt| panic!("{prompt:?}")).await;
            assert_eq!(ended.unwrap_err().code, PairingCode::Cancelled);
        }
        until("cancelled", || lock(&fake.script).pairing_cancelled).await;
        until("no agent", || lock(&fake.script).agent.is_none()).await;
    }
}

/// Goal: a device that keeps no keys is told so; removing what is gone is done; what was removed must
/// be heard again to be repaired. Method: each once.
pub(crate) async fn bonds_are_kept_removed_and_missed() {
    let fake = with_sensor().await;
    lock(&fake.script).keeps_no_bond = true;
    let ended = follow(Pairing::start(config()), |prompt| panic!("{prompt:?}")).await;
    assert_eq!(ended.unwrap_err().code, PairingCode::NotKept);
    for _ in 0..2 {
        assert_eq!(unpair(&config()).await, Ok(()));
        assert_eq!(bond_state(&config()).await, Ok(BondState::NotBonded));
    }
    let ended = follow(Pairing::repair(config()), |prompt| panic!("{prompt:?}")).await;
    assert_eq!(ended.unwrap_err().code, PairingCode::NotFound);
    assert_eq!(lock(&fake.script).scans, 0, "the search has ended");
}

/// Goal: without a service, an adapter, or power, a pairing says which. Method: each, then one that
/// is well but for its name.
pub(crate) async fn a_missing_stack_is_named() {
    let code = async || bond_state(&config()).await.unwrap_err().code;
    assert_eq!(code().await, PairingCode::BluetoothUnavailable);
    let fake = Fake::start().await;
    assert_eq!(code().await, PairingCode::AdapterMissing);
    fake.plug_in("hci0", ADAPTER, false).await;
    assert_eq!(code().await, PairingCode::AdapterOff);
    fake.switch("hci0", true).await;
    let mut other = config();
    other.adapter = Some("hci1".to_owned());
    let ended = follow(Pairing::start(other), |prompt| panic!("{prompt:?}")).await;
    assert_eq!(ended.unwrap_err().code, PairingCode::AdapterMissing);
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = tokio::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
