//! Tests of the simulated consortium, and of the checkers that watch it.

mod planted;
mod replica;
mod same;
mod seeds;
