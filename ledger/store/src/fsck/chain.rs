//! The chain: every block in order, executed again over a state of our own.
//!
//! From the first pruned block on nothing can be executed: the state before it is not kept. Then headers,
//! certificates, ids, signatures of what is there, and the validators that the headers name are checked,
//! and the state is compared with the tip's root (`whole_state.rs`). A certificate is a vote for the state
//! after the block, so more than two thirds of the validators stand for what is not executed again.

use std::collections::BTreeMap;

use ledger_core::block::{Block, Header, tx_root};
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::governance;
use ledger_core::ids::Height;
use ledger_core::parameters::MAX_PARAMETER_BLOCK_BYTES;
use ledger_core::transaction::{Payload, SignedTransaction, VerifiedTransaction};
use ledger_core::validators::ValidatorSet;
use rusqlite::Connection;

use super::{FsckReport, count, sentence};
use crate::apply::{self, CheckedBlock, Position, TimeRule};
use crate::error::{Refusal, StoreError, damaged};
use crate::memory::MemoryState;
use crate::table::headers::HeaderRow;
use crate::table::pruned::PrunedRow;
use crate::table::{self, transactions::TransactionRow};

/// Headers read at once.
const CHUNK: u32 = 256;

/// How far the replay is.
struct Replay<'a> {
    connection: &'a Connection,
    genesis: &'a Genesis,
    /// Our own state, until a block cannot be executed.
    state: Option<MemoryState>,
    /// Whether a block was pruned, so that nothing is executed any more.
    pruned: bool,
    /// The block whose state the replica started from, if not from block 0.
    snapshot: Option<(Height, Digest)>,
    /// Rows that were reached: of `transactions`, of `certificates`.
    rows: (u64, u64),
    next: Height,
    parent: Option<HeaderRow>,
    validators: ValidatorSet,
    visit: &'a mut dyn FnMut(Height, &[u8]),
}

/// Where the walk leads.
pub(super) enum Led {
    /// Every block was executed: the state they lead to.
    Here(MemoryState),
    /// Some are pruned: the tip's header, whose root the state must have.
    Tip(Header),
    /// A block could not be executed; it is in the report.
    Nowhere,
}

/// Walks the chain; gives back the state it leads to if every block could be executed.
pub(super) fn check(
    connection: &Connection,
    genesis: &Genesis,
    report: &mut FsckReport,
    visit: &mut dyn FnMut(Height, &[u8]),
) -> Led {
    let mut replay = Replay {
        connection,
        genesis,
        state: Some(MemoryState::default()),
        pruned: false,
        snapshot: table::meta::snapshot(connection).unwrap_or_else(|error| {
            report.add("meta", None, sentence(&error));
            None
        }),
        rows: (0, 0),
        next: Height(0),
        parent: None,
        validators: genesis.validators.clone(),
        visit,
    };
    loop {
        let rows = match table::headers::from(connection, replay.next, CHUNK) {
            Ok(rows) => rows,
            Err(error) => {
                let why = format!("From height {} on: {}", replay.next, sentence(&error));
                report.add("headers", Some(replay.next), why);
                return Led::Nowhere;
            }
        };
        if rows.is_empty() {
            break;
        }
        for row in rows {
            replay.step(row, report);
        }
    }
    replay.finish(report);
    replay.led()
}

impl Replay<'_> {
    fn step(&mut self, row: HeaderRow, report: &mut FsckReport) {
        if row.height != self.next {
            let missing = format!("Blocks {} to {} are missing.", self.next, row.height.0 - 1);
            report.add("headers", Some(self.next), missing);
            self.broken();
        }
        if let Err(error) = self.block(&row, report) {
            report.add(
                "headers",
                Some(row.height),
                format!("Block {}: {error}.", row.height),
            );
            self.broken();
        }
        report.blocks += 1;
        report.height = Some(row.height.0);
        report.tip = Some(row.hash.to_string());
        self.next = Height(row.height.0.saturating_add(1));
        self.parent = Some(row);
    }

    /// Without this block nothing can be said about the state.
    fn broken(&mut self) {
        self.state = None;
        self.pruned = false;
    }

    fn led(self) -> Led {
        let tip = self.parent.filter(|_| self.pruned);
        match (self.state, tip.map(|row| row.decode())) {
            (Some(state), _) => Led::Here(state),
            (None, Some(Ok(header))) => Led::Tip(header),
            (None, _) => Led::Nowhere,
        }
    }

    fn block(&mut self, row: &HeaderRow, report: &mut FsckReport) -> Result<(), StoreError> {
        let header = row.decode()?;
        if row.time_millis != header.time_millis {
            report.add(
                "headers",
                Some(row.height),
                said(row.height, "another time than its header"),
            );
        }
        if let Some((start, hash)) = self.snapshot {
            if row.height == Height(1) && self.state.take().is_some() {
                self.pruned = true;
            }
            if row.height == start && row.hash != hash {
                let text = said(start, "another hash than the start of the replica");
                report.add("meta", Some(start), text);
            }
        }
        let transactions = table::transactions::at(self.connection, row.height)?;
        self.rows.0 += transactions.len() as u64;
        for transaction in &transactions {
            (self.visit)(row.height, &transaction.bytes);
        }
        self.indexed(row.height, &transactions, report);
        if let Some(pruned) = table::pruned::at(self.connection, row.height)? {
            return self.pruned_block(row, &header, &pruned, &transactions, report);
        }
        let readings = rows_match((0u32..).zip(&transactions), report);
        self.totals(row, transactions.len() as u64, readings, report);
        report.transactions += transactions.len() as u64;
        report.readings += readings;
        let block = Block {
            header,
            transactions: transactions.into_iter().map(|row| row.bytes).collect(),
        };
        self.certificate(&block.header, row.hash, report);
        self.execute(&block, report)
    }

    /// Every transaction must be found by its id.
    fn indexed(&self, height: Height, rows: &[TransactionRow], report: &mut FsckReport) {
        let mut problem = |text| report.add("transaction_ids", Some(height), text);
        let places = rows.iter().map(|row| (&row.id, row.place));
        match table::transaction_ids::missing(self.connection, height, places) {
            Ok(missing) => missing.iter().for_each(|place| {
                problem(format!(
                    "Transaction {place} of block {height} is not found by its id."
                ));
            }),
            Err(error) => problem(sentence(&error)),
        }
    }

    /// A block without some of its transactions, or all.
    fn pruned_block(
        &mut self,
        row: &HeaderRow,
        header: &Header,
        pruned: &PrunedRow,
        kept: &[TransactionRow],
        report: &mut FsckReport,
    ) -> Result<(), StoreError> {
        let height = row.height;
        let mut problem = |text: String| report.add("pruned", Some(height), text);
        if height == Height(0) || header.tx_count == 0 {
            problem(format!("Block {height} cannot have been pruned."));
        }
        let known = !pruned.ids.is_empty();
        if known && tx_root(&pruned.ids) != header.tx_root {
            problem(format!(
                "The ids kept of block {height} do not lead to its transactions root."
            ));
        }
        let places: BTreeMap<_, _> = pruned.ids.iter().zip(0u32..).collect();
        let placed = kept
            .iter()
            .filter_map(|row| Some((*places.get(&row.id)?, row)));
        let placed: Vec<_> = placed.collect();
        if placed.len() != kept.len() {
            problem(format!(
                "A transaction kept of block {height} is not one of its."
            ));
        }
        let own = rows_match(placed.into_iter(), report);
        if own > pruned.readings {
            report.add("pruned", Some(height), said(height, "too few readings"));
        }
        report.pruned_blocks += 1;
        report.transactions += u64::from(header.tx_count);
        report.readings += pruned.readings;
        self.totals(row, u64::from(header.tx_count), pruned.readings, report);
        self.certificate(header, row.hash, report);
        if self.state.take().is_some() {
            self.pruned = true;
        }
        apply::check_place(&self.position(height), header)?;
        let chain = header.chain;
        let transactions = kept.iter().map(|row| row.bytes.clone()).collect();
        let block = Block {
            header: header.clone(),
            transactions,
        };
        apply::verify_all(chain, &block, &|_| None)?;
        self.follow(header, report)
    }

    fn totals(&self, row: &HeaderRow, transactions: u64, readings: u64, report: &mut FsckReport) {
        let before = self.parent.as_ref();
        let before = before.map_or((0, 0), |row| (row.transactions_total, row.readings_total));
        let totals = (row.transactions_total, row.readings_total);
        if totals
            != (
                before.0.saturating_add(transactions),
                before.1.saturating_add(readings),
            )
        {
            report.add(
                "headers",
                Some(row.height),
                said(row.height, "totals that do not add up"),
            );
        }
    }

    fn certificate(&mut self, header: &Header, hash: Digest, report: &mut FsckReport) {
        let height = header.height;
        let mut problem = |text: String| report.add("certificates", Some(height), text);
        let found = table::certificates::at(self.connection, height);
        self.rows.1 += u64::from(!matches!(found, Ok(None)));
        match found {
            Err(error) => problem(sentence(&error)),
            Ok(None) if height == Height(0) => {}
            // A snapshot brings the certificates that lead to it, and a hash from there to all headers.
            Ok(None)
                if self.snapshot.is_some_and(|(start, _)| height < start)
                    && header.next_validators_hash == header.validators_hash => {}
            Ok(None) => problem(format!("The certificate of block {height} is missing.")),
            Ok(Some(_)) if height == Height(0) => {
                problem("Block 0 has a certificate, though nobody certifies it.".into());
            }
            Ok(Some(found)) if found.block != hash || found.height != height => {
                problem(format!(
                    "The certificate of block {height} is for another block."
                ));
            }
            Ok(Some(found)) => {
                if let Err(error) = found.verify(header.chain, &self.validators) {
                    problem(format!("Block {height} is not final: {error}."));
                }
            }
        }
    }

    fn execute(&mut self, block: &Block, report: &mut FsckReport) -> Result<(), StoreError> {
        let height = block.header.height;
        let position = self.position(height);
        let Some(state) = self.state.as_mut() else {
            return self.read_only(&position, block, report);
        };
        let checked = apply::check(state, position, block, &|_| None)?;
        state.absorb(height.0, &checked.writes, &checked.update);
        self.validator_rows(&checked, report);
        self.validators = checked.next_validators;
        Ok(())
    }

    /// Checks all of a block that can be told without the state before it.
    fn read_only(
        &mut self,
        position: &Position,
        block: &Block,
        report: &mut FsckReport,
    ) -> Result<(), StoreError> {
        apply::check_header(position, block)?;
        if !self.pruned {
            return Ok(());
        }
        let verified = apply::verify_all(position.chain, block, &|_| None)?;
        let ids: Vec<_> = verified.iter().map(VerifiedTransaction::id).collect();
        if tx_root(&ids) != block.header.tx_root {
            return Err(Refusal::TxRoot.into());
        }
        self.follow(&block.header, report)
    }

    /// Takes over the next validators: those that the header names, as stored.
    fn follow(&mut self, header: &Header, report: &mut FsckReport) -> Result<(), StoreError> {
        let next = header.height.next().unwrap_or(header.height);
        for (at, expected) in [
            (header.height, header.validators_hash),
            (next, header.next_validators_hash),
        ] {
            match table::validator_sets::at(self.connection, at)? {
                Some(found) if found.hash() == expected => self.validators = found,
                _ => report.add(
                    "validator_sets",
                    Some(at),
                    format!("The validators kept for height {at} are not those of the header."),
                ),
            }
        }
        Ok(())
    }

    fn position(&self, height: Height) -> Position {
        let first = Position::first(self.genesis);
        let Some(parent) = &self.parent else {
            return first;
        };
        Position {
            chain: first.chain,
            height,
            parent: parent.hash,
            time: TimeRule::After(parent.time_millis),
            validators: self.validators.clone(),
            max_bytes: u64::from(self.max_block_bytes()),
        }
    }

    /// The rule in force; without a state to ask, the largest there can be.
    fn max_block_bytes(&self) -> u32 {
        let rules = self.state.as_ref().map(governance::parameters);
        match rules {
            Some(Ok(rules)) => rules.max_block_bytes,
            _ => MAX_PARAMETER_BLOCK_BYTES,
        }
    }

    /// The set that certifies from this block's successor on, or from block 0, must have its row.
    fn validator_rows(&self, checked: &CheckedBlock, report: &mut FsckReport) {
        let height = checked.block.header.height;
        let mut expect = |at: Height, validators: &ValidatorSet| {
            let found = table::validator_sets::at(self.connection, at);
            match found {
                Ok(Some(found)) if found == *validators => {}
                Ok(_) => report.add(
                    "validator_sets",
                    Some(at),
                    format!("The validators kept for height {at} are not those of the state."),
                ),
                Err(error) => report.add("validator_sets", Some(at), sentence(&error)),
            }
        };
        expect(height, &checked.validators);
        if checked.next_validators != checked.validators {
            expect(Height(height.0.saturating_add(1)), &checked.next_validators);
        }
    }

    /// Rows that belong to no block that was walked.
    fn finish(&self, report: &mut FsckReport) {
        let expected = [
            ("meta", if self.snapshot.is_some() { 3 } else { 2 }),
            ("headers", report.blocks),
            ("certificates", self.rows.1),
            ("transactions", self.rows.0),
            ("transaction_ids", self.rows.0),
            ("pruned", report.pruned_blocks),
        ];
        if report.blocks == 0 {
            report.add("headers", None, "There is a genesis, but no block 0.");
        }
        for (table, expected) in expected {
            match count(self.connection, table) {
                Ok(actual) if actual == expected => {}
                Ok(actual) => report.add(
                    table,
                    None,
                    format!("{table} has {actual} rows; the chain has {expected}."),
                ),
                Err(error) => report.add(table, None, sentence(&error)),
            }
        }
        if self
            .snapshot
            .is_some_and(|(start, _)| start.0 >= report.blocks)
        {
            report.add(
                "meta",
                None,
                "The replica started from a block it does not have.",
            );
        }
        let tip = Height(report.blocks);
        let changes = table::validator_sets::changes(self.connection, Height(i64::MAX as u64));
        match changes {
            Ok(changes) if changes.iter().all(|(from, _)| *from <= tip) => {}
            Ok(_) => report.add(
                "validator_sets",
                None,
                "Validators are kept for a height the chain has not reached.",
            ),
            Err(error) => report.add("validator_sets", None, sentence(&error)),
        }
    }
}

/// Compares the columns beside the bytes; returns how many readings the transactions anchor.
fn rows_match<'a>(
    rows: impl Iterator<Item = (u32, &'a TransactionRow)>,
    report: &mut FsckReport,
) -> u64 {
    let mut readings = 0;
    for (place, row) in rows {
        let at = format!("Transaction {} of block {}", row.place, row.height);
        if row.place != place {
            let sentence = format!("{at} is not at place {place}.");
            report.add("transactions", Some(row.height), sentence);
        }
        match columns_of(row) {
            Ok((expected, anchored)) => {
                readings += anchored;
                if expected != (row.id, row.sender, row.kind.as_str()) {
                    let sentence = format!("{at} is not the one its row names.");
                    report.add("transactions", Some(row.height), sentence);
                }
            }
            Err(error) => {
                let sentence = format!("{at} cannot be read: {error}.");
                report.add("transactions", Some(row.height), sentence);
            }
        }
    }
    readings
}

type Columns = (Digest, ledger_core::key::PublicKey, &'static str);

fn columns_of(row: &TransactionRow) -> Result<(Columns, u64), StoreError> {
    let signed =
        SignedTransaction::decode(&row.bytes).map_err(|error| damaged(error.to_string()))?;
    let body = signed.body().map_err(|error| damaged(error.to_string()))?;
    let readings = match &body.payload {
        Payload::AnchorBatch(anchor) => u64::from(anchor.readings),
        _ => 0,
    };
    Ok((
        (signed.id(), *signed.sender(), body.payload.kind()),
        readings,
    ))
}

fn said(height: Height, what: &str) -> String {
    format!("The row of block {height} says {what}.")
}
