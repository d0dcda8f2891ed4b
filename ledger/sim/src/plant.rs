//! Bugs planted on purpose, so that every checker is seen to fail.

use crate::record::Record;

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plant {
    /// More than f validators equivocate together.
    TooManyEquivocators,
    /// Node 0 crashes at every height, and its disk loses votes and proposals that were synced.
    ForgetfulDisk,
    /// Node 0 says that transactions are accepted, and keeps nothing of them.
    ForgetfulOutbox,
    /// Half of the validators stop for good.
    StoppedValidators,
    /// Node 0's disk turns a bit of a stored block.
    AlteredBlock,
    /// Node 0's disk loses its last block after having said it was there.
    LostBlock,
    /// Node 0 executes otherwise than the others: one of its entries differs.
    OtherExecution,
    /// Node 0 keeps certificates without a quorum.
    ThinCertificate,
    /// Node 0 gives back a transaction twice.
    RepeatedTransaction,
    /// Node 0 fails by itself.
    FailingNode,
    /// Every message is given back to its sender, twice, and so are those.
    Echo,
}

impl Plant {
    /// Brings the bug into what is left of a simulation, if that is where it shows.
    pub(crate) fn spoil(self, record: &mut Record) {
        let Some(node) = record.nodes.first_mut() else {
            return;
        };
        match self {
            Self::AlteredBlock => {
                if let Some(block) = node.blocks.get_mut(2) {
                    block.block.header.time_millis += 1;
                    block.block.header.state_root.0[0] ^= 1;
                    block.hash = block.block.header.hash();
                }
            }
            Self::LostBlock => {
                node.blocks.pop();
            }
            Self::ThinCertificate => {
                let certificates = node.blocks.iter_mut();
                for certificate in certificates.filter_map(|block| block.certificate.as_mut()) {
                    certificate.signatures.truncate(1);
                }
            }
            Self::RepeatedTransaction => {
                let twice = node.blocks.iter_mut().skip(1);
                let mut transactions = twice.map(|block| &mut block.block.transactions);
                if let Some(repeated) = transactions.find(|all| !all.is_empty())
                    && let Some(first) = repeated.first().cloned()
                {
                    repeated.push(first);
                }
            }
            // These bring themselves about while the simulation runs.
            Self::TooManyEquivocators
            | Self::ForgetfulDisk
            | Self::ForgetfulOutbox
            | Self::StoppedValidators
            | Self::OtherExecution
            | Self::FailingNode
            | Self::Echo => {}
        }
    }
}
