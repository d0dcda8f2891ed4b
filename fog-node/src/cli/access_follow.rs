//! `fogward access read --follow`: what was granted, printed as it comes, until it ends.
//!
//! Upon the end: why, and an exit code that says so. 0: the granted period is over, all of it was shown. 1: it was ended,
//! by a revocation, by its time, by a lock. 2: the node stopped or is not reached any more; `--from` goes on.

use std::io::{BufRead, BufReader, Read};

use anyhow::{Context as _, anyhow, bail};
use fog_api::following::{PERIOD_OVER, SETTLED_MILLIS};
use fog_api::{DisclosedReading, DisclosedSpan, DisclosedStream, FollowQuery, LiveAccess, LiveEnd};

use super::Outcome;
use super::access_read::value_words;
use super::client::{Api, Question};
use super::output::{print_on, time_words};
use super::table::{cell, name_of};

/// Longest line of the stream in bytes.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// Prints until it ends, or nobody reads on.
pub(super) fn follow(api: &Api, request: &str, asked: FollowQuery) -> anyhow::Result<Outcome> {
    let question = Question::named("/api/access", request)
        .then("live")
        .with("metrics", asked.metrics)
        .with("from", asked.from);
    let mut stream = BufReader::new(api.stream(&question)?);
    let mut go_on = asked.from;
    loop {
        let event = match next(&mut stream) {
            Ok(Some(event)) => event,
            Ok(None) => return Err(broken(go_on)),
            Err(error) => return Err(error.context(broken(go_on))),
        };
        if let LiveAccess::Shown(shown) = &event {
            go_on = go_on.max(Some(shown.at.saturating_sub(SETTLED_MILLIS)));
        }
        let text = match api.json {
            true => format!("{}\n", serde_json::to_string(&event)?),
            false => lines(&event),
        };
        // Who reads no more is not shown more either.
        let is_read_on = print_on(&text)?;
        match event {
            LiveAccess::Ended(end) => return outcome(&end),
            LiveAccess::Shown(_) if !is_read_on => return Ok(Outcome::Yes),
            LiveAccess::Shown(_) => {}
        }
    }
}

/// The next event; none if the node says nothing more.
fn next(stream: &mut impl BufRead) -> anyhow::Result<Option<LiveAccess>> {
    loop {
        let mut line = String::new();
        let read = stream.by_ref().take(MAX_LINE_BYTES).read_line(&mut line);
        let read = read.context("the node broke off")?;
        if read as u64 == MAX_LINE_BYTES {
            bail!("what the node says is too long");
        }
        if read == 0 {
            return Ok(None);
        }
        if let Some(data) = line.strip_prefix("data:") {
            let event = serde_json::from_str(data.trim());
            return event
                .context("what the node says has an unknown form; is it of another version?");
        }
    }
}

fn outcome(end: &LiveEnd) -> anyhow::Result<Outcome> {
    let why = &end.why;
    match why.code.as_str() {
        PERIOD_OVER => Ok(Outcome::Yes),
        code if code.starts_with("API-5") => {
            bail!("{} {} {} ({code})", why.what, why.why, why.next)
        }
        _ => Err(super::client::refuse(why.clone())),
    }
}

/// Says how to go on; the last seconds are printed twice then, rather than something not at all.
fn broken(from: Option<i64>) -> anyhow::Error {
    let from = from
        .map(|from| format!(" --from {from}"))
        .unwrap_or_default();
    anyhow!("the live view broke off; go on with --follow{from}")
}

/// Lines of fixed columns, since what is still to come is as wide as what came.
fn lines(event: &LiveAccess) -> String {
    let shown = match event {
        LiveAccess::Shown(shown) => shown,
        LiveAccess::Ended(end) => {
            return format!("{}  ended at block {}\n", time_words(end.at), end.height);
        }
    };
    let missing = shown.not_read.iter().map(|missing| {
        let why = &missing.why;
        format!("Nothing from {}: {} {}\n", missing.node, why.why, why.next)
    });
    let readings = shown.streams.iter().flat_map(|part| {
        let line = |reading: &DisclosedReading| (reading.taken, reading_line(part, reading));
        part.readings.iter().map(line)
    });
    let spans = shown.spans.iter().map(|span| (span.from, span_line(span)));
    let mut rows: Vec<_> = readings.chain(spans).collect();
    rows.sort_by_key(|(taken, _)| *taken);
    missing
        .chain(rows.into_iter().map(|(_, line)| line))
        .collect()
}

fn reading_line(part: &DisclosedStream, reading: &DisclosedReading) -> String {
    let line = format!(
        "{:<24}  {:<28}  {:>12} {:<8}  {:<13}  {}",
        time_words(reading.taken),
        part.label,
        cell(value_words(reading)),
        part.unit,
        name_of(reading.quality),
        if reading.simulated { "simulated" } else { "" },
    );
    format!("{}\n", line.trim_end())
}

fn span_line(span: &DisclosedSpan) -> String {
    let number = |value: Option<f64>| cell(value.map(|value| format!("{value:.1}")));
    let line = format!(
        "{:<24}  {:<28}  {} values, {} to {}, mean {} {}  {}",
        time_words(span.from),
        span.label,
        span.count,
        number(span.min),
        number(span.max),
        number(span.mean),
        span.unit,
        if span.simulated { "simulated" } else { "" },
    );
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    //! Goal: each end has its exit code, and any bytes of a node are read or refused. Method: examples; any bytes.

    use fog_api::ApiError;
    use proptest::prelude::*;

    use super::*;

    fn end(code: &str) -> LiveEnd {
        let why = ApiError {
            code: code.to_owned(),
            what: String::new(),
            why: String::new(),
            next: String::new(),
        };
        LiveEnd {
            at: 0,
            height: 7,
            why,
        }
    }

    #[test]
    fn ends_have_their_exit_codes() {
        assert_eq!(outcome(&end(PERIOD_OVER)).unwrap(), Outcome::Yes);
        for code in ["ACC-06", "AUTH-01", "AUTH-03"] {
            let error = outcome(&end(code)).unwrap_err();
            let refused = error.downcast_ref::<super::super::client::Refused>();
            assert!(refused.unwrap().is_answer(), "{code}");
        }
        let error = outcome(&end("API-53")).unwrap_err();
        assert!(
            error
                .downcast_ref::<super::super::client::Refused>()
                .is_none()
        );
    }

    #[test]
    fn events_are_found_between_signs_of_life() {
        let event = LiveAccess::Ended(end("ACC-06"));
        let text = format!(":\n\ndata: {}\n\n", serde_json::to_string(&event).unwrap());
        let mut stream = text.as_bytes();
        assert_eq!(next(&mut stream).unwrap(), Some(event));
        assert_eq!(next(&mut stream).unwrap(), None);
        assert!(next(&mut &b"data: {}\n"[..]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut stream = &bytes[..];
            while let Ok(Some(_)) = next(&mut stream) {}
        }
    }
}
