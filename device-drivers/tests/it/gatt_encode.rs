//! The values that devices would send for records, written from the GATT Specification Supplement;
//! shares nothing with the decoders. `reserved` sets those of its bits that are reserved flags.

use device_drivers::gatt::*;

/// A value under construction.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u8(mut self, number: u8) -> Bytes {
        self.0.push(number);
        self
    }

    fn u16(mut self, number: u16) -> Bytes {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn some<T>(self, field: Option<T>, put: impl FnOnce(Bytes, T) -> Bytes) -> Bytes {
        match field {
            Some(value) => put(self, value),
            None => self,
        }
    }

    fn u24(mut self, number: u32) -> Bytes {
        self.0.extend(&number.to_le_bytes()[..3]);
        self
    }

    fn time(self, time: DateTime) -> Bytes {
        self.u16(time.year)
            .u8(time.month)
            .u8(time.day)
            .u8(time.hours)
            .u8(time.minutes)
            .u8(time.seconds)
    }

    fn sfloat(self, float: Float) -> Bytes {
        let (mantissa, exponent) = parts(float, 2_048);
        self.u16((mantissa.rem_euclid(4_096) + exponent.rem_euclid(16) * 4_096) as u16)
    }

    fn float(mut self, float: Float) -> Bytes {
        let (mantissa, exponent) = parts(float, 1 << 23);
        let pattern = mantissa.rem_euclid(1 << 24) + exponent.rem_euclid(256) * (1 << 24);
        self.0.extend((pattern as u32).to_le_bytes());
        self
    }
}

/// The (mantissa, exponent) that a float is written as.
fn parts(float: Float, half: i64) -> (i64, i64) {
    match float {
        Float::Number { mantissa, exponent } => (i64::from(mantissa), i64::from(exponent)),
        Float::NaN => (half - 1, 0),
        Float::PositiveInfinity => (half - 2, 0),
        Float::NRes => (-half, 0),
        Float::Reserved => (1 - half, 0),
        Float::NegativeInfinity => (2 - half, 0),
    }
}

/// A bit of the flags, if a field is there.
fn bit<T>(field: Option<T>, bit: u16) -> u16 {
    if field.is_some() { bit } else { 0 }
}

fn flags(reserved: u16, rfu: u16) -> u16 {
    reserved & rfu
}

pub(crate) fn heart_rate(record: &HeartRateMeasurement, reserved: u16) -> Vec<u8> {
    let is_wide = record.rate_bpm > 255;
    let contact = match record.contact {
        None => 0,
        Some(false) => 0x04,
        Some(true) => 0x06,
    };
    let rr = Some(&record.rr_ticks).filter(|intervals| !intervals.is_empty());
    let flags = flags(reserved, 0xe0)
        | u16::from(is_wide)
        | contact
        | bit(record.energy_kilojoules, 0x08)
        | bit(rr, 0x10);
    let bytes = Bytes::default().u8(flags as u8);
    let bytes = if is_wide {
        bytes.u16(record.rate_bpm)
    } else {
        bytes.u8(record.rate_bpm as u8)
    };
    let bytes = bytes.some(record.energy_kilojoules, Bytes::u16);
    record.rr_ticks.iter().copied().fold(bytes, Bytes::u16).0
}

pub(crate) fn temperature(record: &TemperatureMeasurement, reserved: u16) -> Vec<u8> {
    let kind = record.kind.map(|kind| match kind {
        TemperatureType::Armpit => 1,
        TemperatureType::Tympanum => 9,
        TemperatureType::Reserved(number) => number,
        _ => panic!("not generated"),
    });
    let flags = flags(reserved, 0xf8)
        | u16::from(record.unit == TemperatureUnit::Fahrenheit)
        | bit(record.time, 0x02)
        | bit(kind, 0x04);
    Bytes::default()
        .u8(flags as u8)
        .float(record.temperature)
        .some(record.time, Bytes::time)
        .some(kind, Bytes::u8)
        .0
}

fn pair(bytes: Bytes, pair: SpO2PulseRate) -> Bytes {
    bytes.sfloat(pair.spo2).sfloat(pair.pulse_rate)
}

pub(crate) fn spot_check(record: &PlxSpotCheck, reserved: u16) -> Vec<u8> {
    let flags = flags(reserved, 0xe0)
        | bit(record.time, 0x01)
        | bit(record.measurement_status, 0x02)
        | bit(record.device_status, 0x04)
        | bit(record.pulse_amplitude_index, 0x08)
        | (u16::from(record.clock_is_unset) << 4);
    pair(Bytes::default().u8(flags as u8), record.normal)
        .some(record.time, Bytes::time)
        .some(record.measurement_status, Bytes::u16)
        .some(record.device_status, Bytes::u24)
        .some(record.pulse_amplitude_index, Bytes::sfloat)
        .0
}

pub(crate) fn continuous(record: &PlxContinuous, reserved: u16) -> Vec<u8> {
    let flags = flags(reserved, 0xe0)
        | bit(record.fast, 0x01)
        | bit(record.slow, 0x02)
        | bit(record.measurement_status, 0x04)
        | bit(record.device_status, 0x08)
        | bit(record.pulse_amplitude_index, 0x10);
    pair(Bytes::default().u8(flags as u8), record.normal)
        .some(record.fast, pair)
        .some(record.slow, pair)
        .some(record.measurement_status, Bytes::u16)
        .some(record.device_status, Bytes::u24)
        .some(record.pulse_amplitude_index, Bytes::sfloat)
        .0
}

pub(crate) fn blood_pressure(record: &BloodPressureMeasurement, reserved: u16) -> Vec<u8> {
    let flags = flags(reserved, 0xe0)
        | u16::from(record.unit == PressureUnit::Kilopascals)
        | bit(record.time, 0x02)
        | bit(record.pulse_rate, 0x04)
        | bit(record.user_id, 0x08)
        | bit(record.status, 0x10);
    Bytes::default()
        .u8(flags as u8)
        .sfloat(record.systolic)
        .sfloat(record.diastolic)
        .sfloat(record.mean)
        .some(record.time, Bytes::time)
        .some(record.pulse_rate, Bytes::sfloat)
        .some(record.user_id, Bytes::u8)
        .some(record.status, Bytes::u16)
        .0
}

pub(crate) fn glucose(record: &GlucoseMeasurement, reserved: u16) -> Vec<u8> {
    let is_molar = record.unit == ConcentrationUnit::MolesPerLitre;
    let flags = flags(reserved, 0xe0)
        | bit(record.offset_minutes, 0x01)
        | bit(record.concentration, 0x02)
        | (u16::from(is_molar) << 2)
        | bit(record.status, 0x08)
        | (u16::from(record.has_context) << 4);
    let put = |bytes: Bytes, concentration: Concentration| {
        let specimen = match concentration.specimen {
            Specimen::CapillaryWholeBlood => 1,
            Specimen::ControlSolution => 10,
            Specimen::Reserved(number) => number,
            _ => panic!("not generated"),
        };
        let location = match concentration.location {
            SampleLocation::Finger => 1,
            SampleLocation::NotAvailable => 15,
            SampleLocation::Reserved(number) => number,
            _ => panic!("not generated"),
        };
        bytes
            .sfloat(concentration.value)
            .u8(specimen + 16 * location)
    };
    Bytes::default()
        .u8(flags as u8)
        .u16(record.sequence)
        .time(record.base_time)
        .some(record.offset_minutes, |bytes, offset| {
            bytes.u16(offset.cast_unsigned())
        })
        .some(record.concentration, put)
        .some(record.status, Bytes::u16)
        .0
}

pub(crate) fn weight(record: &WeightMeasurement, reserved: u16) -> Vec<u8> {
    let flags = flags(reserved, 0xf0)
        | u16::from(record.units == ScaleUnits::Imperial)
        | bit(record.time, 0x02)
        | bit(record.user_id, 0x04)
        | bit(record.bmi, 0x08);
    Bytes::default()
        .u8(flags as u8)
        .u16(record.weight)
        .some(record.time, Bytes::time)
        .some(record.user_id, Bytes::u8)
        .some(record.bmi, Bytes::u16)
        .some(record.height, Bytes::u16)
        .0
}

pub(crate) fn body_composition(record: &BodyComposition, reserved: u16) -> Vec<u8> {
    let fields = [
        record.basal_metabolism,
        record.muscle_percentage,
        record.muscle_mass,
        record.fat_free_mass,
        record.soft_lean_mass,
        record.body_water_mass,
        record.impedance,
        record.weight,
        record.height,
    ];
    let present = fields.iter().enumerate().fold(0, |flags, (place, field)| {
        flags | bit(*field, 0x08 << place)
    });
    let flags = flags(reserved, 0xe000)
        | u16::from(record.units == ScaleUnits::Imperial)
        | bit(record.time, 0x02)
        | bit(record.user_id, 0x04)
        | present
        | (u16::from(record.is_multiple_packet) << 12);
    let bytes = Bytes::default()
        .u16(flags)
        .u16(record.body_fat)
        .some(record.time, Bytes::time)
        .some(record.user_id, Bytes::u8);
    fields
        .into_iter()
        .fold(bytes, |bytes, field| bytes.some(field, Bytes::u16))
        .0
}
