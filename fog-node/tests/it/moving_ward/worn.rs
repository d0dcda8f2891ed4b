//! A sensor that is worn: where it is, what it is connected to, and what it sent while somebody was subscribed.

use std::time::{Duration, Instant};

use super::air::{Air, Body, FIRST};
use super::meter::{CONTROL_POINT, Meter, Said};
use super::numbered::{Class, Numbered};
use super::spoil::{Done, Spoil, Turn};
use super::standard::{Profile, Value};

/// What was notified so shortly before the node was killed may not have become durable: a commit takes up to
/// 100 ms, and the rest is what the machine may be slow.
const IN_FLIGHT: Duration = Duration::from_secs(2);
/// A meter hangs up so many seconds after it was connected, as meters do, and has a new record every other second.
const METER_TALKS: u32 = 4;
/// The Nordic UART Service, which level-0 devices speak over.
const UART: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const RX: &str = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const TX: &str = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";

/// Where a sensor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Ward(usize),
    /// Out of reach, for so many seconds more, on its way to a ward.
    Between(u32, usize),
}

/// What a sensor of the standard profiles notified to a subscriber.
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) ward: usize,
    pub(super) readings: Vec<Value>,
    pub(super) refused: (u64, u64),
    /// Whether the node was killed, or let the link go, while it may have been in flight.
    pub(super) was_in_flight: bool,
}

/// What a sensor is.
pub(super) enum Kind {
    Standard(Profile, Vec<Sent>),
    Meter(Meter),
    Numbered(Box<Numbered>),
}

/// A sensor of the ward.
pub(super) struct Worn {
    pub(super) body: Body,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// Seconds that it has lived.
    age: u32,
    /// The subscription that it serves, and since when by its age.
    link: Option<(u32, u32)>,
    /// Readings that were measured while nobody was subscribed.
    pub(super) unheard: u64,
}

impl Worn {
    pub(super) fn standard(number: u32, profile: Profile) -> Self {
        let kind = Kind::Standard(profile, Vec::new());
        Self::new(profile.body(address(number)), kind)
    }

    pub(super) fn meter(number: u32) -> Self {
        let kind = Kind::Meter(Meter::default());
        Self::new(Meter::body(address(number)), kind)
    }

    pub(super) fn numbered(number: u32, class: Class) -> Self {
        let body = Body {
            address: address(number),
            service: UART.to_owned(),
            characteristics: vec![
                (TX.to_owned(), vec!["notify"]),
                (RX.to_owned(), vec!["write-without-response"]),
            ],
        };
        Self::new(body, Kind::Numbered(Box::new(Numbered::new(number, class))))
    }

    fn new(body: Body, kind: Kind) -> Self {
        Self {
            body,
            kind,
            place: Place::Between(0, 0),
            age: 0,
            link: None,
            unheard: 0,
        }
    }

    pub(super) const fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    /// Whether nothing of it is still to be sent: a meter keeps its records until it is asked.
    pub(super) fn is_done(&self) -> bool {
        match &self.kind {
            Kind::Meter(meter) => meter.is_told(),
            _ => self.link.is_some_and(|(_, since)| self.age > since + 3),
        }
    }

    /// Lives for a second.
    pub(super) fn live(&mut self, air: &Air, spoil: &mut Spoil, done: &mut Done) {
        self.age += 1;
        let mut falls = None;
        if let Place::Ward(ward) = self.place {
            air.stay(ward, &self.body);
        }
        match self.place {
            Place::Between(seconds @ 1.., to) if spoil.is_on => {
                self.place = Place::Between(seconds - 1, to);
            }
            Place::Between(_, to) => {
                air.arrive(to, &self.body);
                self.place = Place::Ward(to);
            }
            Place::Ward(ward) => match spoil.turn() {
                Some(Turn::Walk) => {
                    done.walks += 1;
                    self.leave(air, ward, Place::Between(spoil.seconds(), 1 - ward));
                }
                Some(Turn::Wander) => {
                    done.drops += 1;
                    self.leave(air, ward, Place::Between(spoil.seconds(), ward));
                }
                Some(Turn::Fall) => {
                    done.drops += u64::from(self.is_linked());
                    falls = Some(ward);
                }
                None => {}
            },
        }
        self.measure(air, spoil, done);
        if let Some(ward) = falls {
            self.fall(air, ward);
        }
    }

    fn line_ended(&mut self) {
        if let Kind::Numbered(numbered) = &mut self.kind {
            numbered.line_ended();
        }
        self.link = None;
    }

    fn leave(&mut self, air: &Air, ward: usize, place: Place) {
        air.leave(ward, &self.body.address);
        self.place = place;
        self.line_ended();
    }

    /// The link falls; what was notified before has been handed over by the radio.
    fn fall(&mut self, air: &Air, ward: usize) {
        air.stay(ward, &self.body);
        air.drop_link(ward, &self.body.address);
        self.line_ended();
    }

    /// The node of this ward was killed, and may not have made durable what was in flight.
    pub(super) fn node_killed(&mut self, air: &Air, ward: usize) {
        if let Kind::Standard(_, sent) = &mut self.kind {
            let late = sent.iter_mut().rev();
            for sent in late.take_while(|sent| sent.at.elapsed() < IN_FLIGHT) {
                sent.was_in_flight |= sent.ward == ward;
            }
        }
        if self.place == Place::Ward(ward) {
            self.fall(air, ward);
        }
    }

    /// From now on nothing more is measured that waits to be asked for, and what was told before counts no more.
    pub(super) fn calm_down(&mut self) {
        if let Kind::Meter(meter) = &mut self.kind {
            meter.told = None;
        }
    }

    fn subscription(&self, air: &Air, ward: usize) -> Option<u32> {
        let number = match &self.kind {
            Kind::Meter(_) => CONTROL_POINT,
            Kind::Standard(..) | Kind::Numbered(_) => FIRST,
        };
        air.subscription(ward, &self.body.address, number)
    }

    /// Sees whether it is subscribed to.
    fn look(&mut self, air: &Air, ward: usize) {
        let link = self.subscription(air, ward);
        if link != self.link.map(|(link, _)| link) {
            self.line_ended();
            self.link = link.map(|link| (link, self.age));
            if let (Kind::Numbered(numbered), Some(_)) = (&mut self.kind, link) {
                numbered.linked_anew();
            }
        }
        if self.link.is_none() {
            air.advertise(ward, &self.body.address);
        }
    }

    fn measure(&mut self, air: &Air, spoil: &mut Spoil, done: &mut Done) {
        let ward = match self.place {
            Place::Ward(ward) => {
                self.look(air, ward);
                Some(ward).filter(|_| self.is_linked())
            }
            Place::Between(..) => None,
        };
        match self.kind {
            Kind::Standard(..) => self.notify_measured(air, ward, spoil, done),
            Kind::Meter(_) => self.tell_records(air, ward, spoil, done),
            Kind::Numbered(_) => self.send_frames(air, ward, spoil, done),
        }
    }

    fn notify_measured(
        &mut self,
        air: &Air,
        ward: Option<usize>,
        spoil: &mut Spoil,
        done: &mut Done,
    ) {
        let before = self.link.map(|(link, _)| link);
        let Kind::Standard(profile, _) = &self.kind else {
            return;
        };
        let damage = spoil.damage().filter(|_| ward.is_some());
        let measured = profile.measure(self.age, damage);
        let Some(ward) = ward else {
            self.unheard += measured.readings.len() as u64;
            return;
        };
        done.disturbed += u64::from(damage.is_some());
        for part in &measured.parts {
            air.notify(ward, &self.body.address, FIRST, part);
        }
        // If the node let the link go just now, it may have been too late.
        let was_in_flight = self.subscription(air, ward) != before;
        if let Kind::Standard(_, sent) = &mut self.kind {
            sent.push(Sent {
                at: Instant::now(),
                ward,
                readings: measured.readings,
                refused: measured.refused,
                was_in_flight,
            });
        }
    }

    fn send_frames(&mut self, air: &Air, ward: Option<usize>, spoil: &mut Spoil, done: &mut Done) {
        let Kind::Numbered(numbered) = &mut self.kind else {
            return;
        };
        let address = &self.body.address;
        let Some(ward) = ward else {
            numbered.measure(false);
            return;
        };
        let heard = air.writes(ward, address).concat();
        if let Some(answer) = numbered.hear(&heard) {
            air.notify(ward, address, FIRST, &answer);
        }
        for frame in numbered.measure(true) {
            air.notify(ward, address, FIRST, &spoil.frame(frame, done));
        }
    }

    /// Measures every other second, answers what the node asks, and hangs up after a while.
    fn tell_records(&mut self, air: &Air, ward: Option<usize>, spoil: &mut Spoil, done: &mut Done) {
        let Kind::Meter(meter) = &mut self.kind else {
            return;
        };
        if self.age.is_multiple_of(2) && spoil.is_on {
            meter.measure();
        }
        let (Some(ward), Some((_, since))) = (ward, self.link) else {
            return;
        };
        let address = &self.body.address;
        for request in air.writes(ward, address) {
            for said in meter.answer(&request, || spoil.record()) {
                match said {
                    Said::Value(number, value) => air.notify(ward, address, number, &value),
                    Said::Damaged(value) => {
                        done.disturbed += 1;
                        air.notify(ward, address, FIRST, &value);
                    }
                    Said::Fall => {
                        done.drops += 1;
                        return self.fall(air, ward);
                    }
                }
            }
        }
        if self.age >= since + METER_TALKS {
            self.fall(air, ward);
        }
    }
}

fn address(number: u32) -> String {
    format!("C4:F2:17:1A:{:02X}:{:02X}", number >> 8, number & 0xff)
}
