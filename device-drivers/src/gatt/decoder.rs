//! The decoder of one peripheral: characteristic values in, events out.

use crate::event::{CoincidentTime, DeviceInfo, Event, MissingCause, RejectReason};
use crate::gatt::report::Report;
use crate::gatt::{
    BatteryLevel, BloodPressureFeature, BloodPressureMeasurement, BodyComposition,
    BodyCompositionFeature, BodySensorLocation, CurrentTime, DateTime, DecodeError, GlucoseContext,
    GlucoseFeature, GlucoseMeasurement, HeartRateMeasurement, Indication, PlxContinuous,
    PlxFeatures, PlxSpotCheck, PnpId, SystemId, TemperatureMeasurement, TemperatureType,
    WeightMeasurement, WeightScaleFeature, device_information, uuid,
};

/// The longest value that an attribute can have, in bytes (Core Specification, vol. 3, part F, 3.2.9).
pub const MAX_VALUE_BYTES: usize = 512;

/// The second of two packets of a body composition comes within so long.
const SECOND_PACKET_MILLIS: i64 = 10_000;

/// What a peripheral says of itself and measures nothing: read once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where a heart rate sensor is worn.
    pub body_sensor_location: Option<BodySensorLocation>,
    /// Where a thermometer measures.
    pub temperature_type: Option<TemperatureType>,
    /// What a pulse oximeter can do.
    pub pulse_oximeter: Option<PlxFeatures>,
    /// What a blood pressure monitor can do.
    pub blood_pressure: Option<BloodPressureFeature>,
    /// What a glucose meter can do.
    pub glucose: Option<GlucoseFeature>,
    /// What a weight scale can do.
    pub weight_scale: Option<WeightScaleFeature>,
    /// What a body composition analyser can do.
    pub body_composition: Option<BodyCompositionFeature>,
    /// Which product it is.
    pub product: Option<PnpId>,
}

/// The stateful decoder of one peripheral.
///
/// It outlives connections: what was read stays known, and glucose records that were seen once are
/// refused as replays. So are all records of a meter whose numbers begin anew (a factory reset, which
/// the service forbids): the rejections show it, and pairing the meter again ends it.
///
/// A glucose record that cannot be decoded is refused, and named as missing once a later record came: the
/// meter is asked for what follows the newest one, so until then the damaged one comes again.
#[derive(Debug, Default)]
pub struct Gatt {
    frames: u64,
    info: DeviceInfo,
    facts: Facts,
    last_record: Option<u16>,
    /// Records after the last one that came damaged over this link.
    damaged_records: u16,
    first_packet: Option<FirstPacket>,
}

/// The first of two packets of a body composition, waiting for the second.
#[derive(Debug)]
struct FirstPacket {
    came_millis: i64,
    device_time_millis: Option<i64>,
    body_fat: u16,
}

impl Gatt {
    /// A decoder that knows nothing yet.
    #[must_use]
    pub fn new() -> Gatt {
        Gatt::default()
    }

    /// Refuses stored glucose records up to this sequence number, which the fog node has already.
    pub fn resume_after(&mut self, sequence: u16) {
        self.last_record = self.last_record.max(Some(sequence));
    }

    /// Takes a value that was notified, indicated or read at `now_millis` (since 1970), and appends
    /// what it means. A value that cannot be decoded, or of an unknown characteristic, becomes a
    /// counted rejection. `characteristic` is its assigned number ([`uuid`]).
    pub fn push(
        &mut self,
        characteristic: u16,
        value: &[u8],
        now_millis: i64,
        events: &mut Vec<Event>,
    ) {
        let mut report = Report {
            now_millis,
            device_time_millis: None,
            sequence: None,
            events,
        };
        let taken = if value.len() > MAX_VALUE_BYTES {
            Err(DecodeError::TooLong(value.len() - MAX_VALUE_BYTES))
        } else {
            match self.measurement(characteristic, value, &mut report) {
                Some(taken) => taken.map(|()| true),
                None => self.fact(characteristic, value, &mut report),
            }
        };
        match taken {
            Ok(true) => self.frames += 1,
            Ok(false) => report.refuse(RejectReason::UnknownMessage, 0),
            Err(error) => {
                report.refuse(error.reason(), readings_of(characteristic));
                if characteristic == uuid::GLUCOSE_MEASUREMENT {
                    self.damaged_records = self.damaged_records.saturating_add(1);
                }
            }
        }
    }

    /// The link fell: a measurement of which half came is refused as incomplete, and damaged records that no
    /// other followed come again.
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        self.damaged_records = 0;
        if self.first_packet.take().is_some() {
            refuse_half(events);
        }
    }

    /// How many values were decoded so far.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// What the peripheral said of itself.
    #[must_use]
    pub const fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// What the peripheral said of its sensors.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes a value that measures; `None` if the characteristic is none of these.
    fn measurement(
        &mut self,
        characteristic: u16,
        value: &[u8],
        report: &mut Report<'_>,
    ) -> Option<Result<(), DecodeError>> {
        Some(match characteristic {
            uuid::HEART_RATE_MEASUREMENT => {
                HeartRateMeasurement::decode(value).map(|record| record.report(report))
            }
            uuid::TEMPERATURE_MEASUREMENT => {
                TemperatureMeasurement::decode(value).map(|record| record.report(false, report))
            }
            uuid::INTERMEDIATE_TEMPERATURE => {
                TemperatureMeasurement::decode(value).map(|record| record.report(true, report))
            }
            uuid::PLX_SPOT_CHECK_MEASUREMENT => {
                PlxSpotCheck::decode(value).map(|record| record.report(report))
            }
            uuid::PLX_CONTINUOUS_MEASUREMENT => {
                PlxContinuous::decode(value).map(|record| record.report(report))
            }
            uuid::BLOOD_PRESSURE_MEASUREMENT => {
                BloodPressureMeasurement::decode(value).map(|record| record.report(report))
            }
            uuid::GLUCOSE_MEASUREMENT => {
                GlucoseMeasurement::decode(value).map(|record| self.record(&record, report))
            }
            uuid::WEIGHT_MEASUREMENT => {
                WeightMeasurement::decode(value).map(|record| record.report(report))
            }
            uuid::BODY_COMPOSITION_MEASUREMENT => {
                BodyComposition::decode(value).map(|packet| self.composition(&packet, report))
            }
            // Decoded and not measured: see these modules.
            uuid::INTERMEDIATE_CUFF_PRESSURE => BloodPressureMeasurement::decode(value).map(drop),
            uuid::GLUCOSE_MEASUREMENT_CONTEXT => GlucoseContext::decode(value).map(drop),
            uuid::RECORD_ACCESS_CONTROL_POINT => Indication::decode(value).map(drop),
            _ => return None,
        })
    }

    /// A glucose record, unless it was seen before.
    fn record(&mut self, record: &GlucoseMeasurement, report: &mut Report<'_>) {
        if self.last_record.is_some_and(|last| record.sequence <= last) {
            report.refuse(RejectReason::Replayed, 0);
            self.damaged_records = 0;
            return;
        }
        // There are no more new ones before this one than there are numbers; the rest were known already.
        let between = match self.last_record {
            Some(last) => record.sequence - last - 1,
            None => record.sequence,
        };
        let readings = core::mem::take(&mut self.damaged_records).min(between);
        if readings > 0 {
            report.events.push(Event::Missing {
                readings: u32::from(readings),
                cause: MissingCause::SequenceGap,
            });
        }
        self.last_record = Some(record.sequence);
        record.report(report);
    }

    /// A packet of a body composition. The second of two repeats the first's body fat, has neither time
    /// nor user, and gets the first's time.
    fn composition(&mut self, packet: &BodyComposition, report: &mut Report<'_>) {
        let first = self.first_packet.take();
        let came_first = first.filter(|first| {
            let waited_millis = report.now_millis.saturating_sub(first.came_millis);
            let is_second = packet.is_multiple_packet
                && packet.time.is_none()
                && packet.user_id.is_none()
                && packet.body_fat == first.body_fat
                && waited_millis <= SECOND_PACKET_MILLIS;
            if !is_second {
                refuse_half(report.events);
            }
            is_second
        });
        match came_first {
            Some(first) => {
                report.device_time_millis = first.device_time_millis;
                packet.report(true, report);
            }
            None => {
                packet.report(false, report);
                self.first_packet = packet.is_multiple_packet.then_some(FirstPacket {
                    came_millis: report.now_millis,
                    device_time_millis: report.device_time_millis,
                    body_fat: packet.body_fat,
                });
            }
        }
    }

    /// Takes a value that says something of the device or its clock; `false` if it is none of these.
    fn fact(
        &mut self,
        characteristic: u16,
        value: &[u8],
        report: &mut Report<'_>,
    ) -> Result<bool, DecodeError> {
        let known = self.info.clone();
        let (info, facts) = (&mut self.info, &mut self.facts);
        let text = || device_information::text(value);
        match characteristic {
            uuid::CURRENT_TIME => clock(CurrentTime::decode(value)?.millis(), report),
            uuid::DATE_TIME => clock(DateTime::decode(value)?.millis(), report),
            uuid::BATTERY_LEVEL => info.battery_percent = Some(BatteryLevel::decode(value)?.0),
            uuid::SYSTEM_ID => info.device_id = Some(SystemId::decode(value)?.to_hex()),
            uuid::MANUFACTURER_NAME => info.manufacturer = text(),
            uuid::MODEL_NUMBER => info.model = text(),
            uuid::SERIAL_NUMBER => info.serial_number = text(),
            uuid::HARDWARE_REVISION => info.hardware = text(),
            uuid::FIRMWARE_REVISION => info.firmware = text(),
            uuid::SOFTWARE_REVISION => info.software = text(),
            uuid::PNP_ID => facts.product = Some(PnpId::decode(value)?),
            uuid::BODY_SENSOR_LOCATION => {
                facts.body_sensor_location = Some(BodySensorLocation::decode(value)?);
            }
            uuid::TEMPERATURE_TYPE => {
                facts.temperature_type = Some(TemperatureType::decode(value)?);
            }
            uuid::PLX_FEATURES => facts.pulse_oximeter = Some(PlxFeatures::decode(value)?),
            uuid::BLOOD_PRESSURE_FEATURE => {
                facts.blood_pressure = Some(BloodPressureFeature::decode(value)?);
            }
            uuid::GLUCOSE_FEATURE => facts.glucose = Some(GlucoseFeature::decode(value)?),
            uuid::WEIGHT_SCALE_FEATURE => {
                facts.weight_scale = Some(WeightScaleFeature::decode(value)?);
            }
            uuid::BODY_COMPOSITION_FEATURE => {
                facts.body_composition = Some(BodyCompositionFeature::decode(value)?);
            }
            _ => return Ok(false),
        }
        if self.info != known {
            report.events.push(Event::Device(self.info.clone()));
        }
        Ok(true)
    }
}

/// What the device's clock showed, if it knows the date.
fn clock(device_time_millis: Option<i64>, report: &mut Report<'_>) {
    if let Some(device_time_millis) = device_time_millis {
        report.events.push(Event::Clock(CoincidentTime {
            device_time_millis,
            host_time_millis: report.now_millis,
        }));
    }
}

/// A first packet whose second never came; what the second would have measured is not known.
fn refuse_half(events: &mut Vec<Event>) {
    events.push(Event::Rejected(crate::event::Rejection {
        reason: RejectReason::Incomplete,
        frames: 1,
        readings: 0,
    }));
}

/// How many readings a value of a characteristic always has: what is lost when it does not decode. A glucose
/// record is not lost by that yet.
const fn readings_of(characteristic: u16) -> u32 {
    match characteristic {
        uuid::BLOOD_PRESSURE_MEASUREMENT => 3,
        uuid::PLX_SPOT_CHECK_MEASUREMENT | uuid::PLX_CONTINUOUS_MEASUREMENT => 2,
        uuid::HEART_RATE_MEASUREMENT
        | uuid::TEMPERATURE_MEASUREMENT
        | uuid::INTERMEDIATE_TEMPERATURE
        | uuid::WEIGHT_MEASUREMENT
        | uuid::BODY_COMPOSITION_MEASUREMENT => 1,
        _ => 0,
    }
}
