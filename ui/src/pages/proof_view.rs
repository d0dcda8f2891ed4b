//! A proof, checked: six steps with the hash each leads to, what is proven and what is not, and the
//! path in the batch.

use ledger_core::{Origin, Proof, Value};
use leptos::prelude::*;

use super::proof_files::Opened;
use crate::check::{Checked, Step, Trust, check, levels, picture};
use crate::components::{Hash, Icon, StateMark, local_clock, local_date, offset_minutes};
use crate::testids;
use crate::words::number::{bytes, thousands};
use crate::words::proof as words;
use crate::words::state::State;

/// Levels of the path that are drawn.
const LEVELS: usize = 8;

/// A proof and what its check found.
#[derive(Clone, PartialEq)]
pub struct Found {
    /// The proof.
    pub opened: Opened,
    /// The six checks.
    pub checked: Checked,
    /// What it was checked against.
    pub trust: Trust,
}

impl Found {
    /// Checks a proof in this window, now.
    #[must_use]
    pub fn new(opened: Opened, trust: Trust) -> Self {
        let clock = window().performance();
        let now = || clock.as_ref().map_or(0.0, web_sys::Performance::now);
        let checked = check(&opened.proof, trust.genesis(), now);
        Self {
            opened,
            checked,
            trust,
        }
    }

    /// The page's answer.
    #[must_use]
    pub fn heading(&self) -> String {
        let time = i64::try_from(self.opened.proof.header.time_millis).unwrap_or(i64::MAX);
        words::heading(
            &self.opened.proof,
            &self.checked,
            self.trust.genesis(),
            offset_minutes(time),
        )
    }

    /// The sentence below it.
    #[must_use]
    pub fn source(&self) -> String {
        words::source(&self.opened.proof, &self.checked, self.trust.genesis())
    }
}

/// The cards.
#[component]
pub fn ProofView(
    /// What was found.
    found: Found,
) -> impl IntoView {
    let proof = found.opened.proof.clone();
    view! {
        <div class="cols" data-cols="main-side">
            <StepsCard found=found.clone()/>
            <div class="stack">
                <ContentCard found=found/>
                <PathCard proof=proof/>
                <section class="card" aria-labelledby="h-not">
                    <div class="card-head"><h2 id="h-not">"What it does not prove"</h2></div>
                    <div class="card-body"><p class="small soft">
                        "That the sensor was right, or on the right person. For that see the quality above, and who assigned the device."
                    </p></div>
                </section>
            </div>
        </div>
    }
}

#[component]
fn StepsCard(found: Found) -> impl IntoView {
    let valid = found.checked.is_valid();
    let held = found.checked.held();
    let (state, verdict) = if valid {
        (State::Ok, "valid")
    } else {
        (State::Critical, "invalid")
    };
    let steps: Vec<_> = found
        .checked
        .steps
        .iter()
        .enumerate()
        .map(|(index, one)| step(index + 1, one, &found))
        .collect();
    view! {
        <section class="card" aria-labelledby="h-steps">
            <div class="card-head">
                <h2 id="h-steps">"From the reading to the genesis"</h2>
                <div class="push" data-testid=testids::PROOF_VERDICT data-verdict=verdict>
                    <StateMark state=state word=format!("{held} of 6 verified") chip=!valid/>
                </div>
            </div>
            <div class="card-body"><ol class="steps proof">{steps}</ol></div>
        </section>
    }
}

fn step(number: usize, step: &Step, found: &Found) -> impl IntoView + use<> {
    let holds = step.outcome.holds == Some(true);
    let state = if holds { State::Ok } else { State::Critical };
    let (title, leads_to) = words::title(step.outcome.check);
    let detail = if holds {
        words::done(
            step.outcome.check,
            &found.opened.proof,
            found.trust.genesis(),
        )
    } else {
        step.outcome.detail.clone()
    };
    let title = if holds {
        title
    } else {
        words::broken_title(step.outcome.check)
    };
    let beside =
        (number == 6).then(|| format!(", {}", words::trust(&found.trust, &since(&found.trust))));
    let hash = (!step.outcome.leads_to.is_empty()).then(|| {
        view! { <dl class="kv"><dt>{leads_to}</dt><dd><Hash text=step.outcome.leads_to.clone()/>{beside}</dd></dl> }
    });
    let signers = (number == 5 && holds).then(|| signers(found));
    let meaning =
        (!holds).then(|| view! { <p class="small">{words::meaning(step.outcome.check)}</p> });
    view! {
        <li data-state=state.key() data-testid=testids::PROOF_STEP data-step=number.to_string() data-holds=holds.to_string()>
            <span class="mark"><Icon name=if holds { "check" } else { "x" }/></span>
            <div>
                <div class="brief"><h3>{title}</h3><span class="push num-text">{words::took(step.millis)}</span></div>
                <p class="soft small">{detail}</p>
                {meaning}
                {hash}
                {signers}
            </div>
        </li>
    }
}

/// The names of those who signed, as the genesis or the last change of validators gives them.
fn signers(found: &Found) -> impl IntoView + use<> {
    let proof = &found.opened.proof;
    let validators = proof
        .changes
        .last()
        .map_or(&found.trust.genesis().validators, |change| &change.next);
    let names: Vec<_> = proof
        .certificate
        .signatures
        .iter()
        .filter_map(|commit| Some(validators.get(usize::from(commit.validator))?.name.clone()))
        .collect();
    view! { <dl class="kv"><dt>"Signed by"</dt><dd>{names.join(", ")}</dd></dl> }
}

/// The day a genesis was pinned.
pub fn since(trust: &Trust) -> String {
    match trust {
        Trust::First(pinned) | Trust::Same(pinned) | Trust::Changed { pinned, .. } => {
            local_date(pinned.since)
        }
        Trust::Given(_) => String::new(),
    }
}

#[component]
fn ContentCard(found: Found) -> impl IntoView {
    let proof = &found.opened.proof;
    let valid = found.checked.is_valid();
    let (figure, unit) = words::value(&proof.reading);
    let reading = &proof.reading;
    let received = reading.host_time_millis;
    let at = |time: i64| {
        format!(
            "{}, {}.{:03}",
            local_date(time),
            local_clock(time),
            time.rem_euclid(1_000)
        )
    };
    let measured = reading.device_time_millis.map(|time| {
        view! { <dt>"Measured"</dt><dd><time>{at(time)}</time>" by the device’s clock"</dd> }
    });
    let block = i64::try_from(proof.header.time_millis).unwrap_or(i64::MAX);
    let simulated = (reading.origin == Origin::Simulated)
        .then(|| view! { <div><StateMark state=State::Simulated word="Simulated: from nobody’s body" chip=true/></div> });
    let wave = match &reading.value {
        Value::Samples(wave) => Some(wave_line(&wave.samples)),
        _ => None,
    };
    view! {
        <section class="card" aria-labelledby="h-what">
            <div class="card-head">
                <h2 id="h-what">{if valid { "What is proven" } else { "What the file says" }}</h2>
                {(!valid).then(|| view! { <div class="push"><StateMark state=State::Unknown word="Not proven"/></div> })}
            </div>
            <div class="card-body stack">
                <p class="big"><bdi>{figure}</bdi>" "<small>{unit}</small></p>
                {wave}
                {simulated}
                <dl class="kv">
                    {measured}
                    <dt>"Received"</dt><dd><time>{at(received)}</time>" by the fog node’s clock"</dd>
                    <dt>"Final"</dt><dd><time>{at(block)}</time>{format!(" in block {}", thousands(proof.header.height.0))}</dd>
                    <dt>"Quality"</dt><dd>{words::quality(reading.quality)}</dd>
                    <dt>"From"</dt><dd>{words::origin(reading.origin)}</dd>
                    <dt>"Metric"</dt><dd>{words::codes(reading)}</dd>
                    <dt>"Stream"</dt><dd><Hash text=reading.stream.to_string()/>{format!(", reading {}", thousands(reading.sequence))}</dd>
                    <dt>"Patient"</dt><dd>"not in the proof"</dd>
                    <dt>"File"</dt><dd>{format!("{}, {}", found.opened.name, bytes(found.opened.bytes.len() as u64))}</dd>
                </dl>
            </div>
        </section>
    }
}

/// One second of a wave, exactly its samples; where there was none, the line stops.
fn wave_line(samples: &[Option<i16>]) -> impl IntoView + use<> {
    let known = samples.iter().flatten().copied();
    let (low, high) = known.fold((i16::MAX, i16::MIN), |(low, high), sample| {
        (low.min(sample), high.max(sample))
    });
    let room = f32::from(high).max(f32::from(low) + 1.0) - f32::from(low);
    let mut path = String::new();
    let mut drawing = false;
    for (place, sample) in samples.iter().enumerate() {
        let Some(sample) = sample else {
            drawing = false;
            continue;
        };
        let x = place as f32 / samples.len().max(2) as f32 * 1_000.0;
        let y = 96.0 - (f32::from(*sample) - f32::from(low)) / room * 92.0;
        path.push_str(&format!("{}{x:.0} {y:.1}", if drawing { 'L' } else { 'M' }));
        drawing = true;
    }
    view! {
        <svg class="spark proof-wave" viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="The wave’s samples">
            <path d=path></path>
        </svg>
    }
}

#[component]
fn PathCard(proof: Proof) -> impl IntoView {
    let levels = levels(&proof);
    let drawn = picture(&levels, LEVELS);
    let lines = |own: bool| {
        let edges = drawn.edges.iter().filter(move |edge| edge.2 == own);
        edges
            .map(|((x, y), (to_x, to_y), _)| format!("M{x:.0} {y:.0}L{to_x:.0} {to_y:.0}"))
            .collect::<String>()
    };
    let (off, on) = (lines(false), lines(true));
    let siblings: Vec<_> = drawn
        .siblings
        .iter()
        .map(|(x, y)| view! { <rect x=x - 8.0 y=y - 8.0 width="16" height="16" rx="3"></rect> })
        .collect();
    let own: Vec<_> = drawn
        .own
        .iter()
        .map(|(x, y)| view! { <circle cx=*x cy=*y r="9"></circle> })
        .collect();
    let label = format!(
        "Path from the reading at the bottom through {} to the batch root; squares are the sibling hashes carried in the proof",
        words::shown(levels.len(), LEVELS)
    );
    view! {
        <section class="card" aria-labelledby="h-path">
            <div class="card-head"><h2 id="h-path">"Path in the batch"</h2><p class="push">{words::shown(levels.len(), LEVELS)}</p></div>
            <div class="card-body stack">
                <svg class="merkle" viewBox=format!("0 0 960 {:.0}", drawn.height) role="img" aria-label=label>
                    <path class="off" d=off></path><path class="on" d=on></path>
                    <g class="sib">{siblings}</g><g class="own">{own}</g>
                </svg>
                <p class="small dim">{words::path(&levels)}</p>
                <p class="small dim">{words::place(&proof)}</p>
            </div>
        </section>
    }
}
