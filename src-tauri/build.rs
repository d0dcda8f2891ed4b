//! Lets tauri generate its context, and says what to do when the console's bundle is missing.

fn main() {
    println!("cargo::rerun-if-changed=../ui/dist");
    if std::path::Path::new("../ui/dist/index.html").exists() {
        tauri_build::build();
    } else {
        println!(
            "cargo::error=ui/dist holds no console yet. `cargo xtask bundle` builds it (about 6 min the first time)."
        );
    }
}
