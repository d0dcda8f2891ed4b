//! What a node does whose vault is older than the ledger, before it says anything: it goes on where the ledger is.
//!
//! ```text
//! own transactions   from the ledger's next nonce on; what waits and was never executed is signed anew
//! batches            from the ledger's next number on; what is missing before it is a loss (`vault::losses`)
//! devices            one that was made somebody else's since is nobody's, until it is assigned again
//! people             who was revoked since is revoked, whose roles were changed since has those
//! ```
//!
//! All of it is one SQLite transaction, durable before the mark of the restore goes; done twice, it changes nothing.
//! What the ledger does not tell stays as it was when the vault was kept: who measured what, passphrases, names.

use anyhow::Context as _;
use ledger_core::access::{self, Person as Known};
use ledger_core::device::{self, ChangeDevice, DeviceChange};
use ledger_core::{Height, Payload, SecretKey, SignedTransaction};
use ledger_store::{Replica, RestoredMark, Snapshot};
use rusqlite::Connection;

use crate::clock::{now_millis, unix_millis};
use crate::people::person::Person;
use crate::people::roles_here;
use crate::vault::losses::{self, Loss};
use crate::vault::outbox::{self, OutboxRow};
use crate::vault::renew::sign_anew;
use crate::vault::seal::MasterKey;
use crate::vault::{assignments, batches, devices, people};

/// Has the vault follow the ledger, if it was restored or is behind it.
///
/// # Errors
/// If one of them cannot be read, or the vault not be written; nothing is changed then.
pub(crate) fn catch_up(
    vault: &mut Connection,
    replica: &Replica,
    (master, signer): (&MasterKey, &SecretKey),
    mark: Option<&RestoredMark>,
) -> anyhow::Result<()> {
    let ledger = replica.read()?;
    let is_behind = outbox::next_nonce(vault)? < ledger.account(&signer.public())?.next_nonce.0;
    if !is_behind && mark.is_none() {
        return Ok(());
    }
    let transaction = vault.transaction()?;
    if is_behind {
        go_on(&transaction, replica, &ledger, signer)?;
    }
    let since = Since {
        height: Height(mark.map_or(0, |mark| mark.height)),
        millis: mark.map_or_else(now_millis, |mark| mark.made_at_millis),
    };
    since.follow_devices(&transaction, &ledger, master)?;
    since.follow_people(&transaction, &ledger, master)?;
    transaction.commit()?;
    Ok(())
}

/// Goes on with the ledger's next nonce and batch.
fn go_on(
    vault: &Connection,
    replica: &Replica,
    ledger: &Snapshot<'_>,
    signer: &SecretKey,
) -> anyhow::Result<()> {
    let is_executed = |row: &OutboxRow| ledger.transaction(&row.id).map(|found| found.is_some());
    let mut first_batch = batches::next_number(vault)?;
    for row in outbox::list(vault)? {
        if let Some(batch) = row.batch
            && !is_executed(&row)?
        {
            first_batch = first_batch.min(batch);
        }
    }
    let head = ledger.anchor_head(&signer.public())?;
    if first_batch < head.next_batch.0 {
        let known = batches::readings_below(vault, first_batch)?;
        let lost_before: u64 = losses::all(vault)?.iter().map(|loss| loss.readings).sum();
        let loss = Loss {
            first_batch,
            readings: head.readings.saturating_sub(known + lost_before),
            head,
        };
        tracing::warn!(
            batches = loss.batches(),
            readings = loss.readings,
            "the ledger has batches of this node that its vault has not: their readings are lost"
        );
        losses::insert(vault, &loss)?;
    }
    let count = sign_anew(vault, ledger, signer, |row, signed| {
        Ok(!is_executed(row)? && is_worth_saying(replica, ledger, signer, signed)?)
    })?;
    tracing::warn!(
        count,
        "the vault was older than the ledger: the node goes on where the ledger is"
    );
    Ok(())
}

/// Whether the ledger would still take what was said at another time. Whose a device is, staff say again.
fn is_worth_saying(
    replica: &Replica,
    ledger: &Snapshot<'_>,
    signer: &SecretKey,
    signed: &SignedTransaction,
) -> anyhow::Result<bool> {
    let mut body = signed.body()?;
    let is_anchor = matches!(body.payload, Payload::AnchorBatch(_));
    let is_assignment = matches!(
        body.payload,
        Payload::ChangeDevice(ChangeDevice {
            change: DeviceChange::Assign(Some(_)),
            ..
        })
    );
    if is_anchor || is_assignment {
        return Ok(is_anchor);
    }
    body.nonce = ledger.account(&signer.public())?.next_nonce;
    let tried = SignedTransaction::sign(&body, signer).verify(body.chain)?;
    let prepared = replica.prepare(&[tried], unix_millis(), signer.public())?;
    Ok(prepared.refused.is_empty())
}

/// The moment that the vault is of.
struct Since {
    height: Height,
    millis: i64,
}

impl Since {
    fn follow_devices(
        &self,
        vault: &Connection,
        ledger: &Snapshot<'_>,
        master: &MasterKey,
    ) -> anyhow::Result<()> {
        for row in devices::active(vault)? {
            let Some(life) = device::life(ledger, &row.handle)? else {
                continue;
            };
            let Some((assigned, _)) = assignments::current(vault, master, &row.id)? else {
                continue;
            };
            if life.changed > self.height && life.assignment != Some(assigned.commitment()) {
                assignments::change(vault, &row.id, None, self.millis)?;
                tracing::warn!(
                    device = %row.id,
                    "whose this device is was changed after the vault was kept: it is nobody's until it is assigned"
                );
            }
        }
        Ok(())
    }

    fn follow_people(
        &self,
        vault: &Connection,
        ledger: &Snapshot<'_>,
        master: &MasterKey,
    ) -> anyhow::Result<()> {
        for row in people::all(vault)? {
            let mut person = Person::open(&row, master).context("cannot open a person's row")?;
            let Some(name) = &person.pseudonym else {
                continue;
            };
            let Some(known) = access::person(ledger, &name.handle)? else {
                continue;
            };
            if known.changed > self.height && follow_person(&mut person, &known) {
                people::put(vault, &person.seal(master)?)?;
            }
        }
        Ok(())
    }
}

/// Changes a person to what the ledger knows of her; whether there was anything to change. Keys of before need nothing:
/// the ledger takes none twice, so that she gets new ones.
fn follow_person(person: &mut Person, known: &Known) -> bool {
    let roles = roles_here(&known.registered.roles);
    let is_revoked = person.is_active() && !known.is_active;
    if is_revoked {
        person.revoked = Some(now_millis());
    }
    let has_other = person.roles != roles;
    person.roles = roles;
    is_revoked || has_other
}

#[cfg(test)]
mod tests {
    //! Goal: a vault of before says nothing that the ledger has heard already, loses nothing of what it has, and knows
    //! what it has not; done again, nothing changes. Method: a real vault and a real ledger, on which other batches of
    //! the same node were anchored than those that wait.

    use ledger_core::Digest;

    use super::*;
    use crate::vault::renew::tests::{anchor_of, append, key, with_waiting};

    #[test]
    fn what_waits_is_said_behind_what_was_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (genesis, replica, mut vault, begin) = with_waiting(folder.path(), 3);
        let master = MasterKey::new([7; 32]);
        let follow = |vault: &mut Connection| {
            catch_up(vault, &replica, (&master, &key(1)), None).unwrap();
            let waiting = outbox::list(vault).unwrap();
            waiting
                .iter()
                .map(|row| (row.nonce - begin, row.batch))
                .collect::<Vec<_>>()
        };
        let as_made = [(0, Some(0)), (1, Some(1)), (2, Some(2))];
        assert_eq!(follow(&mut vault), as_made, "it is behind nothing");

        // The first is final. Then another copy of the node, of before, has anchored others in the places of the rest.
        let first = outbox::list(&vault).unwrap().remove(0);
        append(
            &replica,
            &genesis,
            SignedTransaction::decode(&first.bytes).unwrap(),
        );
        for number in 1..4 {
            let other = anchor_of(&genesis, number, begin + number, Digest([9; 32]));
            append(&replica, &genesis, other);
        }
        let behind = [(4, Some(4)), (5, Some(5))];
        assert_eq!(follow(&mut vault), behind);
        assert_eq!(follow(&mut vault), behind, "once");
        let losses = losses::all(&vault).unwrap();
        let [loss] = losses.as_slice() else {
            panic!("{losses:?}")
        };
        assert_eq!((loss.first_batch, loss.batches(), loss.readings), (1, 3, 3));
        assert_eq!(losses::to_leave_out(&vault).unwrap(), 3);
        let numbers: Vec<_> = (0..7)
            .filter(|number| batches::find(&vault, *number).unwrap().is_some())
            .collect();
        assert_eq!(numbers, [0, 4, 5]);
        assert_eq!(batches::next_number(&vault).unwrap(), 6);

        // The ledger takes them, and the vault knows by which transactions.
        for row in outbox::list(&vault).unwrap() {
            let batch = batches::find(&vault, row.batch.unwrap()).unwrap().unwrap();
            assert_eq!(batch.tx, row.id);
            append(
                &replica,
                &genesis,
                SignedTransaction::decode(&row.bytes).unwrap(),
            );
        }
    }
}
