//! Catching up: who is behind asks somebody ahead for blocks with their certificates.
//!
//! Upon a status above the own height, or the start of a height: ask one of those ahead for up to
//! [`BATCH`] blocks; one question at a time. Upon blocks: the one that is due goes to consensus, later
//! ones wait. Upon silence, nothing, or a lie: ask somebody else; who gave nothing or lied is asked
//! again when it says again that it is ahead. What answers no open question counts for nothing: an answer
//! that comes twice would make two questions of one, and four of those.
//!
//! Written for the simulation: the real node's `arc-malachitebft-sync` chooses among its peers by a
//! map without order and by the machine's clock, so that no run of it could be repeated. What it
//! exchanges, and what it gives to consensus, is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arc_malachitebft_app_channel::app::types::PeerId;
use arc_malachitebft_sync::{
    RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse,
};
use ledger_consortium::pure::{BlockHeight, Chain, decided_value};
use ledger_core::Height;

use crate::host::{Host, Output, Tick};
use crate::message::Message;
use crate::network::NodeIndex;
use crate::node::Next;
use crate::time::Moment;

/// Most blocks of one answer.
const BATCH: u64 = 5;
/// Most blocks that wait for their turn.
const MAX_WAITING: usize = 25;
/// How often a peer's word that it has later blocks begins a height.
const BELIEF_INTERVAL: Duration = Duration::from_secs(2);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

struct Question {
    id: u64,
    asked: NodeIndex,
}

/// What a node knows of the others' heights, and what it has asked for.
#[derive(Default)]
pub(crate) struct Catchup {
    tips: BTreeMap<NodeIndex, Height>,
    question: Option<Question>,
    waiting: BTreeMap<Height, (NodeIndex, RawDecidedValue<Chain>)>,
    /// Peers whose last answer was of no use.
    failed: BTreeSet<NodeIndex>,
    /// When a peer's word that it is ahead last began a height.
    believed: Option<Moment>,
}

impl Catchup {
    /// A peer that said it was ahead gave nothing of use: it is asked again when it says so again.
    fn disappointed_by(&mut self, peer: NodeIndex) {
        self.failed.insert(peer);
        self.tips.remove(&peer);
    }
}

impl Host<'_> {
    pub(crate) fn tell_status(&mut self) {
        let Some(peer_id) = self.me.peers.get(self.me.index).copied() else {
            return;
        };
        self.send(
            None,
            Message::Status(Status {
                peer_id,
                tip_height: BlockHeight(self.tip()),
                history_min_height: BlockHeight(Height(1)),
            }),
        );
    }

    pub(crate) fn heard_status(&mut self, from: NodeIndex, tip: Height) {
        self.shell.catchup.tips.insert(from, tip);
        if tip > self.tip() && self.shell.held {
            // Whoever says so for nothing costs an empty block now and then.
            let believed = self.shell.catchup.believed;
            if believed.is_none_or(|at| self.now >= at.plus(BELIEF_INTERVAL)) {
                self.shell.catchup.believed = Some(self.now);
                self.release();
            }
        }
        self.ask();
    }

    /// A height begins: give consensus the block that waits for it.
    pub(crate) fn started_height(&mut self, height: Height) {
        let catchup = &mut self.shell.catchup;
        catchup.waiting = catchup.waiting.split_off(&height);
        if let Some((from, value)) = catchup.waiting.remove(&height) {
            self.give(from, value);
        }
        self.ask();
    }

    fn give(&mut self, from: NodeIndex, value: RawDecidedValue<Chain>) {
        if let Some(peer) = self.me.peers.get(from) {
            let next = Next::Synced(Box::new(value.to_core(*peer)));
            self.shell.inbox.push_back(next);
        }
    }

    /// Asks somebody ahead for what comes next, unless an answer is awaited.
    fn ask(&mut self) {
        let mut first = self.next_height();
        let catchup = &mut self.shell.catchup;
        while catchup.waiting.contains_key(&first) {
            first = Height(first.0 + 1);
        }
        if catchup.question.is_some() || catchup.waiting.len() >= MAX_WAITING {
            return;
        }
        let ahead = |failed: &BTreeSet<NodeIndex>| -> Vec<(NodeIndex, Height)> {
            let tips = catchup.tips.iter().map(|(peer, tip)| (*peer, *tip));
            tips.filter(|(peer, tip)| *tip >= first && !failed.contains(peer))
                .collect()
        };
        let mut candidates = ahead(&catchup.failed);
        if candidates.is_empty() {
            candidates = ahead(&BTreeSet::new());
            catchup.failed.clear();
        }
        let Some((asked, tip)) = self.shell.random.pick(&candidates).copied() else {
            return;
        };
        // Drawn, so that an answer to what was asked before a crash answers nothing.
        let id = self.shell.random.next();
        let catchup = &mut self.shell.catchup;
        catchup.question = Some(Question { id, asked });
        let last = Height(tip.0.min(first.0 + BATCH - 1));
        let range = BlockHeight(first)..=BlockHeight(last);
        let request = Request::ValueRequest(ValueRequest::new(range));
        self.send(Some(asked), Message::Request(id, request));
        let overdue = Output::Tick(Tick::Request(id), PATIENCE);
        self.shell.outputs.push(overdue);
    }

    pub(crate) fn request_overdue(&mut self, id: u64) {
        let catchup = &mut self.shell.catchup;
        if let Some(question) = catchup.question.take_if(|question| question.id == id) {
            catchup.failed.insert(question.asked);
            self.ask();
        }
    }

    /// Final blocks for a peer that asks.
    pub(crate) fn answer_request(
        &mut self,
        from: NodeIndex,
        number: u64,
        request: &Request<Chain>,
    ) {
        let Request::ValueRequest(request) = request;
        let first = request.range.start().0.0.max(1);
        let last = request.range.end().0.0.min(first.saturating_add(BATCH - 1));
        let replica = self.disk.replica();
        let blocks = (first..=last).map_while(|height| {
            let found = replica.at(Height(height))?;
            let certificate = found.certificate.as_ref()?;
            Some(decided_value(&found.block, certificate, &found.validators))
        });
        let response = ValueResponse::new(BlockHeight(Height(first)), blocks.collect());
        self.send(
            Some(from),
            Message::Response(number, Response::ValueResponse(response)),
        );
    }

    /// Blocks have come.
    pub(crate) fn heard_blocks(&mut self, from: NodeIndex, number: u64, response: Response<Chain>) {
        let Response::ValueResponse(response) = response;
        let catchup = &mut self.shell.catchup;
        let answered = |open: &mut Question| open.asked == from && open.id == number;
        if catchup.question.take_if(answered).is_none() {
            return;
        }
        if response.values.is_empty() {
            catchup.disappointed_by(from);
        }
        let due = self.next_height();
        for value in response.values {
            let height = value.height().0;
            if height == due && !self.shell.held {
                self.give(from, value);
            } else if height >= due {
                let waiting = &mut self.shell.catchup.waiting;
                waiting.entry(height).or_insert((from, value));
            }
        }
        self.ask_later();
    }

    /// A block of a peer, or its certificate, was no good.
    pub(crate) fn blocks_refused(&mut self, peer: PeerId) {
        let Some(from) = self.me.peers.iter().position(|known| *known == peer) else {
            return;
        };
        let catchup = &mut self.shell.catchup;
        catchup.waiting.retain(|_, (giver, _)| *giver != from);
        catchup.disappointed_by(from);
        self.shell.outputs.push(Output::Refused);
        self.ask();
    }

    /// The rest is asked for when the height after what was given begins.
    fn ask_later(&mut self) {
        if self.shell.inbox.is_empty() {
            self.ask();
        }
    }
}
