//! A ward of 100 sensors on lines of their own, played by the bench against the whole program.

use crate::program::json;

/// Goal: of 100 sensors at once every reading is received or named, none twice, and every value is shown.
/// Method: three seconds of the bench; its figures against what it must have sent. How fast it was says
/// nothing in a debug build, and is not looked at.
#[test]
fn every_reading_of_a_ward_is_accounted_for() {
    let arguments = "bench devices --json --allow-debug --runs 1 --seconds 3";
    let (code, value) = json(arguments.split(' '));
    assert_eq!(code, 0, "{value}");
    let figure = |name: &str| value["figures"][name].as_f64().unwrap_or(f64::NAN);
    // 100 sensors and 8 waves, three times; of the numbered sensors, two in each of two seconds are hit.
    assert_eq!(
        figure("readings_sent"),
        3.0 * (100.0 * 2.0 + 8.0),
        "{value}"
    );
    assert_eq!(figure("frames_damaged"), 4.0, "{value}");
    assert_eq!(figure("readings_named"), 4.0 * 2.0, "{value}");
    assert_eq!(figure("lost_unnamed"), 0.0, "{value}");
    assert_eq!(figure("counted_twice"), 0.0, "{value}");
    assert_eq!(figure("frames_never_shown"), 0.0, "{value}");
    assert_eq!(figure("frames_shown"), 3.0 * 100.0 - 4.0 + 3.0, "{value}");
    assert!(figure("cpu_core_fraction") > 0.0, "{value}");
    // Twenty of them are heard by another device; one in forty frames is damaged.
    assert_eq!(figure("never_relayed"), 0.0, "{value}");
    assert!((57.0..=60.0).contains(&figure("relayed")), "{value}");
}

/// Goal: each reading of a sensor that numbers them has one fate, through pulled plugs, bad lines, moves between
/// two nodes and killed nodes. Method: some seconds of the bench; what was done to the sensors must have been
/// done. What streams without numbers is only estimated, and not looked at.
#[test]
fn every_reading_has_one_fate_through_moves_and_kills() {
    let arguments = "bench moves --json --allow-debug --runs 1 --seconds 20";
    let (code, value) = json(arguments.split(' '));
    assert_eq!(code, 0, "{value}");
    let figure = |name: &str| value["figures"][name].as_f64().unwrap_or(f64::NAN);
    assert_eq!(figure("lost_unnamed"), 0.0, "{value}");
    assert_eq!(figure("counted_twice"), 0.0, "{value}");
    assert_eq!(figure("registered"), 100.0, "{value}");
    assert_eq!(figure("kills"), 6.0, "{value}");
    for done in ["moves", "pulled_out", "frames_disturbed", "readings_named"] {
        assert!(figure(done) > 0.0, "{done}: {value}");
    }
    assert!(
        figure("readings_received") > figure("readings_sent") / 2.0,
        "{value}"
    );
}
