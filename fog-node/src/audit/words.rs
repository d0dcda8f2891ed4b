//! What an entry of the access log says, in a sentence or two: who, what, whose, and what came of it.

use fog_api::{AuditOutcome, AuditRow};
use ledger_core::Payload;
use ledger_core::access::{
    AccessDecision, AccessState, AskAccess, DecideAccess, LogEntry, LogKind, LogPart,
    LoggedRequest, PersonChange, Role,
};

use crate::cli::output::time_words;
use crate::requests::{listed, name};

/// An entry in words. Without its transaction, which was pruned, what the entry alone tells.
pub(super) fn entry_words(row: &AuditRow, entry: &LogEntry, payload: Option<&Payload>) -> String {
    // An organisation's admin key, or one of its nodes, where no person signed.
    let by = row
        .signer
        .as_ref()
        .map_or_else(|| row.organisation.clone(), name);
    let whom = row.person.as_ref().map(name).unwrap_or_default();
    match (entry.kind, payload) {
        (LogKind::Registered, Some(Payload::RegisterPerson(asked))) => {
            format!("{by} registered {whom} as {}.", roles(asked.roles.iter()))
        }
        (LogKind::Registered, _) => format!("{by} registered {whom}."),
        (LogKind::Changed, Some(Payload::ChangePerson(asked))) => match &asked.change {
            PersonChange::Roles(now) => {
                format!("{by} made {whom} {} from then on.", roles(now.iter()))
            }
            PersonChange::Rotate(_) if row.signer == row.person => {
                format!("{whom} changed her own keys.")
            }
            PersonChange::Rotate(_) => format!("{by} gave {whom} new keys."),
            PersonChange::Revoke => format!("{by} revoked {whom}."),
        },
        (LogKind::Changed, _) => format!("{by} changed {whom}."),
        (LogKind::Policy, payload) => format!("{by} {}.", policy(entry, payload)),
        (LogKind::Asked, payload) => asked(row, entry, &whom, payload),
        (LogKind::Granted, payload) => given(row, entry, (&by, &whom), payload),
        (LogKind::Decided, _) => decided(row, entry, &by, &whom),
        (LogKind::Reviewed, payload) => reviewed(&by, &whom, payload),
        (LogKind::Served, Some(Payload::Receipt(receipt))) => {
            format!("{by} served {whom} {} readings.", receipt.readings)
        }
        (LogKind::Served, _) => format!("{by} served {whom} readings."),
        (LogKind::Read, Some(Payload::ReadLog(asked))) => match asked.part {
            LogPart::Organisation => format!("{whom} read the access log."),
            LogPart::Subject => format!("{whom} read what the access log says of one patient."),
            LogPart::Bundle => format!("{whom} exported a bundle of the access log."),
        },
        (LogKind::Read, _) => format!("{whom} read the access log."),
        (LogKind::Erased, Some(Payload::Tombstone(tombstone))) => {
            format!("{by} erased {} readings for good.", tombstone.readings)
        }
        (LogKind::Erased, _) => format!("{by} erased readings for good."),
    }
}

/// An outcome by its word.
pub(super) const fn outcome(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Changed => "changed",
        AuditOutcome::Waiting => "waiting",
        AuditOutcome::Granted => "granted",
        AuditOutcome::Denied => "denied",
        AuditOutcome::Refused => "refused",
        AuditOutcome::Ended => "ended",
        AuditOutcome::Over => "over",
        AuditOutcome::Reviewed => "reviewed",
        AuditOutcome::Served => "served",
        AuditOutcome::Read => "read",
        AuditOutcome::Erased => "erased",
    }
}

fn policy(entry: &LogEntry, payload: Option<&Payload>) -> String {
    let what = match entry.subject {
        Some(_) => "consent",
        None => "policy",
    };
    match payload {
        Some(Payload::PutPolicy(put)) => {
            let (name, force) = (&put.name, ["out of force", "in force"]);
            format!(
                "put the {what} {name} {}",
                force[usize::from(put.text.is_some())]
            )
        }
        _ => format!("put a {what} in or out of force"),
    }
}

fn asked(row: &AuditRow, entry: &LogEntry, whom: &str, payload: Option<&Payload>) -> String {
    let Some(request) = &entry.request else {
        return format!("{whom} asked for data of {}.", row.organisation);
    };
    let broke = match request.is_emergency {
        true => "broke the glass for",
        false => "asked for",
    };
    let what = match payload {
        Some(Payload::AskAccess(asked)) => part(asked),
        _ => "data".to_owned(),
    };
    let mut words = format!(
        "{whom} {broke} {what} held by {}, for {}",
        row.organisation,
        request.purpose.word().replace('_', " ")
    );
    words.push_str(&match request.state {
        AccessState::Granted => format!(": {}.", granted(request)),
        AccessState::Waiting => format!(
            ": it waited for somebody to agree, until {} at most.",
            time(request.until_millis)
        ),
        AccessState::Denied if request.by.is_empty() => ": denied, no policy permits it.".into(),
        _ => format!(": denied by {}.", listed(&request.by)),
    });
    if let (Some(Payload::AskAccess(asked)), AccessState::Granted | AccessState::Waiting) =
        (payload, request.state)
    {
        let is_cut = |metric: &&String| !request.metrics.contains(metric);
        let cut: Vec<_> = asked.metrics.iter().filter(is_cut).cloned().collect();
        if !cut.is_empty() {
            words.push_str(&format!(" Cut off, as not permitted: {}.", listed(&cut)));
        }
    }
    words.push_str(over(row));
    words
}

/// What is asked for, by metric and period.
fn part(asked: &AskAccess) -> String {
    format!(
        "{} from {} to {}, {},",
        listed(&asked.metrics),
        time(asked.from_millis),
        time(asked.until_millis),
        asked.resolution.word()
    )
}

fn granted(request: &LoggedRequest) -> String {
    let by = match request.by.is_empty() {
        true => String::new(),
        false => format!(", by {}", listed(&request.by)),
    };
    let (metrics, until) = (listed(&request.metrics), time(request.until_millis));
    format!("granted {metrics} until {until}{by}")
}

fn given(
    row: &AuditRow,
    entry: &LogEntry,
    (by, whom): (&str, &str),
    payload: Option<&Payload>,
) -> String {
    let Some(request) = &entry.request else {
        return format!("{by} granted {whom} data of {}.", row.organisation);
    };
    let what = match payload {
        Some(Payload::GrantAccess(given)) => part(&given.asked),
        _ => "data".to_owned(),
    };
    let purpose = request.purpose.word().replace('_', " ");
    format!(
        "{by} gave {whom}, who had not asked, {what} for {purpose}: {}.{}",
        granted(request),
        over(row)
    )
}

fn decided(row: &AuditRow, entry: &LogEntry, by: &str, whom: &str) -> String {
    let Some(request) = &entry.request else {
        return format!("{by} decided about what {whom} asked.");
    };
    let is_own = row.signer.is_some() && row.signer == row.person;
    let words = match request.state {
        AccessState::Granted => format!("{by} agreed to what {whom} asked: {}.", granted(request)),
        AccessState::Refused => format!("{by} refused what {whom} asked."),
        _ if is_own => format!("{whom} gave back what she had asked for."),
        _ => format!("{by} ended what {whom} was granted."),
    };
    format!("{words}{}", over(row))
}

fn reviewed(by: &str, whom: &str, payload: Option<&Payload>) -> String {
    match payload {
        Some(Payload::DecideAccess(DecideAccess {
            decision: AccessDecision::Review { is_justified },
            ..
        })) => {
            let found = if *is_justified { "reason" } else { "no reason" };
            format!("{by} found that {whom} had {found} to break the glass.")
        }
        _ => format!("{by} reviewed that {whom} broke the glass."),
    }
}

/// That the time is over, which nothing on the ledger says.
const fn over(row: &AuditRow) -> &'static str {
    match row.outcome {
        AuditOutcome::Over => " That time is over.",
        _ => "",
    }
}

fn roles<'a>(roles: impl Iterator<Item = &'a Role>) -> String {
    let words: Vec<_> = roles.map(|role| role.word().to_owned()).collect();
    listed(&words)
}

fn time(millis: u64) -> String {
    time_words(i64::try_from(millis).unwrap_or(i64::MAX))
}
