//! That a rig comes up, obeys, and leaves nothing behind.

use bluez_rig::Rig;
use std::path::Path;
use std::time::{Duration, Instant};

/// Goal: the guest lives exactly as long as the rig. Method: boot, find the processes whose command
/// line names this rig's sockets, ask a sensor for its state, drop the rig, look for them again.
#[test]
fn nothing_outlives_the_rig() {
    let rig = Rig::start().unwrap();
    eprintln!("ready in {:?}", rig.boot());
    let address = rig.address();
    let socket = address.rsplit('=').next().unwrap();
    let mark = socket.replace("/bus", "/hci");
    assert_eq!(processes_with(&mark), 2, "the stage and the guest");
    assert!(!rig.wrist().state().unwrap().connected);

    drop(rig);
    let begun = Instant::now();
    while processes_with(&mark) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "still running");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many processes have `mark` on their command line.
fn processes_with(mark: &str) -> usize {
    let has_mark = |folder: &Path| {
        let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(Result::ok)
        .filter(|entry| has_mark(&entry.path()))
        .count()
}
