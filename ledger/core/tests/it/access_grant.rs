//! Grants that nobody asked for. Goal: a physician or admin of the holder's gives what the policies permit and nothing
//! else; from then on it is a request like any other; everything else is void, and nothing counts twice. Method: the
//! town of `access`, a table of what is void, and what ends a grant tried on copies of one state.

use ledger_core::access::{
    self, AccessDecision, AccessError, AccessState, AskAccess, GrantAccess, LogKind, PersonChange,
    Role,
};
use ledger_core::state::ExecutionError;
use ledger_core::{Digest, Payload};

use crate::access::{
    ADA, BO, CLINIC, CY, DAY, EVE, HARBOUR, HEART_RATE, HOUR, SPO2, START, Town, about, asked,
    consent, decision, handle, holder, receipt, refused, rule, subject, treating,
};
use crate::access_log::{self, Journal};
use crate::support::organisation;

/// The heart rate of whoever a person agrees to.
const HEART_ON_REQUEST: &str = "@approval(\"needed\") permit(principal, action, resource) \
     when { resource.metric == \"8867-4\" };";
const TREATING: &str = "permit(principal in Role::\"nurse\", action, resource) \
     when { context.relations.contains(Relation::\"treating\") };";

fn given(to: u8, asked: AskAccess) -> Payload {
    let person = handle(to);
    Payload::GrantAccess(GrantAccess { asked, person })
}

/// A town whose harbour shows heart rates to whom a person agrees.
fn town() -> Town {
    let mut town = Town::founded();
    let put = rule("heart", Some(HEART_ON_REQUEST));
    town.send(HARBOUR, put).unwrap();
    town
}

#[test]
fn a_part_is_given_within_the_policies() {
    let mut town = town();
    town.send(BO, given(ADA, asked(50))).unwrap();
    let found = town.found(&handle(50));
    assert_eq!(
        (found.state, found.person, found.decided_by),
        (AccessState::Granted, handle(ADA), Some(handle(BO)))
    );
    assert_eq!(found.metrics, [HEART_RATE], "cut to what is permitted");
    assert_eq!(found.by, ["heart"]);
    assert_eq!(found.until_millis, START + HOUR);
    assert_eq!(town.readable(50), [HEART_RATE]);
    town.send(HARBOUR, receipt(50)).unwrap();

    // A relation of the receiver's counts as in a request of hers.
    town.send(HARBOUR, rule("treating", Some(TREATING)))
        .unwrap();
    let attested = AskAccess {
        attestation: treating(EVE, START + DAY),
        ..asked(51)
    };
    town.send(BO, given(EVE, attested)).unwrap();
    assert_eq!(town.readable(51), [SPO2, HEART_RATE]);

    // What ends a request ends a grant.
    let forbidden = format!(
        "forbid(principal, action, resource in Subject::\"{}\");",
        subject()
    );
    type End<'a> = (&'a str, &'a dyn Fn(&mut Town));
    let ends: [End<'_>; 6] = [
        ("time", &|town| town.now += HOUR),
        ("given back", &|town| {
            town.send(ADA, decision(50, AccessDecision::End)).unwrap();
        }),
        ("ended by who gave it", &|town| {
            town.send(BO, decision(50, AccessDecision::End)).unwrap();
        }),
        ("a consent limited", &|town| {
            town.send(HARBOUR, consent("no", Some(&forbidden))).unwrap();
        }),
        ("the policy retracted", &|town| {
            town.send(HARBOUR, rule("heart", None)).unwrap();
        }),
        ("revoked", &|town| {
            town.send(CLINIC, about(ADA, PersonChange::Revoke)).unwrap();
        }),
    ];
    for (what, end) in ends {
        let mut town = town.clone();
        end(&mut town);
        assert_eq!(town.readable(50), [""; 0], "{what}");
    }
}

#[test]
fn what_nobody_may_give_is_void() {
    let mut town = town();
    town.send(
        HARBOUR,
        about(CY, PersonChange::Roles([Role::Nurse].into())),
    )
    .unwrap();
    town.send(CLINIC, about(EVE, PersonChange::Revoke)).unwrap();
    town.send(BO, given(ADA, asked(49))).unwrap();
    let with = |change: fn(&mut AskAccess)| {
        let mut asked = asked(50);
        change(&mut asked);
        asked
    };
    let plain = || asked(50);
    for (who, sender, to, asked, error) in [
        ("no person", HARBOUR, ADA, plain(), AccessError::NotAPerson),
        (
            "no physician or admin",
            CY,
            ADA,
            plain(),
            AccessError::MayNotDecide,
        ),
        (
            "of another hospital",
            ADA,
            BO,
            plain(),
            AccessError::MayNotDecide,
        ),
        ("to herself", BO, BO, plain(), AccessError::MayNotDecide),
        (
            "what another hospital holds",
            BO,
            ADA,
            with(|asked| asked.holder = organisation(CLINIC).id),
            AccessError::MayNotDecide,
        ),
        (
            "a broken glass",
            BO,
            ADA,
            with(|asked| asked.emergency = Some(Digest::of(b"reason"))),
            AccessError::MayNotDecide,
        ),
        ("to nobody", BO, 29, plain(), AccessError::NoPerson),
        ("to who was revoked", BO, EVE, plain(), AccessError::Revoked),
        (
            "nothing",
            BO,
            ADA,
            with(|asked| asked.metrics.clear()),
            AccessError::Metrics,
        ),
        (
            "a period that is none",
            BO,
            ADA,
            with(|asked| asked.until_millis = asked.from_millis),
            AccessError::Period,
        ),
        (
            "for ever",
            BO,
            ADA,
            with(|asked| asked.for_millis = u64::MAX),
            AccessError::Duration,
        ),
        (
            "as somebody else",
            BO,
            ADA,
            with(|asked| asked.attestation = treating(CY, START + DAY)),
            AccessError::Attestation,
        ),
        (
            "what no policy permits",
            BO,
            ADA,
            with(|asked| asked.metrics = vec![SPO2.into()]),
            AccessError::NotPermitted,
        ),
        (
            "under a handle that is taken",
            BO,
            CY,
            with(|asked| asked.handle = handle(49)),
            AccessError::Taken,
        ),
    ] {
        assert_eq!(town.send(sender, given(to, asked)), refused(error), "{who}");
    }
    assert_eq!(access::access(&town.state, &handle(50)), Ok(None));

    // The same transaction again is not executed again.
    town.nonces[usize::from(BO)] = 0;
    let again = town.execute(BO, given(ADA, asked(49)));
    assert!(
        matches!(again, Err(ExecutionError::Nonce { .. })),
        "{again:?}"
    );
}

/// A grant is an entry of its own kind, of both people.
#[test]
fn a_grant_is_an_entry() {
    let mut journal = Journal::new();
    let subject = Digest::of(b"subject");
    let given = |number| {
        let Payload::AskAccess(asked) = access_log::ask(number, subject) else {
            panic!("a request");
        };
        let person = access_log::handle(access_log::ADA);
        Payload::GrantAccess(GrantAccess { asked, person })
    };
    let void = journal.send(access_log::BO, given(40));
    assert_eq!(void, None, "no policy permits it");
    let all = "permit(principal, action, resource);";
    let put = access_log::rule(None, all);
    journal.send(access_log::HARBOUR, put).unwrap();
    let entry = journal.send(access_log::BO, given(41)).unwrap();
    assert_eq!(entry.kind, LogKind::Granted);
    assert_eq!(entry.signer, Some(access_log::handle(access_log::BO)));
    assert_eq!(entry.person, Some(access_log::handle(access_log::ADA)));
    assert_eq!(entry.subject, Some(subject));
    assert_eq!(entry.organisation, holder());
    let request = entry.request.unwrap();
    assert_eq!(request.handle, access_log::handle(41));
    assert_eq!(request.state, AccessState::Granted);
}
