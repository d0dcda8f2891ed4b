//! Journeys through the real programs, as a person makes them: a sensor is paired,
//! its value is on screen, a reading becomes final, its proof is saved and checked
//! by a stranger's tools.

mod afar;
mod audit;
mod bluetooth;
mod browser;
mod consortium;
mod desktop;
mod device_life;
mod feed;
mod following;
mod giving;
mod hospital;
mod journey;
mod kills;
mod ledger_devices;
mod lines;
mod looks;
mod oneself;
mod painted;
mod patients;
mod people;
mod policies;
mod proof_file;
mod requests;
mod settling;
mod wall;
mod wearable;
