//! What a simulation found, in few lines.

use fog_api::SimulatedAccess;
use fog_api::SimulatedDecision;
use leptos::prelude::*;

use super::simulator::{Answered, View, grounds};
use crate::components::{Icon, StateMark};
use crate::policy::access::{Answer, Change, Part, answers, changes};
use crate::testids;
use crate::words::number::count;
use crate::words::policies as words;
use crate::words::state::State;

/// Most lines that are shown.
const MOST: usize = 40;

/// The table, and what it rests on.
#[component]
pub(super) fn Found(view: View, found: Answered) -> impl IntoView {
    let foot = grounds(&found);
    let said = move || {
        match found.side {
            "who" => who(&found),
            "what" => what(&found, &view.role.get(), &view.tie.get()),
            _ => changed(&found),
        }
        .unwrap_or_else(|| view! { <p class="card-body full">"The node’s answer has a word that this console does not know. Load the page again, so that both are the same."</p> }.into_any())
    };
    view! {
        <div data-testid=testids::SIMULATE_FOUND>{said}</div>
        <div class="card-foot num-text">{foot}</div>
    }
}

fn decision(found: &Answered) -> fn(&SimulatedAccess) -> &SimulatedDecision {
    match found.with_draft {
        true => |row| &row.then,
        false => |row| &row.now,
    }
}

fn who(found: &Answered) -> Option<AnyView> {
    let all = answers(&found.rows, &found.metrics, decision(found), |_| true)?;
    let nobody = all.is_empty();
    let lines = all
        .iter()
        .map(|answer| line(words::who(&answer.part), answer));
    let lines = few(lines, all.len());
    let others = if nobody {
        "All people"
    } else {
        "Everybody else"
    };
    Some(table("Who", lines, Some(others)))
}

fn what(found: &Answered, role: &str, tie: &str) -> Option<AnyView> {
    let is_meant =
        |row: &SimulatedAccess| row.role == role && row.relation.as_deref().unwrap_or("") == tie;
    let all = answers(&found.rows, &found.metrics, decision(found), is_meant)?;
    let lines = all
        .iter()
        .map(|answer| line(words::what(&answer.part, &found.metrics), answer));
    let lines = few(lines, all.len());
    let rest = match all.as_slice() {
        [] => Some("Everything"),
        all => {
            let sees = |place| all.iter().any(|answer| answer.part.has_metric(place));
            (!(0..found.metrics.len()).all(sees)).then_some("Everything else")
        }
    };
    Some(table("What", lines, rest))
}

/// The first lines, and how many there are beside.
fn few(lines: impl Iterator<Item = AnyView>, all: usize) -> Vec<AnyView> {
    let mut lines: Vec<_> = lines.take(MOST).collect();
    let more = all.saturating_sub(MOST);
    if more > 0 {
        let said = count(
            u64::try_from(more).unwrap_or(u64::MAX),
            "line more",
            "lines more",
        );
        lines.push(view! { <tr><td colspan="3" class="dim">{said}</td></tr> }.into_any());
    }
    lines
}

/// Whom or what it is about, the answer, and why.
fn line(about: String, answer: &Answer) -> AnyView {
    let mark = match answer.needs_approval {
        false => view! { <StateMark state=State::Ok word="Sees".to_owned()/> }.into_any(),
        true => view! { <span class="state"><Icon name="user"/><span>"If agreed"</span></span> }
            .into_any(),
    };
    let outcome = if answer.needs_approval {
        "needs_approval"
    } else {
        "permitted"
    };
    view! {
        <tr data-testid=testids::SIMULATE_ROW data-outcome=outcome>
            <th scope="row" class="wrap">{about}</th>
            <td>{mark}</td>
            <td class="wrap">{words::why(&answer.part)}". "<span class="dim"><bdi>{words::by(&answer.by)}</bdi></span></td>
        </tr>
    }
    .into_any()
}

fn table(about: &'static str, lines: Vec<AnyView>, denied: Option<&'static str>) -> AnyView {
    let denied = denied.map(|who| {
        view! {
            <tr data-testid=testids::SIMULATE_ROW data-outcome="denied">
                <th scope="row" class="wrap">{who}</th>
                <td><span class="state"><Icon name="lock"/><span>"Denied"</span></span></td>
                <td class="wrap">"No policy permits it, or one forbids it."</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-simulator">
            <table class="tbl">
                <caption class="vh">"Who could see what"</caption>
                <thead><tr><th scope="col">{about}</th><th scope="col">"Answer"</th><th scope="col">"What for, by which policy"</th></tr></thead>
                <tbody>{lines}{denied}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn changed(found: &Answered) -> Option<AnyView> {
    let all = changes(&found.rows, &found.metrics)?;
    if all.is_empty() {
        return Some(view! { <p class="card-body full soft" data-testid=testids::SIMULATE_NOTHING>"Nobody’s answer changes."</p> }.into_any());
    }
    let lines = all
        .iter()
        .map(|(change, part)| change_line(*change, part, &found.metrics));
    let lines = few(lines, all.len());
    Some(view! {
        <div class="scroll" tabindex="0" role="group" aria-labelledby="h-simulator">
            <table class="tbl">
                <caption class="vh">"What would change"</caption>
                <thead><tr><th scope="col">"Change"</th><th scope="col">"Who"</th><th scope="col">"What, and what for"</th></tr></thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any())
}

fn change_line(change: Change, part: &Part, metrics: &[String]) -> AnyView {
    let (key, icon) = match change {
        Change::Seen | Change::Freed => ("more", "plus"),
        Change::SeenOnceAgreed => ("asked", "plus"),
        Change::NotSeen | Change::Bound => ("less", "lock"),
    };
    view! {
        <tr data-testid=testids::SIMULATE_ROW data-change=key>
            <td class="wrap"><span class="state change"><Icon name=icon/><span>{words::change(change)}</span></span></td>
            <th scope="row" class="wrap">{words::who(part)}</th>
            <td class="wrap">{words::what(part, metrics)}". "<span class="dim">{words::why(part)}</span></td>
        </tr>
    }
    .into_any()
}
