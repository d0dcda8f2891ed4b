//! The loop of a device that listens: it stamps its readings, keeps them until they are durable,
//! and sends them again when its host was away.

use crate::board::{Board, MILLIS_PER_TICK};
use crate::{factory, simulated};
use fogward_level0::{
    Backlog, Chunk, Clock, DeviceClass, DeviceKey, FrameCutter, Hello, HostMessage, Outgoing,
    Sensor,
};

/// The longest frame it hears, without the zero bytes.
const HEARD_BYTES: usize = 56;
/// Readings kept while the host is away: four seconds of them.
const KEPT: usize = 16;
const TICKS_PER_HELLO: u32 = 60_000 / MILLIS_PER_TICK;

/// `WIRE` is the longest frame it sends, with the zero bytes around it.
struct Device<'a, K, const WIRE: usize> {
    board: Board,
    sensor: Sensor<K>,
    class: DeviceClass,
    clock: Clock,
    backlog: &'a mut Backlog<KEPT>,
    ears: &'a mut FrameCutter<HEARD_BYTES>,
}

/// Runs a device of `class` for ever, in its `epoch`-th start.
pub fn run<K: DeviceKey, const WIRE: usize>(
    board: Board,
    epoch: u32,
    class: DeviceClass,
    key: K,
) -> ! {
    let mut backlog = Backlog::new();
    let mut ears = FrameCutter::default();
    let mut device = Device::<_, WIRE> {
        board,
        sensor: Sensor::new(factory::DEVICE, key, epoch),
        class,
        clock: Clock::default(),
        backlog: &mut backlog,
        ears: &mut ears,
    };
    let mut taken = 0;
    loop {
        device.listen();
        if device.board.ticks() < taken {
            device.board.sleep();
            continue;
        }
        if taken % TICKS_PER_HELLO == 0 {
            device.say_hello();
        }
        device.measure(taken);
        device.send_due();
        taken += 1;
    }
}

impl<K: DeviceKey, const WIRE: usize> Device<'_, K, WIRE> {
    fn say_hello(&mut self) {
        let hello = Hello {
            firmware: [0, 1, 0],
            class: self.class,
            readings_per_1000_s: 1_000_000 / MILLIS_PER_TICK,
            is_listening: true,
        };
        let mut wire = [0; WIRE];
        if let Ok(length) = self.sensor.seal(&Outgoing::Hello(hello), &mut wire) {
            self.board.send(wire.get(..length).unwrap_or_default());
        }
    }

    fn measure(&mut self, number: u32) {
        let time_millis = self.clock.time_millis(self.board.millis());
        let reading = simulated::oxygen_saturation(number);
        // An epoch's counters last for 34 years; a device that still ran out of them falls silent.
        let _ = self.backlog.take(&mut self.sensor, time_millis, reading);
    }

    /// Sends what was not sent yet, oldest first.
    fn send_due(&mut self) {
        let mut wire = [0; WIRE];
        while let Some(length) = self.backlog.seal_next(&self.sensor, &mut wire) {
            self.board.send(wire.get(..length).unwrap_or_default());
        }
    }

    /// Hears everything that came. What is damaged or forged is ignored, as if it never came.
    fn listen(&mut self) {
        while let Some(byte) = self.board.receive() {
            let Some(Chunk::Frame(frame)) = self.ears.push(byte) else {
                continue;
            };
            let Ok(message) = self.sensor.open(frame) else {
                continue;
            };
            match message {
                HostMessage::Identify => {
                    self.say_hello();
                    self.backlog.send_again();
                }
                HostMessage::Ack { durable: upto } | HostMessage::Final { upto } => {
                    self.backlog.acknowledge(upto);
                }
                HostMessage::Time { now_millis } => {
                    self.clock.set(self.board.millis(), now_millis);
                }
            }
        }
    }
}
