//! The program `fogward`; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    fog_node::cli::main()
}
