//! The body behind a simulated oximeter, thermometer or heart rate strap: integers and a seed, no clock.
//!
//! It looks right and means nothing: a pulse that drifts around its resting rate, a wave with a
//! dicrotic notch that breathes, and now and then motion, a weak pulse, a finger pulled out, a
//! gap. The same seed always tells the same story.

use crate::measurement::Quality;

/// One beat of the plethysmogram, 64 steps, 0 to 1000: a systolic peak, the dicrotic notch, a
/// second wave, a long fall.
const BEAT: [i64; 64] = [
    14, 29, 53, 91, 145, 220, 316, 431, 560, 693, 816, 916, 979, 1000, 976, 913, 823, 719, 618,
    531, 465, 425, 407, 408, 420, 436, 450, 457, 454, 442, 421, 394, 364, 332, 302, 276, 253, 235,
    220, 207, 196, 185, 173, 161, 147, 133, 118, 103, 88, 73, 60, 48, 37, 28, 21, 15, 10, 6, 3, 1,
    0, 0, 2, 6,
];

/// SplitMix64: small, seedable, good enough for a story.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.next() % (high.abs_diff(low) + 1)).unwrap_or(0)
    }
}

/// What goes on, second by second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Episode {
    /// Nothing special.
    Rest,
    /// The hand moves.
    Motion,
    /// Cold fingers.
    WeakPulse,
    /// The finger is out.
    FingerOut,
    /// The finger is back, the device looks for a pulse.
    Searching,
    /// The device is silent.
    Gap,
}

impl Episode {
    /// The quality of what is measured in it.
    pub(super) const fn quality(self) -> Quality {
        match self {
            Episode::Rest | Episode::Gap => Quality::Good,
            Episode::Motion => Quality::Questionable,
            Episode::WeakPulse => Quality::LowPerfusion,
            Episode::FingerOut => Quality::SensorOff,
            Episode::Searching => Quality::Searching,
        }
    }
}

/// A body and its sensor.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) dice: Dice,
    pub(super) episode: Episode,
    seconds_left: i64,
    resting_pulse: i64,
    resting_spo2_tenths: i64,
    resting_temperature: i64,
    pulse_tenths: i64,
    spo2_tenths: i64,
    perfusion_tenths: i64,
    temperature_hundredths: i64,
    beat_phase: u32,
    breath_phase: u32,
}

impl Body {
    pub(super) fn new(seed: u64) -> Body {
        let mut dice = Dice::new(seed);
        let resting_pulse = dice.between(560, 920);
        let resting_spo2_tenths = dice.between(945, 990);
        let resting_temperature = dice.between(3_630, 3_740);
        Body {
            episode: Episode::Rest,
            seconds_left: dice.between(15, 40),
            resting_pulse,
            resting_spo2_tenths,
            resting_temperature,
            pulse_tenths: resting_pulse,
            spo2_tenths: resting_spo2_tenths,
            perfusion_tenths: dice.between(18, 60),
            temperature_hundredths: resting_temperature,
            beat_phase: 0,
            breath_phase: 0,
            dice,
        }
    }

    /// A second passes.
    pub(super) fn live_a_second(&mut self) {
        self.pulse_tenths +=
            drift(self.resting_pulse, self.pulse_tenths) + self.dice.between(-8, 8);
        self.spo2_tenths +=
            drift(self.resting_spo2_tenths, self.spo2_tenths) + self.dice.between(-1, 1);
        self.perfusion_tenths = (self.perfusion_tenths + self.dice.between(-1, 1)).clamp(8, 90);
        self.temperature_hundredths +=
            drift(self.resting_temperature, self.temperature_hundredths) + self.dice.between(-1, 1);
        self.seconds_left -= 1;
        if self.seconds_left <= 0 {
            self.turn();
        }
    }

    /// The episode ends, another begins.
    fn turn(&mut self) {
        let (episode, seconds) = match self.episode {
            Episode::FingerOut => (Episode::Searching, self.dice.between(2, 4)),
            Episode::Rest => match self.dice.between(1, 10) {
                1..=5 => (Episode::Motion, self.dice.between(4, 9)),
                6 | 7 => (Episode::WeakPulse, self.dice.between(6, 12)),
                8 | 9 => (Episode::FingerOut, self.dice.between(4, 9)),
                _ => (Episode::Gap, self.dice.between(2, 4)),
            },
            _ => (Episode::Rest, self.dice.between(25, 70)),
        };
        self.episode = episode;
        self.seconds_left = seconds;
    }

    /// Beats per minute.
    pub(super) fn pulse(&self) -> i64 {
        (self.pulse_tenths + 5) / 10
    }

    /// From the last beat to this one, which comes a little early or late with the breath.
    pub(super) fn beat_interval_millis(&mut self) -> i64 {
        600_000 / self.pulse_tenths.max(1) + self.dice.between(-25, 25)
    }

    /// Percent, disturbed by motion.
    pub(super) fn spo2(&mut self) -> i64 {
        let artefact = if self.episode == Episode::Motion {
            self.dice.between(0, 2)
        } else {
            0
        };
        ((self.spo2_tenths + 5) / 10 - artefact).clamp(70, 100)
    }

    /// Perfusion index in tenths of a percent.
    pub(super) fn perfusion_tenths(&self) -> i64 {
        if self.episode == Episode::WeakPulse {
            self.perfusion_tenths / 8 + 1
        } else {
            self.perfusion_tenths
        }
    }

    /// Hundredths of a degree Celsius.
    pub(super) fn temperature_hundredths(&self) -> i64 {
        self.temperature_hundredths
    }

    /// The next sample of the wave, 0 to 255, `per_second` of them a second.
    pub(super) fn wave(&mut self, per_second: i64) -> i16 {
        let turn = 1_i64 << 32;
        self.beat_phase = self
            .beat_phase
            .wrapping_add(step(turn * self.pulse_tenths / (600 * per_second)));
        self.breath_phase = self
            .breath_phase
            .wrapping_add(step(turn / (4 * per_second)));
        let at = (self.beat_phase >> 26) as usize;
        let part = i64::from(self.beat_phase >> 10 & 0xffff);
        let shape = (BEAT[at] * (65_536 - part) + BEAT[(at + 1) % 64] * part) / 65_536;
        let breath = (i64::from(self.breath_phase >> 22) - 512).abs() * 40 / 512 - 20;
        let (height, noise) = match self.episode {
            Episode::WeakPulse => (40, 2),
            Episode::Motion => (130, 45),
            _ => (150, 1),
        };
        let level = 40 + shape * height / 1_000 + breath / 2 + self.dice.between(-noise, noise);
        i16::try_from(level.clamp(0, 255)).unwrap_or(0)
    }
}

/// A step back to rest.
fn drift(rest: i64, now: i64) -> i64 {
    (rest - now).signum() * i64::from((rest - now).abs() > 3)
}

fn step(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}
