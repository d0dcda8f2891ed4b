//! Fetching what a glucose meter stored: writes what [`RecordFetch`](crate::gatt::RecordFetch) says.
//!
//! Upon each connection the records after the last durable one are asked for. What a meter refuses
//! to send is asked for again at the next connection.

use super::{ANSWER_AT_MOST, Session};
use crate::event::{Event, MissingCause};
use crate::gatt::{Request, Step, uuid};
use crate::link::LinkReason;
use crate::serial::now_millis;
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _, WriteType};
use tokio::time::timeout;

impl Session<'_> {
    /// Asks for the stored records of a peripheral that has some. False when the device is to stop.
    pub(super) async fn fetch_records(&mut self) -> Result<bool, LinkReason> {
        self.memory.fetch.dropped();
        if self.control_point().is_none() {
            return Ok(true);
        }
        self.note_durable();
        match self.memory.fetch.start(now_millis()) {
            Some(request) => self.follow(Step::Write(request)).await,
            None => Ok(true),
        }
    }

    /// Takes the newest record that is durable here.
    pub(super) fn note_durable(&mut self) {
        let acknowledged = *self.ends.ack.borrow_and_update();
        if let Some(Ok(sequence)) = acknowledged.map(u16::try_from) {
            self.memory.fetch.durable(sequence);
        }
    }

    /// Does what is next. False when the device is to stop.
    pub(super) async fn follow(&mut self, step: Step) -> Result<bool, LinkReason> {
        match step {
            Step::Write(request) => self.request(request).await,
            Step::Done(fetched) if fetched.missing > 0 => {
                let missing = Event::Missing {
                    readings: fetched.missing,
                    cause: MissingCause::SequenceGap,
                };
                Ok(self.ends.send(missing).await)
            }
            Step::Wait | Step::Done(_) | Step::Failed(_) => Ok(true),
        }
    }

    async fn request(&mut self, request: Request) -> Result<bool, LinkReason> {
        let Some(control_point) = self.control_point() else {
            return Ok(true);
        };
        let bytes = request.encode();
        let write =
            self.connection
                .peripheral
                .write(&control_point, &bytes, WriteType::WithResponse);
        match timeout(ANSWER_AT_MOST, write).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => self.memory.fetch.dropped(),
            Err(_) => return Err(self.hung(uuid::RECORD_ACCESS_CONTROL_POINT)),
        }
        Ok(true)
    }

    fn control_point(&self) -> Option<Characteristic> {
        let known = [uuid::RECORD_ACCESS_CONTROL_POINT];
        self.characteristics(&known, CharPropFlags::WRITE).pop()
    }
}
