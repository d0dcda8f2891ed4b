//! Tests of the simulated consortium.

mod seeds;
