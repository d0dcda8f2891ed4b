//! That a rig comes up, obeys, and leaves nothing behind.

use bluez_rig::Rig;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Goal: the guest lives exactly as long as the rig, and dies with a stage that is killed. Method: find
/// the processes whose command line names this rig's sockets; ask a sensor for its state; drop the rig,
/// or kill its stage; look for them again.
#[test]
fn nothing_outlives_the_rig() {
    for is_killed in [false, true] {
        let rig = Rig::start().unwrap();
        eprintln!("ready in {:.1} s", rig.boot().as_secs_f64());
        let address = rig.address();
        let mark = address.replace("unix:path=", "").replace("/bus", "/hci");
        let running = processes_with(&mark);
        assert_eq!(running.len(), 2, "the stage and the guest");
        assert!(!rig.wrist().state().unwrap().connected);

        if is_killed {
            let stage = running.iter().min().unwrap().to_string();
            let killed = Command::new("kill").args(["-KILL", &stage]).status();
            assert!(killed.unwrap().success());
            assert_gone(&mark);
            assert!(rig.wrist().state().is_err());
        } else {
            drop(rig);
            assert_gone(&mark);
        }
    }
}

fn assert_gone(mark: &str) {
    let begun = Instant::now();
    while !processes_with(mark).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "still running");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes with `mark` on their command line. One that has ended and waits for its parent has none.
fn processes_with(mark: &str) -> Vec<u32> {
    let has_mark = |folder: &Path| {
        let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(Result::ok)
        .filter(|entry| has_mark(&entry.path()))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
